# SPDX-License-Identifier: Apache-2.0
# docs - for those who read before they type

