#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""azurecloud.py - a small Azure on loopback that rents machines, which are real (machine.py)

To the lists of azureprices.py it adds what a launch needs of Resource Manager: resource groups, network
security groups, virtual networks, virtual machines with the interfaces and addresses that they bring, and
what becomes of them. Members that Azure does not have are refused. GET /_state tells what there is.

--sold-out SIZE/REGION/ZONE[/later] (patterns) refuses a machine with SkuNotAvailable, or lets it fail
with (Zonal)AllocationFailed after it was accepted. --quota REGION says that the region has none left.
"""
import base64
import fnmatch
import os
import re
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import azureprices  # noqa: E402
import azureworld as world  # noqa: E402
import machine  # noqa: E402
from azureprices import answer, refuse, sim  # noqa: E402

COMPUTE, NETWORK, RESOURCES = "2024-07-01", "2024-05-01", "2024-11-01"

sim.options.add_argument("--ssh-port", type=int)
sim.options.add_argument("--sold-out", action="append", default=[])
sim.options.add_argument("--quota", action="append", default=[])

# path in lower case: what was PUT, with what we add
things = {}
created = []    # the paths of all machines that there ever were
machines = None

# What a VM may have, as far as souk could use it: a set of members, or None for anything.
TEXT = None
VM = {
    "location": TEXT, "tags": TEXT, "zones": TEXT, "identity": TEXT, "plan": TEXT,
    "properties": {
        "hardwareProfile": {"vmSize": TEXT},
        "storageProfile": {
            "imageReference": {"publisher": TEXT, "offer": TEXT, "sku": TEXT, "version": TEXT, "id": TEXT},
            "osDisk": {"createOption": TEXT, "diskSizeGB": TEXT, "deleteOption": TEXT, "name": TEXT,
                       "caching": TEXT, "osType": TEXT, "managedDisk": {"storageAccountType": TEXT}}},
        "osProfile": {
            "computerName": TEXT, "adminUsername": TEXT, "customData": TEXT,
            "linuxConfiguration": {"disablePasswordAuthentication": TEXT,
                                   "ssh": {"publicKeys": [{"path": TEXT, "keyData": TEXT}]}}},
        "networkProfile": {
            "networkApiVersion": TEXT,
            "networkInterfaceConfigurations": [{
                "name": TEXT,
                "properties": {
                    "primary": TEXT, "deleteOption": TEXT, "networkSecurityGroup": {"id": TEXT},
                    "ipConfigurations": [{
                        "name": TEXT,
                        "properties": {
                            "primary": TEXT, "subnet": {"id": TEXT},
                            "publicIPAddressConfiguration": {
                                "name": TEXT, "sku": {"name": TEXT},
                                "properties": {"deleteOption": TEXT,
                                               "publicIPAllocationMethod": TEXT}}}}]}}]},
        "priority": TEXT, "evictionPolicy": TEXT, "billingProfile": {"maxPrice": TEXT},
        "userData": TEXT, "securityProfile": TEXT, "diagnosticsProfile": TEXT,
    },
}
RULE = {"name": TEXT, "properties": {
    "priority": TEXT, "direction": TEXT, "access": TEXT, "protocol": TEXT, "sourceAddressPrefix": TEXT,
    "sourceAddressPrefixes": TEXT, "sourcePortRange": TEXT, "destinationAddressPrefix": TEXT,
    "destinationPortRange": TEXT, "destinationPortRanges": TEXT, "description": TEXT}}
NSG = {"location": TEXT, "tags": TEXT, "properties": {"securityRules": [RULE]}}
VNET = {"location": TEXT, "tags": TEXT, "properties": {
    "addressSpace": {"addressPrefixes": TEXT},
    "subnets": [{"name": TEXT, "properties": {"addressPrefix": TEXT, "networkSecurityGroup": {"id": TEXT}}}]}}
GROUP = {"location": TEXT, "tags": TEXT}


def unknown(value, shape, where="the request"):
    """The first member that the shape does not have; None: it fits."""
    if shape is None:
        return None
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is not a list"
        return next(filter(None, (unknown(v, shape[0], where) for v in value)), None)
    if not isinstance(value, dict):
        return f"{where} is not an object"
    for name, inside in value.items():
        if name not in shape:
            return f"Could not find member '{name}' on {where}"
        wrong = unknown(inside, shape[name], name)
        if wrong:
            return wrong
    return None


class Fault(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.answer = refuse(status, code, message)


def parse(request, shape):
    try:
        body = request.json()
    except ValueError:
        raise Fault(400, "InvalidRequestContent", "The request content was invalid.") from None
    wrong = unknown(body, shape)
    if wrong:
        raise Fault(400, "InvalidRequestContent", wrong)
    return body


def group_of(path):
    return path.split("/providers/")[0]


def need_group(path):
    if group_of(path) not in things:
        raise Fault(404, "ResourceGroupNotFound", "The resource group could not be found.")


def guarded(version, extra=()):
    """A route's function behind the checks that every request passes."""
    def wrap(function):
        def serve(request):
            wrong = azureprices.refused(request, version, extra)
            if wrong or request.match.group(1) != world.SUBSCRIPTION:
                return wrong or azureprices.not_ours(request)
            try:
                with lock:
                    return function(request, request.path.lower())
            except Fault as fault:
                return fault.answer
        return serve
    return wrap


