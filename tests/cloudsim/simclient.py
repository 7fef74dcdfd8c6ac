# SPDX-License-Identifier: Apache-2.0
"""simclient.py - starts a simulated cloud and talks to it, for the tests of the simulator itself"""

import base64
import http.client
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import awswire

HERE = os.path.dirname(os.path.abspath(__file__))


class Reply:
    """What came back: status, error code ('' if none), XML tree or JSON."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.tree = self.json = None
        if body[:1] == b"<" and b"<html" not in body[:64]:
            self.tree = xml.etree.ElementTree.fromstring(body)
        elif body[:1] == b"{":
            self.json = json.loads(body)
        self.code = (self.text("Code") if self.tree is not None
                     else (self.json or {}).get("__type", "")) or ""

    def texts(self, name):
        return [e.text or "" for e in self.tree.iterfind(f".//{{*}}{name}")]

    def text(self, name):
        found = self.texts(name)
        return found[0] if found else None


class Sim:
    """A server process."""

    def __init__(self, *args, program="ec2.py", env=None):
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, program), *args], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=dict(os.environ, SOUK_SPECS="", **(env or {})))
        match = re.fullmatch(r"listening (\d+)\n", self.process.stdout.readline())
        if not match:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{program} did not start")
        self.port = int(match.group(1))
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        self.process.stdout.close()
        return status

    def sim(self, what, given=None):
        """GET (given None) or POST /_sim/WHAT."""
        data = None if given is None else json.dumps(given).encode()
        request = urllib.request.Request(f"{self.url}/_sim/{what}", data=data)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())

    def state(self):
        return self.sim("state")

    def send(self, body, headers, service, region, key, secret, token=None, now=None,
             tamper=None):
        signed = awswire.sign("POST", self.url + "/", headers, body, key, secret, region, service,
                              token, now)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/", body if tamper is None else tamper, signed)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def call(self, action, params=None, region="us-east-1", service="ec2", key="testing",
             secret="testing", **more):
        version = {"ec2": "2016-11-15", "sts": "2011-06-15"}[service]
        body = urllib.parse.urlencode(dict(params or {}, Action=action, Version=version)).encode()
        return self.send(body, {"Content-Type": "application/x-www-form-urlencoded"}, service,
                         region, key, secret, **more)

    def json_call(self, target, given, region="us-east-1", service="ssm", key="testing",
                  secret="testing"):
        return self.send(json.dumps(given).encode(), {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}, service, region,
            key, secret)

    def image(self, arch="amd64", region="us-east-1"):
        return self.json_call("AmazonSSM.GetParameter", {
            "Name": f"/aws/service/debian/release/12/latest/{arch}"},
            region).json["Parameter"]["Value"]

    def run(self, token=None, count=1, region="us-east-1", type_name="m6i.large", **more):
        params = {"ImageId": self.image(region=region), "InstanceType": type_name,
                  "MinCount": count, "MaxCount": count}
        if token:
            params["ClientToken"] = token
        params.update({k.replace("__", "."): v for k, v in more.items()})
        return self.call("RunInstances", params, region)

    def describe(self, *ids, **more):
        params = {f"InstanceId.{n}": one for n, one in enumerate(ids, 1)}
        params.update({k.replace("__", "."): v for k, v in more.items()})
        return self.call("DescribeInstances", params)


def encode(text):
    return base64.b64encode(text.encode()).decode()
