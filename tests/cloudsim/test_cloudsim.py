#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_cloudsim.py - all five clouds in one server: faults, capacity, quotas, lifecycle, bills"""

import base64
import functools
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import azureprices
import azureworld
import gcpprices
import lambda_
import runpod
from simclient import HERE, Sim

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA test"


class Client:
    """What all tests do with a cloud: create() gives a status, machines() the ids that are listed."""

    capacity = None         # what an answer says that has no room
    quota = None
    spot = True
    stops = True
    throttled = 429

    def __init__(self, url):
        self.url = url
        self.port = int(url.rpartition(":")[2])

    def sim(self, what, given=None):
        data = None if given is None else json.dumps(given).encode()
        with urllib.request.urlopen(f"{self.url}/_sim/{what}", data=data, timeout=60) as reply:
            return json.loads(reply.read())

    def state(self):
        return self.sim("state")

    def alive(self):
        return self.state()["alive"]

    def send(self, method, path, body=None, headers=None):
        """(status, text); what the connection does wrong is raised."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {**self.headers(), **(headers or {})})
            reply = connection.getresponse()
            self.retry_after = reply.headers.get("Retry-After")
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def prepare(self):
        """What a machine needs before it."""


class Aws(Client):
    region, type, fault = "us-east-1", "m6i.large", "InsufficientInstanceCapacity"
    capacity, quota, throttled = "InsufficientInstanceCapacity", "VcpuLimitExceeded", 503

    def __init__(self, url):
        super().__init__(url)
        self.signed = Sim.__new__(Sim)
        self.signed.port, self.signed.url = self.port, url

    def prepare(self):
        self.image = self.signed.image()

    def create(self, name, spot=False, token=None):
        given = {"ImageId": self.image, "InstanceType": self.type, "MinCount": 1, "MaxCount": 1,
                 "TagSpecification.1.ResourceType": "instance",
                 "TagSpecification.1.Tag.1.Key": "souk-token",
                 "TagSpecification.1.Tag.1.Value": name}
        if spot:
            given["InstanceMarketOptions.MarketType"] = "spot"
        if token:
            given["ClientToken"] = token
        return self._call("RunInstances", given)

    def _call(self, action, given):
        reply = self.signed.call(action, given)
        self.retry_after = reply.headers.get("Retry-After")
        return reply.status, reply.body.decode()

    def machines(self):
        reply = self.signed.describe()
        states = re.findall(r"<instanceState>.*?<name>(.*?)</name>", reply.body.decode(), re.S)
        return [one for one, state in zip(reply.texts("instanceId"), states)
                if state != "terminated"]

    def stop(self, identity):
        return self._call("StopInstances", {"InstanceId.1": identity})

    def start(self, identity):
        return self._call("StartInstances", {"InstanceId.1": identity})

    def delete(self, identity):
        return self._call("TerminateInstances", {"InstanceId.1": identity})


class Gcp(Client):
    region, zone, type = "us-central1", "us-central1-a", "e2-standard-2"
    fault = capacity = "ZONE_RESOURCE_POOL_EXHAUSTED"
    quota, throttled = "QUOTA_EXCEEDED", 429
    access = None

    def headers(self):
        if not self.access:
            form = urllib.parse.urlencode(dict(gcpprices.USER, grant_type="refresh_token"))
            with urllib.request.urlopen(f"{self.url}/token", form.encode(), 60) as reply:
                self.access = json.loads(reply.read())["access_token"]
        return {"Authorization": f"Bearer {self.access}", "Content-Type": "application/json"}

    def path(self, rest):
        return f"/compute/v1/projects/{gcpprices.PROJECT}/{rest}"

    def wait(self, answer):
        """The operation's end; what it says counts as the answer."""
        status, text = answer
        if status != 200:
            return answer
        name = json.loads(text)["name"]
        status, text = self.send("POST", self.path(f"zones/{self.zone}/operations/{name}/wait"))
        done = json.loads(text)
        return (done.get("httpErrorStatusCode", status), text)

    def create(self, name, spot=False, token=None):
        zone = self.zone
        disk = {"sourceImage": "projects/debian-cloud/global/images/debian-12-bookworm-v20261015",
                "diskType": f"zones/{zone}/diskTypes/pd-balanced", "diskSizeGb": "10"}
        body = {"name": name, "machineType": f"zones/{zone}/machineTypes/{self.type}",
                "disks": [{"boot": True, "autoDelete": True, "initializeParams": disk}],
                "networkInterfaces": [{"network": "global/networks/default"}],
                "labels": {"souk-token": name},
                "scheduling": {"provisioningModel": "SPOT" if spot else "STANDARD",
                               "automaticRestart": not spot, "onHostMaintenance": "TERMINATE"}}
        if spot:
            body["scheduling"]["instanceTerminationAction"] = "DELETE"
        token = token or f"00000000-0000-4000-8000-{abs(hash(name)) % 16 ** 12:012x}"
        return self.wait(self.send("POST", self.path(f"zones/{zone}/instances?requestId={token}"),
                                   body))

    def machines(self):
        _, text = self.send("GET", self.path("aggregated/instances"))
        return [f"{place[6:]}/{row['name']}" for place, rows in json.loads(text)["items"].items()
                for row in rows.get("instances", [])]

    def _act(self, method, identity, verb=""):
        name = identity.rpartition("/")[2]
        return self.wait(self.send(method, self.path(f"zones/{self.zone}/instances/{name}{verb}")))

    def stop(self, identity):
        return self._act("POST", identity, "/stop")

    def start(self, identity):
        return self._act("POST", identity, "/start")

    def delete(self, identity):
        return self._act("DELETE", identity)


