# SPDX-License-Identifier: Apache-2.0
# docs - for those who read before they type

EXTRA_DIST += README.md NEWS
EXTRA_DIST += \
	%D%/architecture.md \
	%D%/catalog-format.md \
	%D%/market.md \
	%D%/providers.md
