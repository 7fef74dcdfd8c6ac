# SPDX-License-Identifier: Apache-2.0
# tests/cloudsim - servers on loopback that speak the clouds' own protocols

TESTS += %D%/test-cloudsim.sh

EXTRA_DIST += \
	%D%/README.md \
	%D%/awsother.py \
	%D%/awswire.py \
	%D%/azurecloud.py \
	%D%/azureprices.py \
	%D%/azureworld.py \
	%D%/cloudconfig.py \
	%D%/ec2.py \
	%D%/ec2calls.py \
	%D%/ec2instances.py \
	%D%/ec2market.py \
	%D%/ec2params.py \
	%D%/ec2world.py \
	%D%/gcpcompute.py \
	%D%/gcpprices.py \
	%D%/gcpskus.py \
	%D%/gcpworld.py \
	%D%/runpodprices.py \
	%D%/lambdaprices.py \
	%D%/machine.py \
	%D%/pricesim.py \
	%D%/simclient.py \
	%D%/test-cloudsim.sh \
	%D%/test_ec2.py \
	%D%/test_machine.py