lock = threading.Lock()


def route(method, pattern, version, extra=()):
    def add(function):
        return sim.route(method, r"(?i:/subscriptions/([^/]+)" + pattern + ")")(
            guarded(version, extra)(function))
    return add


INSIDE = r"/resourceGroups/([^/]+)/providers/"


def shown(path):
    thing = things[path]
    return {"id": thing["id"], "name": thing["id"].rsplit("/", 1)[1], **thing["body"]}


# ---- Groups, rules, networks ---------------------------------------------------------------------

@route("PUT", r"/resourceGroups/([^/]+)", RESOURCES)
def put_group(request, path):
    body = parse(request, GROUP)
    if body["location"] not in world.REGIONS:
        raise Fault(400, "LocationNotAvailableForResourceGroup", f"no location '{body['location']}'")
    if path in things and things[path]["body"]["location"] != body["location"]:
        raise Fault(409, "InvalidResourceGroupLocation", "it is elsewhere already")
    is_new = path not in things
    body["properties"] = {"provisioningState": "Succeeded"}
    things[path] = {"id": request.path, "body": body}
    return answer(201 if is_new else 200, shown(path))


@route("GET", r"/resourceGroups/([^/]+)", RESOURCES)
def get_group(request, path):
    if path not in things:
        raise Fault(404, "ResourceGroupNotFound", "The resource group could not be found.")
    return answer(200, shown(path))


@route("GET", r"/resourceGroups", RESOURCES, ["$filter"])
def list_groups(request, path):
    found = re.fullmatch(r"tagName eq '([^']*)' and tagValue eq '([^']*)'",
                         request.query.get("$filter", ""))
    groups = [p for p in things if "/providers/" not in p]
    if found:
        groups = [p for p in groups if things[p]["body"]["tags"].get(found[1]) == found[2]]
    elif "$filter" in request.query:
        raise Fault(400, "InvalidFilterInQueryString", "not a filter")
    return answer(200, {"value": [shown(p) for p in groups]})


def remove(path):
    thing = things.pop(path, None)
    if thing and thing.get("machine"):
        thing["machine"].end(keep=False)
    # What a machine brought with it goes with it.
    for other in [p for p, t in things.items() if t.get("of") == path]:
        del things[other]


@route("DELETE", r"/resourceGroups/([^/]+)", RESOURCES, ["forceDeletionTypes"])
def delete_group(request, path):
    if path not in things:
        raise Fault(404, "ResourceGroupNotFound", "The resource group could not be found.")
    for inside in [p for p in things if p.startswith(path + "/")]:
        remove(inside)
    remove(path)
    return 202, {"Location": "x"}, ""


def put_thing(request, path, shape):
    need_group(path)
    body = parse(request, shape)
    is_new = path not in things
    # It is being made when the PUT returns, and made when one looks.
    body.setdefault("properties", {})["provisioningState"] = "Updating"
    things[path] = {"id": request.path, "body": body}
    made = shown(path)
    reply = answer(201 if is_new else 200, made)
    body["properties"]["provisioningState"] = "Succeeded"
    return reply


def get_thing(path):
    if path not in things:
        raise Fault(404, "ResourceNotFound", f"The Resource '{path}' was not found.")
    return answer(200, shown(path))


def check_rules(rules):
    priorities = [rule["properties"]["priority"] for rule in rules]
    if len(set(priorities)) < len(priorities):
        raise Fault(400, "SecurityRuleConflict", "two rules have one priority")
    for rule in rules:
        inside = rule["properties"]
        if ("sourceAddressPrefix" in inside) == ("sourceAddressPrefixes" in inside) or \
                ("destinationPortRange" in inside) == ("destinationPortRanges" in inside):
            raise Fault(400, "SecurityRuleInvalidAddressPrefix", "one of two, not both or none")