class Azure(Client):
    region, type, fault = "eastus", "Standard_D2s_v5", "SkuNotAvailable"
    capacity, quota = "SkuNotAvailable", "OperationNotAllowed"
    access = None
    group = f"/subscriptions/{azureworld.SUBSCRIPTION}/resourceGroups/g"

    def headers(self):
        if not self.access:
            form = urllib.parse.urlencode({
                "grant_type": "client_credentials", "client_id": azureprices.CLIENT,
                "client_secret": azureprices.SECRET,
                "scope": "https://management.azure.com/.default"})
            url = f"{self.url}/{azureworld.TENANT}/oauth2/v2.0/token"
            with urllib.request.urlopen(url, form.encode(), 60) as reply:
                self.access = json.loads(reply.read())["access_token"]
        return {"Authorization": f"Bearer {self.access}", "Content-Type": "application/json"}

    def prepare(self):
        self.send("PUT", f"{self.group}?api-version=2024-11-01", {"location": self.region})
        self.send("PUT", self.group + "/providers/Microsoft.Network/virtualNetworks/v?api-version="
                  "2024-05-01", {"location": self.region, "properties": {
                      "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                      "subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]}})

    def machine(self, name, verb=""):
        return (f"{self.group}/providers/Microsoft.Compute/virtualMachines/{name}{verb}"
                "?api-version=2024-07-01")

    def create(self, name, spot=False, token=None):
        subnet = self.group + "/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
        image = {"publisher": "Canonical", "offer": "o", "sku": "s", "version": "latest"}
        configuration = {"name": "c", "properties": {"subnet": {"id": subnet}}}
        interface = {"name": "n", "properties": {"primary": True,
                                                 "ipConfigurations": [configuration]}}
        properties = {
            "hardwareProfile": {"vmSize": self.type},
            "storageProfile": {"imageReference": image, "osDisk": {"createOption": "FromImage"}},
            "osProfile": {"computerName": name, "adminUsername": "u",
                          "customData": base64.b64encode(b"#cloud-config\n").decode(),
                          "linuxConfiguration": {"ssh": {"publicKeys": [
                              {"path": "/home/u/.ssh/authorized_keys", "keyData": KEY}]}}},
            "networkProfile": {"networkApiVersion": "2022-11-01",
                               "networkInterfaceConfigurations": [interface]}}
        if spot:
            properties.update(priority="Spot", evictionPolicy="Delete")
        more = {"If-None-Match": "*"} if token else None
        return self.send("PUT", self.machine(name), {
            "location": self.region, "tags": {"souk-token": name}, "properties": properties}, more)

    def machines(self):
        _, text = self.send("GET", f"/subscriptions/{azureworld.SUBSCRIPTION}/providers/"
                            "Microsoft.Compute/virtualMachines?api-version=2024-07-01")
        return [row["id"].lower() for row in json.loads(text)["value"]]

    def stop(self, identity):
        return self.send("POST", self.machine(identity.rpartition("/")[2], "/deallocate"))

    def start(self, identity):
        return self.send("POST", self.machine(identity.rpartition("/")[2], "/start"))

    def delete(self, identity):
        return self.send("DELETE", self.machine(identity.rpartition("/")[2]))


