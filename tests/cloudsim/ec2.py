#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ec2.py - an EC2, STS, SSM and price list server that remembers, for tests on loopback"""

import json
import math
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True

import awsother
import awswire
import contract
import ec2params
import simserver
from awswire import AwsError
from ec2instances import InstanceCalls
from ec2world import World, fault_error

EC2_VERSIONS = ("2016-11-15",)
STS_VERSIONS = ("2011-06-15",)
SECRET_PARAMS = ("UserData", "PublicKeyMaterial")


class Request(simserver.Request):
    """One call on its way through the server."""

    def __init__(self, handler, body):
        super().__init__(handler, body)
        self.auth = awswire.Authorization.parse(self.headers.get("authorization"))
        self.service = self.auth.service if self.auth else "ec2"
        self.region = self.auth.region if self.auth else ""
        self.action = ""
        self.params = {}
        target = self.headers.get("x-amz-target", "")
        if target:
            prefix, _, self.action = target.rpartition(".")
            self.service = awsother.TARGETS.get(prefix, self.service)
        self.who = None

    def read_params(self):
        """Find out what is asked; the action is known first, so that faults can name it."""
        if self.service in ("ssm", "pricing", "servicequotas"):
            try:
                self.params = json.loads(self.body or b"{}")
            except ValueError:
                raise AwsError("SerializationException", "the body is not JSON") from None
            if not isinstance(self.params, dict):
                raise AwsError("SerializationException", "the body is not an object")
            return
        text = self.body.decode("utf-8", "replace") if self.method == "POST" else self.query
        self.action = dict(urllib.parse.parse_qsl(text)).get("Action", "")
        self.params = awswire.parse_form(text)

    def about(self):
        """The region that a request is about: of prices it is not the one that is asked."""
        return (awsother.price_region(self.params) if self.service == "pricing" else None
                ) or self.region