@route("PUT", INSIDE + r"Microsoft.Network/networkSecurityGroups/([^/]+)", NETWORK)
def put_rules(request, path):
    check_rules(parse(request, NSG)["properties"]["securityRules"])
    return put_thing(request, path, NSG)


@route("PUT", INSIDE + r"Microsoft.Network/networkSecurityGroups/([^/]+)/securityRules/([^/]+)", NETWORK)
def put_rule(request, path):
    check_rules([parse(request, RULE)])
    if path.rsplit("/", 2)[0] not in things:
        raise Fault(404, "ResourceNotFound", "no such security group")
    return put_thing(request, path, RULE)


@route("PUT", INSIDE + r"Microsoft.Network/virtualNetworks/([^/]+)", NETWORK)
def put_network(request, path):
    for subnet in parse(request, VNET)["properties"]["subnets"]:
        rules = subnet["properties"].get("networkSecurityGroup", {}).get("id", "").lower()
        if rules and rules not in things:
            raise Fault(400, "InvalidResourceReference", f"Resource {rules} was not found.")
    return put_thing(request, path, VNET)


@route("GET", INSIDE + r"Microsoft.Network/(?:networkSecurityGroups|virtualNetworks)/([^/]+)"
       r"(?:/securityRules/[^/]+)?", NETWORK)
def get_network(request, path):
    return get_thing(path)


@route("GET", INSIDE + r"Microsoft.Network/(networkInterfaces|publicIPAddresses)", NETWORK)
def list_network(request, path):
    need_group(path)
    return answer(200, {"value": [shown(p) for p in things if p.startswith(path + "/")]})


# ---- Machines ------------------------------------------------------------------------------------

class Instance:
    """What machine.py wants to know of a machine."""
    def __init__(self, path, body):
        self.id = re.sub(r"[^a-z0-9-]", "_", path.split("/resourcegroups/")[1])
        profile = body["properties"]["osProfile"]
        self.user_data = base64.b64decode(profile["customData"]).decode()
        self.authorized = [key["keyData"]
                           for key in profile["linuxConfiguration"]["ssh"]["publicKeys"]]


def sold_out(size, region, zone):
    """"now", "later", or None."""
    for rule in sim.args.sold_out:
        parts = rule.split("/")
        if all(fnmatch.fnmatch(value, pattern)
               for value, pattern in zip((size, region, zone), parts)):
            return "later" if parts[3:] == ["later"] else "now"
    return None