class Runpod(Client):
    region, type, fault = "US-TX-3", "NVIDIA L40S", "Conflict"
    capacity, quota, spot = "no longer any instances", "balance", False

    def headers(self):
        return {"Authorization": f"Bearer {runpod.KEY}", "Content-Type": "application/json"}

    def create(self, name, spot=False, token=None):
        return self.send("POST", "/v2/pods", {"name": f"souk-c-{name}", "image": "i",
                                              "gpu": {"id": self.type, "count": 1}})

    def machines(self):
        return [row["id"] for row in json.loads(self.send("GET", "/v2/pods")[1])["pods"]]

    def stop(self, identity):
        return self.send("POST", f"/v2/pods/{identity}/action", {"action": "stop"})

    def start(self, identity):
        return self.send("POST", f"/v2/pods/{identity}/action", {"action": "start"})

    def delete(self, identity):
        return self.send("DELETE", f"/v2/pods/{identity}")


class Lambda(Client):
    region, type = "us-east-1", "gpu_1x_a10"
    fault = capacity = "instance-operations/launch/insufficient-capacity"
    quota, spot, stops = "global/quota-exceeded", False, False

    def headers(self):
        return {"Authorization": f"Bearer {lambda_.KEY}", "Content-Type": "application/json"}

    def prepare(self):
        self.send("POST", "/api/v1/ssh-keys", {"name": "k", "public_key": KEY})

    def create(self, name, spot=False, token=None):
        return self.send("POST", "/api/v1/instance-operations/launch", {
            "region_name": self.region, "instance_type_name": self.type, "ssh_key_names": ["k"],
            "tags": [{"key": "souk-token", "value": name}]})

    def machines(self):
        return [row["id"] for row in json.loads(self.send("GET", "/api/v1/instances")[1])["data"]]

    def delete(self, identity):
        return self.send("POST", "/api/v1/instance-operations/terminate",
                         {"instance_ids": [identity]})


CLIENTS = {"aws": Aws, "gcp": Gcp, "azure": Azure, "runpod": Runpod, "lambda": Lambda}


class Server:
    """cloudsim.py as a process."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "cloudsim.py"), *args], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=dict(os.environ, SOUK_SPECS=""))
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("cloudsim.py did not start")
        self.urls = json.loads(line)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        self.process.stdout.close()
        return status


def each(scenario=None, only=lambda client: True):
    """A test that is done with every cloud (that 'only' holds of), with a new account each time."""
    def wrap(function):
        @functools.wraps(function)
        def test(self):
            for name, client in self.clients.items():
                if only(client):
                    with self.subTest(cloud=name):
                        client.sim("scenario", {"clock": "manual", **(scenario or {})})
                        client.prepare()
                        function(self, client)
        return test
    return wrap


class CloudCase(unittest.TestCase):
    """One server for the class."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.clients = {name: CLIENTS[name](url) for name, url in cls.server.urls.items()}

    @classmethod
    def tearDownClass(cls):
        if cls.server.stop():
            raise AssertionError("cloudsim.py ended with an error")

    def made(self, answer):
        self.assertIn(answer[0], (200, 201, 202), answer[1])

    def arm(self, client, **fault):
        client.sim("faults", {"faults": [{"action": "create", **fault}], "replace": True})


