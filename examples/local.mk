# SPDX-License-Identifier: Apache-2.0
# examples - task files to run and to copy

EXTRA_DIST += \
	%D%/README.md \
	%D%/embeddings/embed.awk \
	%D%/embeddings/embed.sh \
	%D%/embeddings/task.yaml