def check_machine(body, zone):
    properties = body["properties"]
    size, region = properties["hardwareProfile"]["vmSize"], body["location"]
    if size not in world.SIZES or world.sold_in(size, region) not in ("good", "zone"):
        raise Fault(400, "InvalidParameter", f"The requested VM size {size} is not available.")
    if zone and zone not in world.zones_of(size, region):
        raise Fault(400, "InvalidParameter", f"The zone '{zone}' is not supported for {size}.")
    if region in sim.args.quota:
        raise Fault(409, "OperationNotAllowed", "Operation could not be completed as it results in "
                    "exceeding approved Total Regional Cores quota.")
    interface = properties["networkProfile"]["networkInterfaceConfigurations"][0]
    subnet = interface["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    if subnet.lower().rsplit("/subnets/", 1)[0] not in things:
        raise Fault(400, "InvalidResourceReference", f"Resource {subnet} was not found.")
    if (properties.get("priority") == "Spot") != ("evictionPolicy" in properties):
        raise Fault(400, "InvalidParameter", "evictionPolicy is for Spot machines.")
    if len(base64.b64decode(properties["osProfile"]["customData"])) > 65535:
        raise Fault(400, "InvalidParameter", "Custom data is too long.")
    if sold_out(size, region, zone) == "now":
        raise Fault(409, "SkuNotAvailable", f"The requested size {size} is currently not available.")


def bring_parts(path, body, address):
    base = group_of(path) + "/providers/microsoft.network/"
    name = path.rsplit("/", 1)[1]
    interface = body["properties"]["networkProfile"]["networkInterfaceConfigurations"][0]
    inside = interface["properties"]["ipConfigurations"][0]["properties"]
    configuration = {"privateIPAddress": address}
    if "publicIPAddressConfiguration" in inside:
        public = base + "publicipaddresses/souk-" + name
        things[public] = {"id": public, "of": path, "body": {"properties": {"ipAddress": address}}}
        configuration["publicIPAddress"] = {"id": public}
    things[base + "networkinterfaces/souk-" + name] = {
        "id": base + "networkinterfaces/souk-" + name, "of": path,
        "body": {"properties": {"virtualMachine": {"id": things[path]["id"]},
                                "ipConfigurations": [{"name": "souk", "properties": configuration}]}}}


@route("PUT", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)", COMPUTE)
def put_machine(request, path):
    need_group(path)
    if path in things and request.headers.get("if-none-match") == "*":
        raise Fault(412, "PreconditionFailed", "it is there")
    body = parse(request, VM)
    zone = (body.get("zones") or [""])[0]
    check_machine(body, zone)
    thing = {"id": request.path, "body": body, "looks": 1, "power": "running", "code": ""}
    if sold_out(body["properties"]["hardwareProfile"]["vmSize"], body["location"], zone) == "later":
        thing["code"] = "ZonalAllocationFailed" if zone else "AllocationFailed"
    things[path] = thing
    created.append(path)
    instance = Instance(path, body)
    body["properties"]["osProfile"].pop("customData")
    body["properties"]["timeCreated"] = "2026-11-22T12:00:00.123+00:00"
    if not thing["code"]:
        thing["instance"] = instance
        thing["machine"] = machines.start(instance, lambda _: thing.update(power="stopped"))
        bring_parts(path, body, thing["machine"].address)
    return answer(201, show_machine(path, False), {"Azure-AsyncOperation": "x"})


def show_machine(path, view):
    thing = things[path]
    made = shown(path)
    made["properties"] = dict(made["properties"])
    state = "Creating" if thing["looks"] else "Failed" if thing["code"] else "Succeeded"
    made["properties"]["provisioningState"] = state
    if view:
        statuses = [{"code": f"ProvisioningState/{state.lower()}"}]
        if state == "Failed":
            statuses[0] = {"code": f"ProvisioningState/failed/{thing['code']}",
                           "message": "We do not have sufficient capacity for the requested VM size."}
        elif state == "Succeeded":
            statuses.append({"code": f"PowerState/{thing['power']}"})
        made["properties"]["instanceView"] = {"statuses": statuses}
        thing["looks"] = max(0, thing["looks"] - 1)
    return made


@route("GET", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)", COMPUTE, ["$expand"])
def get_machine(request, path):
    if path not in things:
        raise Fault(404, "ResourceNotFound", f"The Resource '{path}' was not found.")
    return answer(200, show_machine(path, request.query.get("$expand") == "instanceView"))


@route("GET", INSIDE + r"Microsoft.Compute/virtualMachines", COMPUTE)
def list_machines(request, path):
    need_group(path)
    return answer(200, {"value": [show_machine(p, False) for p in things if p.startswith(path + "/")]})


@route("GET", r"/providers/Microsoft.Compute/virtualMachines", COMPUTE)
def list_all_machines(request, path):
    return answer(200, {"value": [show_machine(p, False) for p in things if "/virtualmachines/" in p]})


@route("DELETE", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)", COMPUTE, ["forceDeletion"])
def delete_machine(request, path):
    if path not in things:
        return 204, {}, ""
    remove(path)
    return 202, {}, ""


@route("POST", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)/(deallocate|start)", COMPUTE)
def power(request, path):
    path, action = path.rsplit("/", 1)
    if path not in things:
        raise Fault(404, "ResourceNotFound", f"The Resource '{path}' was not found.")
    thing = things[path]
    if action == "deallocate" and thing["power"] != "deallocated":
        thing["machine"].end(keep=True)
        thing["power"] = "deallocated"
    if action == "start" and thing["power"] != "running":
        thing["machine"] = machines.start(thing["instance"], lambda _: thing.update(power="stopped"))
        thing["power"] = "running"
        bring_parts(path, thing["body"], thing["machine"].address)
    return 202, {}, ""


@sim.route("GET", r"/_state")
def state(request):
    with lock:
        rows = [{"path": p, "location": things[p]["body"].get("location"),
                 "zones": things[p]["body"].get("zones"), "tags": things[p]["body"].get("tags"),
                 "power": things[p].get("power"), "properties": things[p]["body"].get("properties")}
                for p in things]
        return answer(200, {"things": rows, "created": created, "ssh_port": machines.port})


def start_machines(server_port):
    global machines
    machines = machine.Machines(server_port, sim.args.ssh_port)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sim.on_listen = start_machines
    try:
        sim.main()
    finally:
        if machines:
            machines.close()
