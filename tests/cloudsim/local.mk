# SPDX-License-Identifier: Apache-2.0
# tests/cloudsim - servers on loopback that speak the clouds' own protocols

TESTS += %D%/test-cloudsim.sh %D%/test-contract.sh

EXTRA_DIST += \
	%D%/README.md \
	%D%/awscontract.py \
	%D%/awsother.py \
	%D%/awswire.py \
	%D%/azurecloud.py \
	%D%/azureprices.py \
	%D%/azureworld.py \
	%D%/cloudconfig.py \
	%D%/cloudsim.py \
	%D%/contract.py \
	%D%/ec2.py \
	%D%/ec2calls.py \
	%D%/ec2instances.py \
	%D%/ec2market.py \
	%D%/ec2params.py \
	%D%/ec2placement.py \
	%D%/ec2world.py \
	%D%/gcpcompute.py \
	%D%/gcpprices.py \
	%D%/gcpskus.py \
	%D%/gcpworld.py \
	%D%/lambda_.py \
	%D%/machine.py \
	%D%/restsim.py \
	%D%/runpod.py \
	%D%/schema.py \
	%D%/simclient.py \
	%D%/simserver.py \
	%D%/simworld.py \
	%D%/test-cloudsim.sh \
	%D%/test-contract.sh \
	%D%/test_cloudsim.py \
	%D%/test_contract.py \
	%D%/test_ec2.py \
	%D%/test_machine.py
