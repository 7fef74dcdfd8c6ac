#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_ec2.py - the simulated EC2 itself: protocol, state, faults; curl and boto3 as witnesses"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
import unittest
import urllib.error

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import awswire
import cloudconfig
import ec2params
from simclient import Sim, encode

try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:
    boto3 = None

SPECS = os.environ.get("SOUK_SPECS")
SPOT = {"InstanceMarketOptions__MarketType": "spot"}
CAPACITY = "InsufficientInstanceCapacity"


class SimCase(unittest.TestCase):
    """A server for the class, fresh for each test."""

    scenario = {}
    arguments = []

    @classmethod
    def setUpClass(cls):
        cls.sim = Sim(*cls.arguments)

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.sim("scenario", self.scenario)

    def ok(self, reply):
        self.assertEqual((reply.status, reply.code), (200, ""), reply.body)
        return reply

    def refused(self, reply, code, status=400):
        self.assertEqual((reply.code, reply.status), (code, status), reply.body)

    def launch(self, *args, **more):
        return self.ok(self.sim.run(*args, **more)).texts("instanceId")


class Wire(unittest.TestCase):
    """What needs no server."""

    def test_published_vector(self):
        # get-vanilla of AWS's signature 4 test suite
        canonical = awswire.canonical_request(
            "GET", "/", "", {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"},
            ["host", "x-amz-date"],
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        self.assertEqual(
            awswire.signature("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830T123600Z",
                              "us-east-1", "service", canonical),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")

    def test_numbers_are_ordered_as_numbers(self):
        params = {f"Value.{n}": str(n) for n in (10, 9, 1, 100)}
        self.assertEqual(awswire.numbered(params, "Value"), ["1", "9", "10", "100"])

    @unittest.skipUnless(SPECS, "SOUK_SPECS is not set")
    def test_parameters_are_those_of_the_service_model(self):
        self.assertEqual(ec2params.Model(SPECS).strangers(), [])

    def test_cloud_config(self):
        text = ("#cloud-config\n# note\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n"
                "    BEGIN\n    x # y\n\n    END\n  ed25519_public: ssh-ed25519 AAAA host\n"
                "users:\n- default\n- name: u\n  ssh_authorized_keys:\n  - 'ssh-ed25519 B b'\n"
                "ssh_authorized_keys: [\"ssh-ed25519 C c\"]\n")
        private, public, keys = cloudconfig.ssh_settings(text)
        self.assertEqual(private, "BEGIN\nx # y\n\nEND\n")
        self.assertEqual(public, "ssh-ed25519 AAAA host")
        self.assertEqual(sorted(keys), ["ssh-ed25519 B b", "ssh-ed25519 C c"])
        self.assertEqual(cloudconfig.load("a: [x, 2, y-z]\nb: []\n"), {"a": ["x", 2, "y-z"], "b": []})

    def test_cloud_config_refuses(self):
        for text in ("a: 1\na: 2\n", "a: &x 1\n", "a:\n  b: 1\n c: 2\n", "just text\n",
                     "a: 'open\n", "\ta: 1\n"):
            with self.subTest(text=text), self.assertRaises(cloudconfig.CloudConfigError):
                cloudconfig.load(text)


class Signatures(SimCase):
    def test_good(self):
        self.ok(self.sim.call("DescribeRegions"))

    def test_refused(self):
        cases = [
            (dict(key="nobody"), "AuthFailure", 401),
            (dict(secret="wrong"), "SignatureDoesNotMatch", 403),
            (dict(tamper=b"Action=DescribeVpcs&Version=2016-11-15"), "SignatureDoesNotMatch", 403),
            (dict(now=time.time() - 3600), "RequestExpired", 400),
            (dict(now=time.time() + 3600), "RequestExpired", 400),
            (dict(token="unknown"), "AuthFailure", 401),
            (dict(region="xx-none-1"), "AuthFailure", 401),
            (dict(region="eu-south-1"), "OptInRequired", 403),
            (dict(service="sts", key="nobody"), "InvalidClientTokenId", 403),
            (dict(service="sts", secret="wrong"), "SignatureDoesNotMatch", 403)]
        for how, code, status in cases:
            with self.subTest(how=how):
                self.refused(self.sim.call("DescribeRegions", **how), code, status)

    def test_json_services_refuse_in_their_words(self):
        reply = self.sim.json_call("AmazonSSM.GetParameter", {"Name": "/x"}, secret="wrong")
        self.refused(reply, "InvalidSignatureException")
        reply = self.sim.json_call("AmazonSSM.GetParameter", {"Name": "/x"}, key="nobody")
        self.refused(reply, "UnrecognizedClientException")

    def test_unsigned(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port)
        connection.request("POST", "/", b"Action=DescribeRegions&Version=2016-11-15")
        reply = connection.getresponse()
        self.assertEqual(reply.status, 401)
        self.assertIn(b"<Code>AuthFailure</Code>", reply.read())
        connection.close()

    def test_assumed_role(self):
        role = {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "s",
                "DurationSeconds": "900"}
        reply = self.ok(self.sim.call("AssumeRole", role, service="sts"))
        who = dict(key=reply.text("AccessKeyId"), secret=reply.text("SecretAccessKey"),
                   token=reply.text("SessionToken"))
        self.ok(self.sim.call("DescribeRegions", **who))
        arn = self.ok(self.sim.call("GetCallerIdentity", service="sts", **who)).text("Arn")
        self.assertEqual(arn, "arn:aws:sts::123456789012:assumed-role/r/s")
        self.refused(self.sim.call("DescribeRegions", **dict(who, token=None)), "AuthFailure", 401)
        self.sim.sim("advance", {"seconds": 901})
        self.refused(self.sim.call("DescribeRegions", **who), "RequestExpired")
        self.refused(self.sim.call("GetCallerIdentity", service="sts", **who), "ExpiredToken", 403)


class Parameters(SimCase):
    def test_refused(self):
        ami = self.sim.image()
        good = {"ImageId": ami, "MinCount": 1, "MaxCount": 1, "InstanceType": "m6i.large"}
        cases = [
            ("Nonsense", {}, "InvalidAction"),
            ("DescribeInstances", {"Foo": 1}, "UnknownParameter"),
            ("DescribeInstances", {"Filter.1.Values.1": 1}, "UnknownParameter"),
            ("DescribeInstances", {"Filter.1.Name": "no-such", "Filter.1.Value.1": 1},
             "InvalidParameterValue"),
            ("DescribeInstances", {"MaxResults": 4}, "InvalidParameterValue"),
            ("RunInstances", {"ImageId": ami, "MinCount": 1}, "MissingParameter"),
            ("RunInstances", dict(good, ImageId="ami-00000000"), "InvalidAMIID.NotFound"),
            ("RunInstances", dict(good, ImageId="debian"), "InvalidAMIID.Malformed"),
            ("RunInstances", dict(good, InstanceType="m9.huge"), "InvalidParameterValue"),
            ("RunInstances", dict(good, InstanceType="m7g.large"), "InvalidParameterValue"),
            ("RunInstances", dict(good, KeyName="none"), "InvalidKeyPair.NotFound"),
            ("RunInstances", dict(good, UserData="***"), "InvalidUserData.Malformed"),
            ("RunInstances", dict(good, UserData=encode("x" * 16385)), "InvalidParameterValue"),
            ("RunInstances", dict(good, SubnetId="subnet-1"), "InvalidSubnetID.NotFound"),
            ("RunInstances", {**good, "SecurityGroupId.1": "sg-1"}, "InvalidGroup.NotFound"),
            ("RunInstances", {**good, "Placement.AvailabilityZone": "us-east-1z"},
             "InvalidParameterValue"),
            ("RunInstances", {**good, "InstanceType": "p5.48xlarge",
                              "Placement.AvailabilityZone": "us-east-1a"}, "Unsupported"),
            ("RunInstances", {**good, "TagSpecification.1.ResourceType": "spot-instances-request",
                              "TagSpecification.1.Tag.1.Key": "a"}, "InvalidParameterValue"),
            ("RunInstances", {**good, "BlockDeviceMapping.1.DeviceName": "/dev/xvda",
                              "BlockDeviceMapping.1.Ebs.VolumeSize": 7},
             "InvalidBlockDeviceMapping"),
            ("RunInstances", {**good, "SecurityGroupId.1": "sg-1",
                              "NetworkInterface.1.DeviceIndex": 0}, "InvalidParameterCombination"),
            ("DescribeImages", {"ImageId.1": "ami-00000000"}, "InvalidAMIID.NotFound"),
            ("TerminateInstances", {"InstanceId.1": "i-0000000000000000f"},
             "InvalidInstanceID.NotFound"),
            ("TerminateInstances", {"InstanceId.1": "abc"}, "InvalidInstanceID.Malformed")]
        for action, params, code in cases:
            with self.subTest(action=action, params=params):
                self.refused(self.sim.call(action, params), code)
        self.assertEqual(self.sim.state()["instances"], [])

    def test_dry_run(self):
        self.refused(self.sim.run(DryRun="true"), "DryRunOperation", 412)
        self.refused(self.sim.run(DryRun="true", InstanceType="nope"), "InvalidParameterValue")
        self.refused(self.sim.call("TerminateInstances", {
            "InstanceId.1": "i-0000000000000000f", "DryRun": "true"}), "DryRunOperation", 412)
        self.assertEqual(self.sim.state()["instances"], [])


class Market(SimCase):
    def test_regions_and_zones(self):
        names = self.ok(self.sim.call("DescribeRegions")).texts("regionName")
        self.assertEqual(names, ["eu-west-1", "us-east-1", "us-west-2"])
        every = self.ok(self.sim.call("DescribeRegions", {"AllRegions": "true"}))
        self.assertIn("eu-south-1", every.texts("regionName"))
        zones = self.ok(self.sim.call("DescribeAvailabilityZones", region="eu-west-1"))
        self.assertEqual(zones.texts("zoneName"), ["eu-west-1a", "eu-west-1b"])

    def test_types_are_paged(self):
        names, params, pages = [], {"MaxResults": 5}, 0
        while True:
            reply = self.ok(self.sim.call("DescribeInstanceTypes", params))
            names += reply.texts("instanceType")
            pages += 1
            if not reply.text("nextToken"):
                break
            params["NextToken"] = reply.text("nextToken")
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(pages, -(-len(names) // 5))
        self.assertEqual(names, self.sim.call("DescribeInstanceTypes").texts("instanceType"))

    def test_filters_take_wildcards(self):
        reply = self.ok(self.sim.call("DescribeInstanceTypes", {
            "Filter.1.Name": "instance-type", "Filter.1.Value.1": "g5.*"}))
        self.assertEqual(reply.texts("instanceType"), ["g5.12xlarge", "g5.xlarge"])
        self.assertEqual(reply.texts("count"), ["4", "1"])

    def test_offerings_by_zone(self):
        reply = self.ok(self.sim.call("DescribeInstanceTypeOfferings", {
            "LocationType": "availability-zone", "Filter.1.Name": "instance-type",
            "Filter.1.Value.1": "p5.48xlarge"}))
        self.assertEqual(reply.texts("location"), ["us-east-1b"])

    def test_spot_is_cheaper_than_on_demand(self):
        spot = self.ok(self.sim.call("DescribeSpotPriceHistory", {
            "InstanceType.1": "g5.xlarge", "ProductDescription.1": "Linux/UNIX"}))
        self.assertEqual(sorted(spot.texts("availabilityZone")), ["us-east-1a", "us-east-1b"])
        rows = self.products(instanceType="g5.xlarge", regionCode="us-east-1")
        self.assertGreater(len(rows), 1)
        rows = self.products(instanceType="g5.xlarge", regionCode="us-east-1", tenancy="Shared",
                             operatingSystem="Linux", capacitystatus="Used", preInstalledSw="NA")
        self.assertEqual(len(rows), 1)
        price = self.rate(rows[0], "USD")
        self.assertEqual(price, 1.006)
        for text in spot.texts("spotPrice"):
            self.assertLess(float(text), price)

    def products(self, service="AmazonEC2", **wanted):
        filters = [{"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in wanted.items()]
        rows, more = [], {}
        while True:
            reply = self.ok(self.sim.json_call("AWSPriceListService.GetProducts", {
                "ServiceCode": service, "Filters": filters, **more}, service="pricing")).json
            rows += [json.loads(r) for r in reply["PriceList"]]
            if "NextToken" not in reply:
                return rows
            more = {"NextToken": reply["NextToken"]}

    @staticmethod
    def rate(product, currency):
        term = next(iter(product["terms"]["OnDemand"].values()))
        return float(next(iter(term["priceDimensions"].values()))["pricePerUnit"][currency])

    def test_disks_and_addresses_have_prices(self):
        rows = self.products(regionCode="eu-west-1", volumeApiName="gp3")
        self.assertEqual(sorted(r["product"]["productFamily"] for r in rows),
                         ["Provisioned Throughput", "Storage", "System Operation"])
        rows = self.products("AmazonVPC", regionCode="us-east-1", group="VPCPublicIPv4Address")
        self.assertEqual([self.rate(r, "USD") for r in rows], [0.005, 0.005])

    def test_pages_overlap_and_tokens_expire(self):
        self.addCleanup(self.sim.sim, "scenario", {})
        self.sim.sim("scenario", {"page_size": 7, "page_overlap": 2})
        rows = self.products(regionCode="us-east-1", operatingSystem="Linux", tenancy="Shared",
                             preInstalledSw="NA", capacitystatus="Used")
        names = [r["product"]["attributes"]["instanceType"] for r in rows]
        self.assertEqual(len(set(names)), 21)
        self.assertGreater(len(names), 21)
        body = {"ServiceCode": "AmazonEC2"}
        token = self.ok(self.sim.json_call("AWSPriceListService.GetProducts", body,
                                           service="pricing")).json["NextToken"]
        self.sim.sim("expire-price-tokens", {})
        reply = self.sim.json_call("AWSPriceListService.GetProducts",
                                   dict(body, NextToken=token), service="pricing")
        self.assertEqual(reply.json["__type"], "ExpiredNextTokenException")
        reply = self.sim.json_call("AWSPriceListService.GetProducts",
                                   dict(body, NextToken="??"), service="pricing")
        self.assertEqual(reply.json["__type"], "InvalidNextTokenException")

    def test_spot_history_has_older_prices_too(self):
        self.addCleanup(self.sim.sim, "scenario", {})
        self.sim.sim("scenario", {"spot_history": 3})
        reply = self.ok(self.sim.call("DescribeSpotPriceHistory", {
            "InstanceType.1": "m5.large", "AvailabilityZone": "us-east-1a"}))
        prices = dict(zip(reply.texts("timestamp"), reply.texts("spotPrice")))
        self.assertEqual(len(prices), 4)
        self.assertEqual(len(set(prices.values())), 4)

    def test_faults_of_the_price_list_are_by_the_region_it_is_about(self):
        self.sim.sim("faults", {"faults": [{"action": "GetProducts", "region": "eu-west-1",
                                             "do": "garbage", "times": -1}]})
        self.assertTrue(self.products(regionCode="us-east-1", instanceType="m5.large"))
        with self.assertRaises(ValueError):
            self.products(regionCode="eu-west-1", instanceType="m5.large")

    def test_public_parameters_are_images(self):
        ubuntu = "/aws/service/canonical/ubuntu/server"
        names = [f"{ubuntu}/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
                 f"{ubuntu}/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id",
                 "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/"
                 "latest/ami-id",
                 "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
                 "/aws/service/debian/release/13/latest/arm64", "/none"]
        reply = self.ok(self.sim.json_call("AmazonSSM.GetParameters", {"Names": names})).json
        self.assertEqual(reply["InvalidParameters"], ["/none"])
        amis = {f"ImageId.{n}": p["Value"] for n, p in enumerate(reply["Parameters"], 1)}
        found = self.ok(self.sim.call("DescribeImages", amis))
        self.assertEqual(len(found.texts("imageId")), 5)
        self.refused(self.sim.call("DescribeImages", amis, region="us-west-2"),
                     "InvalidAMIID.NotFound")
        self.refused(self.sim.json_call("AmazonSSM.GetParameter", {"Name": "/none"}),
                     "ParameterNotFound")


class Network(SimCase):
    def group(self, name="g", **more):
        return self.ok(self.sim.call("CreateSecurityGroup", dict({
            "GroupName": name, "GroupDescription": "d"}, **more))).text("groupId")

    def test_life_of_a_group(self):
        one = self.group(**{"TagSpecification.1.ResourceType": "security-group",
                            "TagSpecification.1.Tag.1.Key": "k",
                            "TagSpecification.1.Tag.1.Value": "v"})
        self.refused(self.sim.call("CreateSecurityGroup", {
            "GroupName": "g", "GroupDescription": "d"}), "InvalidGroup.Duplicate")
        rule = {"GroupId": one, "IpPermissions.1.IpProtocol": "tcp", "IpPermissions.1.FromPort": 22,
                "IpPermissions.1.ToPort": 22, "IpPermissions.1.IpRanges.1.CidrIp": "192.0.2.1/32"}
        self.ok(self.sim.call("AuthorizeSecurityGroupIngress", rule))
        self.refused(self.sim.call("AuthorizeSecurityGroupIngress", rule),
                     "InvalidPermission.Duplicate")
        self.ok(self.sim.call("AuthorizeSecurityGroupIngress", {
            "GroupId": one, "IpPermissions.1.IpProtocol": "-1",
            "IpPermissions.1.Groups.1.GroupId": one}))
        found = self.ok(self.sim.call("DescribeSecurityGroups", {
            "Filter.1.Name": "tag:k", "Filter.1.Value.1": "v"}))
        self.assertEqual(found.texts("cidrIp"), ["192.0.2.1/32"])
        machine = self.launch(SecurityGroupId__1=one)[0]
        self.refused(self.sim.call("DeleteSecurityGroup", {"GroupId": one}), "DependencyViolation")
        self.ok(self.sim.call("TerminateInstances", {"InstanceId.1": machine}))
        self.refused(self.sim.call("DeleteSecurityGroup", {"GroupId": one}), "DependencyViolation")
        for _ in range(2):
            self.sim.describe()
        self.ok(self.sim.call("DeleteSecurityGroup", {"GroupId": one}))
        self.refused(self.sim.call("DescribeSecurityGroups", {"GroupId.1": one}),
                     "InvalidGroup.NotFound")

    def test_default_vpc(self):
        vpc = self.ok(self.sim.call("DescribeVpcs", {
            "Filter.1.Name": "is-default", "Filter.1.Value.1": "true"})).text("vpcId")
        nets = self.ok(self.sim.call("DescribeSubnets", {
            "Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc,
            "Filter.2.Name": "availability-zone", "Filter.2.Value.1": "us-east-1b"}))
        self.assertEqual(len(nets.texts("subnetId")), 1)
        reply = self.ok(self.sim.run(SubnetId=nets.text("subnetId")))
        self.assertEqual(reply.text("availabilityZone"), "us-east-1b")

    def test_no_default_vpc(self):
        self.sim.sim("scenario", {"regions": {"us-east-1": {"zones": ["us-east-1a"],
                                                            "default_vpc": False}}})
        self.refused(self.sim.run(), "VPCIdNotSpecified")

    def test_keys(self):
        line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti me"
        give = {"KeyName": "k", "PublicKeyMaterial": encode(line)}
        self.ok(self.sim.call("ImportKeyPair", give))
        self.refused(self.sim.call("ImportKeyPair", give), "InvalidKeyPair.Duplicate")
        self.refused(self.sim.call("ImportKeyPair", dict(give, KeyName="l",
                     PublicKeyMaterial=encode("nonsense"))), "InvalidKey.Format")
        self.assertEqual(self.sim.call("DescribeKeyPairs").texts("keyName"), ["k"])
        self.assertEqual(self.sim.call("DescribeKeyPairs", region="us-west-2").texts("keyName"), [])
        self.ok(self.sim.run(KeyName="k"))


class Launching(SimCase):
    def test_client_token(self):
        first = self.launch("t", 2)
        self.assertEqual(self.launch("t", 2), first)
        self.refused(self.sim.run("t", 1), "IdempotentParameterMismatch")
        self.refused(self.sim.run("t", 2, Placement__AvailabilityZone="us-east-1b"),
                     "IdempotentParameterMismatch")
        self.assertNotEqual(self.launch("t", 2, region="us-west-2"), first)
        self.assertNotEqual(self.launch(None, 2), first)
        self.assertEqual(len(self.sim.state()["alive"]), 6)

    def test_client_token_outlives_termination(self):
        one = self.launch("t")[0]
        self.ok(self.sim.call("TerminateInstances", {"InstanceId.1": one}))
        self.assertEqual(self.launch("t"), [one])
        self.assertEqual(self.sim.state()["alive"], [])

    def test_client_token_of_a_failure_is_free(self):
        self.sim.sim("faults", {"faults": [{"action": "RunInstances", "code": CAPACITY}]})
        self.refused(self.sim.run("t"), CAPACITY, 500)
        self.launch("t")

    def test_all_or_none(self):
        self.sim.sim("capacity", {"capacity": [
            {"type": "m6i.*", "region": "us-east-1", "count": 3}]})
        self.refused(self.sim.run(count=4), CAPACITY, 500)
        self.assertEqual(self.sim.state()["alive"], [])
        self.assertEqual(len(self.launch(count=2, MaxCount=9)), 3)
        self.refused(self.sim.run(), CAPACITY, 500)
        one = self.sim.state()["alive"][0]
        self.ok(self.sim.call("TerminateInstances", {"InstanceId.1": one}))
        self.launch()

    def test_capacity_by_zone_and_market(self):
        self.sim.sim("capacity", {"capacity": [
            {"type": "g5.xlarge", "zone": "us-east-1a", "market": "spot", "count": 0}]})
        reply = self.ok(self.sim.run(type_name="g5.xlarge", **SPOT))
        self.assertEqual(reply.text("availabilityZone"), "us-east-1b")
        zone = {"Placement__AvailabilityZone": "us-east-1a"}
        self.refused(self.sim.run(type_name="g5.xlarge", **SPOT, **zone), CAPACITY, 500)
        self.launch(type_name="g5.xlarge", **zone)

    def test_quota(self):
        self.sim.sim("scenario", {"quotas": [
            {"type": "m*", "region": "us-east-1", "market": "on-demand", "vcpus": 4},
            {"type": "g*", "market": "spot", "vcpus": 0}]})
        self.launch(count=2)
        self.refused(self.sim.run(), "VcpuLimitExceeded")
        self.refused(self.sim.run(type_name="g5.xlarge", **SPOT), "MaxSpotInstanceCountExceeded")
        self.launch(region="us-west-2")

    def test_spot_price(self):
        self.sim.sim("scenario", {"spot_prices": [
            {"type": "m6i.large", "zone": "us-east-1a", "price": "0.05"}]})
        cap = {"Placement__AvailabilityZone": "us-east-1a",
               "InstanceMarketOptions__SpotOptions__MaxPrice": "0.049999"}
        self.refused(self.sim.run(**SPOT, **cap), "SpotMaxPriceTooLow")
        cap["InstanceMarketOptions__SpotOptions__MaxPrice"] = "0.05"
        reply = self.ok(self.sim.run(**SPOT, **cap))
        self.assertEqual(reply.text("instanceLifecycle"), "spot")
        self.assertTrue(reply.text("spotInstanceRequestId").startswith("sir-"))

    def test_tags_and_filters(self):
        tag = {"TagSpecification__1__ResourceType": "instance",
               "TagSpecification__1__Tag__1__Key": "souk-token",
               "TagSpecification__1__Tag__1__Value": "abc"}
        one = self.launch("tok", **tag)[0]
        self.launch()

        def find(name, value):
            return self.ok(self.sim.describe(Filter__1__Name=name, Filter__1__Value__1=value)
                           ).texts("instanceId")
        self.assertEqual(find("tag:souk-token", "abc"), [one])
        self.assertEqual(find("tag:souk-token", "abd"), [])
        self.assertEqual(find("tag-key", "souk-*"), [one])
        self.assertEqual(find("client-token", "tok"), [one])
        self.assertEqual(find("instance-id", one), [one])
        self.ok(self.sim.call("CreateTags", {"ResourceId.1": one, "Tag.1.Key": "more",
                                             "Tag.1.Value": "[x]"}))
        self.assertEqual(find("tag:more", "[x]"), [one])
        self.assertEqual(len(find("instance-state-name", "running")), 2)

    def test_paging(self):
        ids = self.launch(count=12)
        first = self.ok(self.sim.describe(MaxResults=5))
        second = self.ok(self.sim.describe(MaxResults=5, NextToken=first.text("nextToken")))
        third = self.ok(self.sim.describe(MaxResults=5, NextToken=second.text("nextToken")))
        self.assertIsNone(third.text("nextToken"))
        self.assertEqual(sum((r.texts("instanceId") for r in (first, second, third)), []), ids)
        self.refused(self.sim.describe(NextToken="!"), "InvalidParameterValue")


class Life(SimCase):
    def states(self, count, *ids):
        return [",".join(self.ok(self.sim.describe(*ids)).tree.findtext(
            ".//{*}instanceState/{*}name").split()) for _ in range(count)]

    def act(self, action, one):
        return self.ok(self.sim.call(action, {"InstanceId.1": one}))

    def test_from_pending_to_forgotten(self):
        self.sim.sim("scenario", {"lifecycle": {"boot_after": 2, "forget_after": 3}})
        one = self.launch("t", InstanceInitiatedShutdownBehavior="terminate")[0]
        self.assertEqual(self.states(4), ["pending", "pending", "running", "running"])
        self.act("StopInstances", one)
        self.assertEqual(self.states(3), ["stopping", "stopped", "stopped"])
        self.act("StartInstances", one)
        self.assertEqual(self.states(3), ["pending", "pending", "running"])
        self.act("TerminateInstances", one)
        self.act("TerminateInstances", one)
        self.assertEqual(self.states(4), ["shutting-down"] + ["terminated"] * 3)
        self.refused(self.sim.call("StartInstances", {"InstanceId.1": one}),
                     "IncorrectInstanceState")
        self.states(1)
        self.refused(self.sim.describe(one), "InvalidInstanceID.NotFound")
        self.assertNotEqual(self.launch("t", InstanceInitiatedShutdownBehavior="terminate"), [one])

    def test_eventual_consistency(self):
        self.sim.sim("scenario", {"lifecycle": {"visible_after": 2}})
        one = self.launch("t")[0]
        self.refused(self.sim.describe(one), "InvalidInstanceID.NotFound")
        reply = self.sim.describe(Filter__1__Name="client-token", Filter__1__Value__1="t")
        self.assertEqual(self.ok(reply).texts("instanceId"), [])
        self.assertEqual(self.launch("t"), [one])
        self.refused(self.sim.call("TerminateInstances", {"InstanceId.1": one}),
                     "InvalidInstanceID.NotFound")
        self.assertEqual(self.ok(self.sim.describe(one)).texts("instanceId"), [one])
        self.act("TerminateInstances", one)

    def test_preemption(self):
        one = self.launch(**SPOT)[0]
        other = self.launch()[0]
        self.assertEqual(self.sim.sim("preempt", {"instance": one}), {"preempted": [one]})
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.sim.sim("preempt", {"instance": other})
        caught.exception.close()
        reply = self.sim.describe(one)
        self.assertIn("Server.SpotInstanceTermination", reply.texts("code"))
        self.assertEqual(self.sim.state()["alive"], [other])
        self.refused(self.sim.call("StopInstances", {"InstanceId.1": self.launch(**SPOT)[0]}),
                     "UnsupportedOperation")

    def test_shutdown_from_inside(self):
        ends = self.launch(InstanceInitiatedShutdownBehavior="terminate")[0]
        stops = self.launch()[0]
        for one in (ends, stops):
            self.sim.sim("shutdown", {"instance": one})
        self.assertEqual(self.states(2, ends), ["shutting-down", "terminated"])
        self.assertEqual(self.states(2, stops), ["stopping", "stopped"])
        self.act("StartInstances", stops)
        self.ok(self.sim.call("ModifyInstanceAttribute", {
            "InstanceId": stops, "InstanceInitiatedShutdownBehavior.Value": "terminate"}))
        self.sim.sim("shutdown", {"instance": stops})
        self.assertEqual(self.sim.state()["alive"], [])

    def test_protection(self):
        one = self.launch(DisableApiTermination="true")[0]
        self.refused(self.sim.call("TerminateInstances", {"InstanceId.1": one}),
                     "OperationNotPermitted")
        self.ok(self.sim.call("ModifyInstanceAttribute", {
            "InstanceId": one, "DisableApiTermination.Value": "false"}))
        self.act("TerminateInstances", one)

    def test_billing(self):
        one = self.launch()[0]
        before = self.sim.state()["billed_seconds"]
        self.sim.sim("advance", {"seconds": 3600})
        self.assertGreaterEqual(self.sim.state()["billed_seconds"], before + 3600)
        self.act("StopInstances", one)
        stopped = self.sim.state()["billed_seconds"]
        self.sim.sim("advance", {"seconds": 3600})
        self.assertEqual(self.sim.state()["billed_seconds"], stopped)
        self.states(3)
        self.act("StartInstances", one)
        self.assertEqual(self.sim.state()["instances"][0]["runs"], 2)

    def test_no_capacity_to_start(self):
        one = self.launch()[0]
        self.act("StopInstances", one)
        self.states(3)
        self.sim.sim("capacity", {"capacity": [{"count": 0}]})
        self.refused(self.sim.call("StartInstances", {"InstanceId.1": one}), CAPACITY, 500)


class Faults(SimCase):
    def arm(self, **fault):
        self.sim.sim("faults", {"faults": [fault], "replace": True})

    def lost(self, *args):
        with self.assertRaises((http.client.RemoteDisconnected, http.client.IncompleteRead,
                                ConnectionResetError)):
            self.sim.run(*args)

    def test_errors_by_place(self):
        self.arm(action="RunInstances", zone="us-east-1a", code=CAPACITY, times=-1)
        for _ in range(2):
            self.refused(self.sim.run(Placement__AvailabilityZone="us-east-1a"), CAPACITY, 500)
        self.assertEqual(self.ok(self.sim.run()).text("availabilityZone"), "us-east-1b")
        self.arm(region="us-east-1", code="RequestLimitExceeded", times=2, skip=1, retry_after=7)
        self.ok(self.sim.call("DescribeVpcs"))
        self.ok(self.sim.call("DescribeVpcs", region="us-west-2"))
        for _ in range(2):
            reply = self.sim.call("DescribeVpcs")
            self.refused(reply, "RequestLimitExceeded", 503)
            self.assertEqual(reply.headers["Retry-After"], "7")
        self.ok(self.sim.call("DescribeVpcs"))

    def test_lost_requests_and_replies(self):
        for how, made in (("drop-before", 0), ("drop-after", 1), ("truncate", 1),
                          ("half-close", 0)):
            with self.subTest(how=how):
                self.sim.sim("reset", {})
                self.arm(action="RunInstances", do=how)
                self.lost("t")
                self.assertEqual(len(self.sim.state()["alive"]), made)
                again = self.launch("t")
                self.assertEqual(self.sim.state()["alive"], again)

    def test_hang_until_the_client_leaves(self):
        self.arm(action="DescribeRegions", do="hang")
        body = b"Action=DescribeRegions&Version=2016-11-15"
        headers = awswire.sign("POST", self.sim.url + "/", {}, body, "testing", "testing",
                               "us-east-1", "ec2")
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port, timeout=0.3)
        connection.request("POST", "/", body, headers)
        with self.assertRaises(TimeoutError):
            connection.getresponse()
        connection.close()
        self.ok(self.sim.call("DescribeRegions"))

    def test_unavailable_is_not_xml_of_aws(self):
        self.arm(action="DescribeRegions", do="unavailable")
        reply = self.sim.call("DescribeRegions")
        self.assertEqual((reply.status, reply.tree), (503, None))

    def test_wrong_scenarios_are_refused(self):
        for what, given in (("scenario", {"regionz": {}}), ("faults", {"faults": [{"do": "melt"}]}),
                            ("faults", {"faults": [{"action": "RunInstances"}]}),
                            ("capacity", {"capacity": [{"type": "x"}]}), ("nothing", {})):
            with self.subTest(what=what, given=given):
                with self.assertRaises(urllib.error.HTTPError) as caught:
                    self.sim.sim(what, given)
                caught.exception.close()

    def test_log_hides_user_data(self):
        self.launch(UserData=encode("secret stuff"))
        log = self.sim.state()["requests"][-1]
        self.assertEqual((log["action"], log["params"]["UserData"]), ("RunInstances", "..."))


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(SimCase):
    """curl's signatures are not ours."""

    def curl(self, secret, *data):
        return subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--aws-sigv4", "aws:amz:us-east-1:ec2", "--user",
             f"testing:{secret}", *data, self.sim.url + "/"], stdin=subprocess.DEVNULL,
            capture_output=True, check=True, text=True).stdout

    def test_signed(self):
        data = ["--data", "Action=DescribeRegions&Version=2016-11-15"]
        self.assertIn("<regionName>us-east-1</regionName>", self.curl("testing", *data))
        self.assertIn("SignatureDoesNotMatch", self.curl("wrong", *data))


@unittest.skipUnless(boto3, "boto3 is not installed")
class Boto(SimCase):
    """boto3 reads our answers, and we read its requests, by the service model of AWS."""

    arguments = ["--specs", SPECS] if SPECS else []

    def client(self, service="ec2", **more):
        return boto3.client(service, endpoint_url=self.sim.url, region_name="us-east-1",
                            aws_access_key_id="testing", aws_secret_access_key="testing",
                            config=botocore.config.Config(retries={"max_attempts": 0}), **more)

    def run_one(self, ec2, **more):
        return ec2.run_instances(ImageId=self.sim.image(), InstanceType="m6i.large", MinCount=1,
                                 MaxCount=1, **more)

    def test_reads(self):
        ec2 = self.client()
        self.assertEqual(len(ec2.describe_regions()["Regions"]), 3)
        self.assertEqual(len(ec2.describe_availability_zones()["AvailabilityZones"]), 3)
        pages = ec2.get_paginator("describe_instance_types").paginate(
            PaginationConfig={"PageSize": 5})
        rows = {t["InstanceType"]: t for p in pages for t in p["InstanceTypes"]}
        self.assertEqual(rows["p5.48xlarge"]["GpuInfo"]["Gpus"][0]["Count"], 8)
        self.assertEqual(rows["m6i.large"]["MemoryInfo"]["SizeInMiB"], 8192)
        offers = ec2.describe_instance_type_offerings(LocationType="availability-zone")
        self.assertGreater(len(offers["InstanceTypeOfferings"]), 40)
        spot = ec2.describe_spot_price_history(InstanceTypes=["g5.xlarge"])["SpotPriceHistory"]
        self.assertEqual({s["AvailabilityZone"] for s in spot}, {"us-east-1a", "us-east-1b"})
        images = ec2.describe_images(Owners=["amazon"], Filters=[
            {"Name": "name", "Values": ["Deep Learning Base OSS * (Ubuntu 22.04) *"]},
            {"Name": "architecture", "Values": ["x86_64"]}])["Images"]
        self.assertEqual([i["State"] for i in images], ["available"])
        self.assertTrue(ec2.describe_vpcs()["Vpcs"][0]["IsDefault"])
        self.assertEqual(len(ec2.describe_subnets()["Subnets"]), 3)
        self.assertEqual(self.client("sts").get_caller_identity()["Account"], "123456789012")
        value = self.client("ssm").get_parameter(
            Name="/aws/service/debian/release/12/latest/amd64")["Parameter"]["Value"]
        self.assertEqual(value, self.sim.image())

    def test_a_whole_life(self):
        ec2 = self.client()
        group = ec2.create_security_group(GroupName="g", Description="d", TagSpecifications=[
            {"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}])["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
             "IpRanges": [{"CidrIp": "192.0.2.1/32"}]},
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}])
        rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        self.assertEqual(rules[1]["UserIdGroupPairs"][0]["GroupId"], group)
        made = self.run_one(
            ec2, ClientToken="t", UserData="#!/bin/sh\n", SecurityGroupIds=[group],
            InstanceInitiatedShutdownBehavior="terminate",
            MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {
                "VolumeSize": 50, "VolumeType": "gp3", "DeleteOnTermination": True}}],
            InstanceMarketOptions={"MarketType": "spot", "SpotOptions": {
                "SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"}},
            TagSpecifications=[{"ResourceType": "instance", "Tags": [
                {"Key": "souk-cluster", "Value": "c"}]}])["Instances"][0]
        self.assertEqual(made["State"]["Name"], "pending")
        ec2.get_waiter("instance_running").wait(InstanceIds=[made["InstanceId"]], WaiterConfig={
            "Delay": 0, "MaxAttempts": 5})
        found = ec2.describe_instances(Filters=[{"Name": "tag:souk-cluster", "Values": ["c"]}])
        found = found["Reservations"][0]["Instances"][0]
        self.assertEqual(found["InstanceLifecycle"], "spot")
        self.assertEqual(found["MetadataOptions"]["HttpTokens"], "required")
        self.assertEqual(found["SecurityGroups"][0]["GroupId"], group)
        self.assertTrue(found["PublicIpAddress"] and found["PrivateIpAddress"])
        ec2.get_console_output(InstanceId=made["InstanceId"])
        ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
        ec2.get_waiter("instance_terminated").wait(InstanceIds=[made["InstanceId"]], WaiterConfig={
            "Delay": 0, "MaxAttempts": 5})
        ec2.delete_security_group(GroupId=group)

    def test_errors(self):
        self.sim.sim("faults", {"faults": [{"action": "RunInstances", "code": CAPACITY}]})
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.run_one(self.client())
        self.assertEqual(caught.exception.response["Error"]["Code"], CAPACITY)
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.client("sts").assume_role(RoleArn="nonsense-nonsense-20", RoleSessionName="ab")
        self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationError")
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.client("ssm").get_parameter(Name="/none")
        self.assertEqual(caught.exception.response["Error"]["Code"], "ParameterNotFound")

    @unittest.skipUnless(SPECS, "SOUK_SPECS is not set")
    def test_what_is_real_but_not_modelled_says_so(self):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.run_one(self.client(), HibernationOptions={"Configured": True})
        self.assertEqual(caught.exception.response["Error"]["Code"], "NotModelled")


if __name__ == "__main__":
    unittest.main()