class Cloud(simserver.Cloud):
    """Answers requests: signature, parameters, faults, action."""

    name = "AmazonEC2"

    def __init__(self, world, model=None):
        super().__init__(world)
        self.model = model
        self.calls = InstanceCalls(world)

    def request(self, handler, body):
        return Request(handler, body)

    def read(self, req):
        req.note["service"] = req.service
        try:
            req.read_params()
        finally:
            req.note.update(about=req.about(), params={
                k: "..." if k in SECRET_PARAMS else v for k, v in req.params.items()})

    # ---- who is asking

    def _credential(self, key_id):
        for row in self.world.scenario["credentials"]:
            if row["access_key"] == key_id:
                return row
        return self.world.sessions.get(key_id)

    def authenticate(self, req):
        service = req.service
        if req.auth is None:
            code = {"ec2": "AuthFailure"}.get(service, "MissingAuthenticationToken")
            raise AwsError(code, "Request is missing Authentication Token", 401
                           if service == "ec2" else 403)
        if req.auth.service != service:
            raise self._refusal(service, "signature",
                                f"Credential should be scoped to correct service: '{service}'.")
        who = self._credential(req.auth.key_id)
        token = req.headers.get("x-amz-security-token")
        if who is None or (who.get("token") or None) != token:
            raise self._refusal(service, "unknown", "AWS was not able to validate the provided "
                                "access credentials" if service == "ec2" else
                                "The security token included in the request is invalid.")
        why = awswire.check_signature(req.auth, who["secret"], req.method, req.path, req.query,
                                      req.headers, req.body, time.time())
        if why:
            raise self._refusal(service, why, {
                "signature": "The request signature we calculated does not match the signature you "
                             "provided. Check your AWS Secret Access Key and signing method.",
                "body": "The body does not have the hash that x-amz-content-sha256 says.",
                "expired": "The time stamp of the request is more than five minutes off.",
                "incomplete": "The headers host and x-amz-* must be signed, in order, and "
                              "x-amz-date must agree with the credential's date."}[why])
        if who.get("expires", math.inf) < self.world.now():
            raise self._refusal(service, "stale", "The security token included in the request is "
                                "expired")
        req.who = who
        self._check_region(req)

    @staticmethod
    def _refusal(service, why, message):
        """Each service has its own words for the same refusal."""
        names = {
            "unknown": (("AuthFailure", 401), ("InvalidClientTokenId", 403),
                        ("UnrecognizedClientException", 400)),
            "signature": (("SignatureDoesNotMatch", 403), ("SignatureDoesNotMatch", 403),
                          ("InvalidSignatureException", 400)),
            "expired": (("RequestExpired", 400), ("SignatureDoesNotMatch", 403),
                        ("InvalidSignatureException", 400)),
            "stale": (("RequestExpired", 400), ("ExpiredToken", 403),
                      ("ExpiredTokenException", 400)),
            "incomplete": (("IncompleteSignature", 400), ("IncompleteSignature", 400),
                           ("IncompleteSignatureException", 400)),
        }
        names["body"] = names["signature"]
        column = {"ec2": 0, "sts": 1}.get(service, 2)
        code, status = names[why][column]
        return AwsError(code, message, status)

    def _check_region(self, req):
        row = self.world.scenario["regions"].get(req.region)
        if req.service in ("sts", "pricing"):
            return
        if row is None:
            raise AwsError("AuthFailure", f"Credential should be scoped to a valid region, not "
                           f"'{req.region}'", 401)
        if row["opt_in"] == "not-opted-in":
            raise AwsError("OptInRequired",
                           f"You are not subscribed to region '{req.region}'.", 403)

    # ---- what is asked

    def _check_version(self, req):
        known = EC2_VERSIONS if req.service == "ec2" else STS_VERSIONS
        version = req.params.get("Version")
        table = ec2params.EC2 if req.service == "ec2" else ec2params.STS
        if not req.action:
            raise AwsError("MissingAction", "The request must contain an action")
        if version not in known or req.action not in table:
            raise AwsError("InvalidAction", f"The action {req.action} is not valid for version "
                           f"{version} of this web service.")
        if self.model:
            self.model.refuse_unmodelled(req.service, req.action, req.params)
        ec2params.check(table, req.action, req.params)

    def perform(self, req):
        """The answer to a request that is good."""
        rid = self.request_id(req)
        if req.service == "ec2":
            self._check_version(req)
            dry = req.params.get("DryRun", "false").lower() == "true"
            if dry and req.action != "RunInstances":
                raise AwsError("DryRunOperation",
                               "Request would have succeeded, but DryRun flag is set.", 412)
            value = getattr(self.calls, req.action)(req.region, req.params)
            return 200, "text/xml;charset=UTF-8", {}, awswire.ec2_answer(req.action, rid, value)
        if req.service == "sts":
            self._check_version(req)
            value = awsother.STS_CALLS[req.action](self.world, req.who, req.params)
            return 200, "text/xml", {}, awswire.sts_answer(req.action, rid, value)
        call = awsother.JSON_CALLS.get((req.service, req.action))
        if call is None:
            raise AwsError("UnknownOperationException", f"{req.service} has no '{req.action}' here")
        takes, needs = ec2params.JSON[req.service, req.action]
        for name in req.params:
            if name not in takes.split():
                raise AwsError("SerializationException", f"unknown member '{name}'")
        for name in needs.split():
            if name not in req.params:
                raise AwsError("ValidationException", f"member '{name}' must not be null")
        value = call(self.world, req.region, req.params)
        return 200, "application/x-amz-json-1.1", {}, json.dumps(value).encode()

    def error(self, req, error):
        rid = self.request_id(req)
        if req.service == "sts":
            return "text/xml", awswire.sts_error(error, rid)
        if req.service in ("ssm", "pricing", "servicequotas"):
            return "application/x-amz-json-1.1", json.dumps(
                {"__type": error.code, "message": error.message}).encode()
        return "text/xml;charset=UTF-8", awswire.ec2_error(error, rid)

    def request_id(self, req):
        return f"5a6b0000-0000-4000-8000-{req.number:012x}"

    def fault_error(self, fault):
        return fault_error(fault)

    def throttled(self, seconds):
        return AwsError("RequestLimitExceeded", "Request limit exceeded.", 503)


class Control(simserver.Control):
    """What is asked of this cloud only."""

    def do_expire_price_tokens(self, given):
        """Pages of the price list that are under way cannot be gone on with."""
        self.world.price_tokens += 1


def make_cloud(args, scenario, machines):
    model = ec2params.Model(args.specs) if args.specs else None
    if model and model.strangers():
        raise ValueError("ec2: parameters that the service model does not have: "
                         + ", ".join(model.strangers()))
    cloud = Cloud(World(scenario, machines), model)
    if args.specs:
        cloud.contract = contract.contract_of("aws", args.specs)
    return cloud


if __name__ == "__main__":
    simserver.main(simserver.arguments("A simulated EC2 on 127.0.0.1.").parse_args(), make_cloud,
                   Control)
