# SPDX-License-Identifier: Apache-2.0
# providers/storage - buckets of those who sell no machines: what their traffic costs

nodist_transfer_DATA += transfer/cloudflare.csv
CLEANFILES += transfer/cloudflare.csv
EXTRA_DIST += %D%/cloudflare-transfer.csv
transfer/cloudflare.csv: %D%/cloudflare-transfer.csv
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $(srcdir)/%D%/cloudflare-transfer.csv $@

nodist_transfer_DATA += transfer/ibm.csv
CLEANFILES += transfer/ibm.csv
EXTRA_DIST += %D%/ibm-transfer.csv
transfer/ibm.csv: %D%/ibm-transfer.csv
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $(srcdir)/%D%/ibm-transfer.csv $@
