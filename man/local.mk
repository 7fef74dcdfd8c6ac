# SPDX-License-Identifier: Apache-2.0
# man - the pages of souk; those of providers stand in their folders

MAN_PAGES += \
	%D%/souk-autostop.1 \
	%D%/souk-cancel.1 \
	%D%/souk-catalog.1 \
	%D%/souk-check.1 \
	%D%/souk-config.5 \
	%D%/souk-cost.1 \
	%D%/souk-doctor.1 \
	%D%/souk-down.1 \
	%D%/souk-exec.1 \
	%D%/souk-launch.1 \
	%D%/souk-logs.1 \
	%D%/souk-offers.1 \
	%D%/souk-provider.1 \
	%D%/souk-provider.3 \
	%D%/souk-queue.1 \
	%D%/souk-quote.1 \
	%D%/souk-ssh.1 \
	%D%/souk-start.1 \
	%D%/souk-status.1 \
	%D%/souk-stop.1 \
	%D%/souk-validate.1 \
	%D%/souk.1 \
	%D%/souk.yaml.5