class Machines(CloudCase):
    """Rooms, quotas, lives and bills."""

    @each()
    def test_a_whole_life(self, client):
        self.made(client.create("t1"))
        identity, = client.machines()
        row, = client.state()["instances"]
        self.assertEqual((row["id"], row["token"], row["region"], row["type"], row["market"],
                          row["runs"]), (identity, "t1", row["region"], client.type,
                                         "on-demand", 1))
        self.assertEqual(client.alive(), [identity])
        self.assertLess(client.delete(identity)[0], 300)
        self.assertEqual(client.alive(), [])
        for _ in range(3):
            left = client.machines()
        self.assertEqual(left, [])
        self.assertEqual([row["token"] for row in client.state()["ever"]], ["t1"])

    @each()
    def test_bills_are_what_the_clock_says(self, client):
        self.made(client.create("t1"))
        client.sim("advance", {"seconds": 3600})
        for _ in range(3):
            identity, = client.machines()
        self.assertEqual(client.state()["billed_seconds"], 3600)
        if client.stops:
            self.assertLess(client.stop(identity)[0], 300)
            client.sim("advance", {"seconds": 7200})
            self.assertEqual(client.state()["billed_seconds"], 3600)
            self.assertEqual(client.alive(), [identity])
            for _ in range(3):
                client.machines()
            self.assertLess(client.start(identity)[0], 300)
            client.sim("advance", {"seconds": 60})
            self.assertEqual(client.state()["billed_seconds"], 3660)
        billed = client.state()["billed_seconds"]
        client.delete(identity)
        client.sim("advance", {"seconds": 3600})
        self.assertEqual(client.state()["billed_seconds"], billed)
        self.assertEqual(client.state()["ever"][0]["billed"], billed)

    @each({"capacity": [{"type": "*", "count": 1}]})
    def test_capacity_ends_and_comes_back(self, client):
        self.made(client.create("t1"))
        status, text = client.create("t2")
        self.assertGreaterEqual(status, 400)
        self.assertIn(client.capacity, text)
        client.delete(client.machines()[0])
        self.made(client.create("t3"))
        client.sim("capacity", {"capacity": []})
        self.made(client.create("t4"))
        self.assertEqual(len(client.alive()), 2)

    @each({"capacity": [{"type": "other*", "count": 0},
          {"region": "nowhere", "count": 0},
          {"market": "spot", "count": 0}]})
    def test_capacity_of_another_kind_is_no_matter(self, client):
        self.made(client.create("t1"))

    @each({"quotas": [{"count": 1}]})
    def test_quota(self, client):
        self.made(client.create("t1"))
        status, text = client.create("t2")
        self.assertGreaterEqual(status, 400)
        self.assertIn(client.quota, text)
        client.sim("quotas", {"quotas": []})
        self.made(client.create("t3"))

    @each({"lifecycle": {"visible_after": 2}})
    def test_a_new_machine_is_not_found_at_once(self, client):
        self.made(client.create("t1"))
        self.assertEqual(len(client.alive()), 1)
        seen = [len(client.machines()) for _ in range(4)]
        self.assertEqual((seen[0], seen[3], sorted(seen)), (0, 1, seen))

    @each()
    def test_a_lost_reply_has_been_done(self, client):
        client.sim("faults", {"faults": [{"action": "create", "do": "drop-after"}]})
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            client.create("t1")
        self.assertEqual([row["token"] for row in client.state()["ever"]], ["t1"])

    @each(only=lambda c: isinstance(c, (Aws, Gcp, Azure)))
    def test_the_same_again_is_one_machine(self, client):
        token = "00000000-0000-4000-8000-00000000000a"
        self.made(client.create("t1", token=token))
        again = client.create("t1", token=token)
        self.assertEqual(again[0], 412 if isinstance(client, Azure) else 200)
        self.assertEqual(len(client.state()["ever"]), 1)

    @each(only=lambda c: c.spot)
    def test_preemption(self, client):
        self.made(client.create("t1", spot=True))
        self.made(client.create("t2"))
        row = next(r for r in client.state()["instances"] if r["market"] == "spot")
        client.sim("advance", {"seconds": 100})
        client.sim("preempt", {"instance": row["id"]})
        client.sim("advance", {"seconds": 100})
        self.assertEqual(sorted(r["billed"] for r in client.state()["ever"]), [100, 200])
        self.assertNotIn(row["id"], client.alive())
        with self.assertRaises(urllib.error.HTTPError):
            client.sim("preempt", {"tag": "souk-token=nobody"})

    @each()
    def test_only_spot_machines_are_preempted(self, client):
        self.made(client.create("t1"))
        with self.assertRaises(urllib.error.HTTPError):
            client.sim("preempt", {"instance": client.alive()[0]})
        self.assertEqual(len(client.alive()), 1)


