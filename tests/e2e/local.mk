# SPDX-License-Identifier: Apache-2.0
# tests/e2e - the command, and its parts, as a user runs them

TESTS += \
	%D%/test-aws-failover.sh \
	%D%/test-aws-moto.sh \
	%D%/test-aws-offers.sh \
	%D%/test-aws-sim.sh \
	%D%/test-aws-trust.sh \
	%D%/test-azure-offers.sh \
	%D%/test-azure-sim.sh \
	%D%/test-catalog.sh \
	%D%/test-cli-docs.sh \
	%D%/test-cli.sh \
	%D%/test-doctor.sh \
	%D%/test-embeddings.sh \
	%D%/test-failover.sh \
	%D%/test-gcp-offers.sh \
	%D%/test-gcp-sim.sh \
	%D%/test-lambda-launch.sh \
	%D%/test-launch-plan.sh \
	%D%/test-lambda-offers.sh \
	%D%/test-runpod-launch.sh \
	%D%/test-runpod-offers.sh \
	%D%/test-local-files.sh \
	%D%/test-local-launch.sh \
	%D%/test-local-nodes.sh \
	%D%/test-local-secret.sh \
	%D%/test-local-ssh.sh \
	%D%/test-no-network.sh \
	%D%/test-offers-evidence.sh \
	%D%/test-offers.sh \
	%D%/test-plan.sh \
	%D%/test-quote.sh \
	%D%/test-runtime.sh \
	%D%/test-validate.sh

EXTRA_DIST += \
	%D%/aws-offers.py \
	%D%/aws.sh \
	%D%/lib.sh \
	%D%/prices.sh \
	%D%/runtime/cases.sh \
	%D%/runtime/machines.sh \
	%D%/plan-wire.py \
	%D%/planner.c \
	%D%/stall.c \
	%D%/test-aws-failover.sh \
	%D%/test-aws-moto.sh \
	%D%/test-aws-offers.sh \
	%D%/test-aws-sim.sh \
	%D%/test-aws-trust.sh \
	%D%/test-azure-offers.sh \
	%D%/test-azure-sim.sh \
	%D%/test-catalog.sh \
	%D%/test-cli-docs.sh \
	%D%/test-cli.sh \
	%D%/test-doctor.sh \
	%D%/test-embeddings.sh \
	%D%/test-failover.sh \
	%D%/test-gcp-offers.sh \
	%D%/test-gcp-sim.sh \
	%D%/test-lambda-launch.sh \
	%D%/test-launch-plan.sh \
	%D%/test-lambda-offers.sh \
	%D%/test-runpod-launch.sh \
	%D%/test-runpod-offers.sh \
	%D%/test-local-files.sh \
	%D%/test-local-launch.sh \
	%D%/test-local-nodes.sh \
	%D%/test-local-secret.sh \
	%D%/test-local-ssh.sh \
	%D%/test-no-network.sh \
	%D%/test-offers-evidence.sh \
	%D%/test-offers.sh \
	%D%/test-plan.sh \
	%D%/test-quote.sh \
	%D%/test-runtime.sh \
	%D%/test-validate.sh