class Faults(CloudCase):
    """The same faults mean the same for every cloud."""

    @each()
    def test_error(self, client):
        self.arm(client, code=client.fault, message="not today")
        status, text = client.create("t1")
        self.assertGreaterEqual(status, 400)
        self.assertIn("not today", text)
        self.assertEqual(client.state()["ever"], [])
        self.made(client.create("t2"))

    @each()
    def test_error_by_type(self, client):
        self.arm(client, code=client.fault, message="not this one", type=client.type, times=-1)
        self.assertIn("not this one", client.create("t1")[1])
        self.assertIn("not this one", client.create("t2")[1])
        self.arm(client, code=client.fault, type="other*", times=-1)
        self.made(client.create("t3"))
        self.assertEqual(len(client.alive()), 1)

    @each()
    def test_skip_and_times(self, client):
        self.arm(client, code=client.fault, message="not today", skip=1, times=2)
        found = ["not today" in client.create(f"t{n}")[1] for n in range(4)]
        self.assertEqual(found, [False, True, True, False])

    @each()
    def test_unavailable(self, client):
        self.arm(client, do="unavailable", retry_after=7)
        status, text = client.create("t1")
        self.assertEqual((status, text[:6], client.retry_after), (503, "<html>", "7"))
        self.assertEqual(client.state()["ever"], [])

    @each()
    def test_connections_that_end(self, client):
        for n, (how, done) in enumerate((("drop-before", 0), ("drop-after", 1),
                                         ("truncate", 2))):
            self.arm(client, do=how)
            with self.assertRaises((http.client.HTTPException, ConnectionError), msg=how):
                client.create(f"t{n}")
            self.assertEqual(len(client.state()["ever"]), done, how)
            self.assertEqual(client.state()["requests"][-1]["fault"], how)

    @each(only=lambda c: isinstance(c, (Runpod, Lambda)))
    def test_half_close_and_hang(self, client):
        for how in ("half-close", "hang"):
            self.arm(client, do=how, action="list")
            path = "/v2/pods" if isinstance(client, Runpod) else "/api/v1/instances"
            with socket.create_connection(("127.0.0.1", client.port), 60) as sock:
                heads = "".join(f"{k}: {v}\r\n" for k, v in client.headers().items())
                sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{heads}\r\n".encode())
                if how == "half-close":
                    self.assertEqual(sock.recv(100), b"")
                sock.shutdown(socket.SHUT_WR)
                self.assertEqual(sock.recv(100), b"")

    @each()
    def test_garbage(self, client):
        client.sim("faults", {"faults": [{"action": "create", "do": "garbage"}]})
        try:
            status, text = client.create("t1")
            self.assertEqual((status, text[-4:]), (200, "<<{["))
        except ValueError:          # of a client that reads the answer as JSON
            pass
        except SyntaxError:         # and of one that reads it as XML
            pass
        self.assertEqual(len(client.state()["ever"]), 1)

    @each()
    def test_delay(self, client):
        self.arm(client, do="delay", ms=20)
        self.made(client.create("t1"))
        found = [r["fault"] for r in client.state()["requests"] if "fault" in r]
        self.assertEqual(found, ["delay"])

    @each()
    def test_rate_limit(self, client):
        client.machines()           # it has its token now
        limit = {"rate_limit": {"requests": 2, "seconds": 1000}}
        client.sim("scenario", limit)
        for _ in range(2):
            client.machines()
        status, _ = client.delete("i-00000000000000000")
        self.assertEqual(status, client.throttled)
        if client.throttled == 429:
            self.assertGreater(int(client.retry_after), 900)

    @each(only=lambda c: not isinstance(c, Aws))
    def test_faults_by_path(self, client):
        client.sim("faults", [{"path": "no/such/path", "do": "unavailable", "times": -1}])
        self.made(client.create("t1"))


class Scenarios(unittest.TestCase):
    def test_of_all_clouds(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "scenario.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"clock": "manual", "lambda": {"quotas": [{"count": 0}]}}, file)
            server = Server("--clouds", "runpod,lambda", "--scenario", path)
            try:
                self.assertEqual(sorted(server.urls), ["lambda", "runpod"])
                client = Lambda(server.urls["lambda"])
                client.prepare()
                self.assertIn(client.quota, client.create("t")[1])
                client = Runpod(server.urls["runpod"])
                self.assertEqual(client.create("t")[0], 201)
            finally:
                self.assertEqual(server.stop(), 0)

    def test_wrong_ones_are_refused(self):
        for given in ({"acme": {}}, {"aws": {"regionz": {}}}, {"clock": "cuckoo"},
                      {"gcp": {"quotas": [{"type": "x"}]}}, {"azure": {"capacity": [{}]}},
                      {"lambda": {"faults": [{"do": "melt"}]}},
                      {"runpod": {"faults": [{"do": "delay"}]}},
                      {"gcp": {"rate_limit": {"n": 1}}}, {"aws": {"lifecycle": {"soon": 1}}}):
            with self.subTest(given=given), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "scenario.json")
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(given, file)
                done = subprocess.run(
                    [sys.executable, "-B", os.path.join(HERE, "cloudsim.py"), "--scenario", path],
                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                    check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.stdout, "")
                self.assertRegex(done.stderr, "ValueError: (scenario|fault)")


if __name__ == "__main__":
    unittest.main()
