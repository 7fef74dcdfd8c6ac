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
import re
import sys

sys.dont_write_bytecode = True

import azureprices
import azureworld as market
import simworld
from azureprices import answer, environment, refuse, sim  # noqa: F401
from restsim import Refused, Rest
from simworld import ENDED, ENDING, PENDING, RUNNING, STOPPED, STOPPING

COMPUTE, NETWORK, RESOURCES = "2024-07-01", "2024-05-01", "2024-11-01"

sim.options.add_argument("--sold-out", action="append", default=[])
sim.options.add_argument("--quota", action="append", default=[])

POWER = {RUNNING: "running", STOPPING: "deallocating", STOPPED: "deallocated"}


class World(simworld.World):
    """Resources by their path in lower case; a machine is one that has an instance."""

    verbs = {"VirtualMachines_CreateOrUpdate": "create", "VirtualMachines_List": "list",
             "VirtualMachines_ListAll": "list", "VirtualMachines_Get": "get",
             "VirtualMachines_Delete": "terminate", "VirtualMachines_Start": "start",
             "VirtualMachines_Deallocate": "stop", "ResourceGroups_CreateOrUpdate": "network",
             "ResourceGroups_Delete": "terminate", "NetworkSecurityGroups_CreateOrUpdate": "network",
             "SecurityRules_CreateOrUpdate": "network", "VirtualNetworks_CreateOrUpdate": "network",
             "RetailPrices_List": "prices", "ResourceSkus_List": "prices"}

    def reset(self):
        super().reset()
        self.things = {}
        self.created = []       # paths of all machines that were accepted

    def size_of(self, type_name):
        size = market.SIZES[type_name]
        return {"vcpus": size["vcpus"], "gpus": size.get("gpus", 0)}

    def start(self, instance):
        self._bill(instance)
        super().start(instance)

    def preempted(self, instance):
        if instance.eviction == "Delete":
            self.terminate(instance, "preempted")
        else:
            self.stop(instance, "preempted")

    def shut_down_from_inside(self, instance):
        """It stays allocated: it stops, and its bill goes on."""
        if instance.state in simworld.USED:
            if instance.machine:
                instance.machine.end(keep=True)
            instance.set_state(STOPPED, "inside")

    def look(self, region=None, ids=None):
        super().look(region, ids)
        for path in [i.id for i in self.instances.values() if i.state == ENDED]:
            self.drop(path)

    def drop(self, path):
        """A resource is gone, and what it has brought with it too."""
        thing = self.things.pop(path, None)
        if thing and "instance" in thing:
            self.terminate(thing["instance"])
            thing["instance"].set_state(ENDED, thing["instance"].reason)
        for other in [p for p, t in self.things.items() if t.get("of") == path]:
            del self.things[other]

    def leftovers(self):
        return [t["id"] for t in self.things.values() if "instance" not in t and not t.get("going")]

    def own_report(self):
        rows = [{"path": p, "location": t["body"].get("location"), "zones": t["body"].get("zones"),
                 "tags": t["body"].get("tags"), "properties": t["body"].get("properties"),
                 "power": power_of(t["instance"]) if "instance" in t else None}
                for p, t in self.things.items() if not t.get("going")]
        return {"things": rows, "created": self.created}


sim.make_world = World


def power_of(instance):
    if instance.state == STOPPED and instance.reason == "inside":
        return "stopped"
    return POWER.get(instance.state, "starting")


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


class Fault(Refused):
    """An error in Azure's words."""

    def __init__(self, status, code, message):
        super().__init__(refuse(status, code, message))


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
    if group_of(path) not in groups():
        raise Fault(404, "ResourceGroupNotFound", "The resource group could not be found.")


def route(method, pattern, action, version, extra=(), contract=True):
    """A path below a subscription, behind the checks that every request passes."""
    def add(function):
        @sim.route(method, r"(?i:/subscriptions/([^/]+)" + pattern + ")", action,
                   contract)
        def serve(request):
            wrong = azureprices.refused(request, version, extra)
            if wrong or request.match.group(1) != market.SUBSCRIPTION:
                return wrong or azureprices.not_ours(request)
            return function(request, request.path.lower())
        return serve
    return add


INSIDE = r"/resourceGroups/([^/]+)/providers/"


def shown(path):
    thing = sim.world.things[path]
    return {"id": thing["id"], "name": thing["id"].rsplit("/", 1)[1], **thing["body"]}


# ---- Groups, rules, networks ---------------------------------------------------------------------

@route("PUT", r"/resourceGroups/([^/]+)", "ResourceGroups_CreateOrUpdate", RESOURCES)
def put_group(request, path):
    body = parse(request, GROUP)
    if body["location"] not in market.REGIONS:
        raise Fault(400, "LocationNotAvailableForResourceGroup", f"no location '{body['location']}'")
    if path in sim.world.things and sim.world.things[path]["body"]["location"] != body["location"]:
        raise Fault(409, "InvalidResourceGroupLocation", "it is elsewhere already")
    is_new = path not in sim.world.things
    body["properties"] = {"provisioningState": "Succeeded"}
    sim.world.things[path] = {"id": request.path, "body": body}
    return answer(201 if is_new else 200, shown(path))


@route("GET", r"/resourceGroups/([^/]+)", "ResourceGroups_Get", RESOURCES)
def get_group(request, path):
    if path not in groups():
        raise Fault(404, "ResourceGroupNotFound", "The resource group could not be found.")
    return answer(200, shown(path))


@route("GET", r"/resourceGroups", "ResourceGroups_List", RESOURCES, ["$filter"])
def list_groups(request, path):
    found = re.fullmatch(r"tagName eq '([^']*)' and tagValue eq '([^']*)'",
                         request.query.get("$filter", ""))
    listed = groups()
    if found:
        listed = [p for p in listed if sim.world.things[p]["body"]["tags"].get(found[1]) == found[2]]
    elif "$filter" in request.query:
        raise Fault(400, "InvalidFilterInQueryString", "not a filter")
    return answer(200, {"value": [shown(p) for p in listed]})


@route("DELETE", r"/resourceGroups/([^/]+)", "ResourceGroups_Delete", RESOURCES, ["forceDeletionTypes"])
def delete_group(request, path):
    if path not in sim.world.things:
        raise Fault(404, "ResourceGroupNotFound", "The resource group could not be found.")
    for inside in [p for p in sim.world.things if p.startswith(path + "/")]:
        sim.world.drop(inside)
    # The group itself is listed for a while.
    sim.world.things[path]["going"] = 1
    sim.world.things[path]["body"]["properties"]["provisioningState"] = "Deleting"
    return 202, {"Location": f"http://{request.headers['host']}{request.path}"}, ""


def groups():
    """The groups that there are; those that are deleted go when they have been seen enough."""
    world = sim.world
    for path, thing in list(world.things.items()):
        if thing.get("going"):
            thing["going"] += 1
            if thing["going"] > world.scenario["lifecycle"]["terminate_after"] + 1:
                del world.things[path]
    return [p for p in world.things if "/providers/" not in p]


def put_thing(request, path, shape):
    need_group(path)
    body = parse(request, shape)
    is_new = path not in sim.world.things
    # It is being made when the PUT returns, and made when one looks.
    body.setdefault("properties", {})["provisioningState"] = "Updating"
    sim.world.things[path] = {"id": request.path, "body": body}
    made = shown(path)
    reply = answer(201 if is_new else 200, made)
    body["properties"]["provisioningState"] = "Succeeded"
    return reply


def get_thing(path):
    if path not in sim.world.things:
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


@route("PUT", INSIDE + r"Microsoft.Network/networkSecurityGroups/([^/]+)",
       "NetworkSecurityGroups_CreateOrUpdate", NETWORK)
def put_rules(request, path):
    check_rules(parse(request, NSG)["properties"]["securityRules"])
    return put_thing(request, path, NSG)


@route("PUT", INSIDE + r"Microsoft.Network/networkSecurityGroups/([^/]+)/securityRules/([^/]+)",
       "SecurityRules_CreateOrUpdate", NETWORK)
def put_rule(request, path):
    check_rules([parse(request, RULE)])
    if path.rsplit("/", 2)[0] not in sim.world.things:
        raise Fault(404, "ResourceNotFound", "no such security group")
    return put_thing(request, path, RULE)


@route("PUT", INSIDE + r"Microsoft.Network/virtualNetworks/([^/]+)",
       "VirtualNetworks_CreateOrUpdate", NETWORK)
def put_network(request, path):
    for subnet in parse(request, VNET)["properties"]["subnets"]:
        rules = subnet["properties"].get("networkSecurityGroup", {}).get("id", "").lower()
        if rules and rules not in sim.world.things:
            raise Fault(400, "InvalidResourceReference", f"Resource {rules} was not found.")
    return put_thing(request, path, VNET)


@route("GET", INSIDE + r"Microsoft.Network/(?:networkSecurityGroups|virtualNetworks)/([^/]+)",
       "NetworkResources_Get", NETWORK)
def get_network(request, path):
    return get_thing(path)


# Azure has it; the descriptions that requests are held against leave it out.
@route("GET", INSIDE + r"Microsoft.Network/networkSecurityGroups/([^/]+)/securityRules/([^/]+)",
       "SecurityRules_Get", NETWORK, contract=False)
def get_rule(request, path):
    return get_thing(path)


@route("GET", INSIDE + r"Microsoft.Network/(networkInterfaces|publicIPAddresses)",
       "NetworkResources_List", NETWORK)
def list_network(request, path):
    need_group(path)
    return answer(200, {"value": [shown(p) for p in sim.world.things if p.startswith(path + "/")]})


# ---- Machines ------------------------------------------------------------------------------------

def check_machine(body, zone):
    properties = body["properties"]
    size, region = properties["hardwareProfile"]["vmSize"], body["location"]
    if size not in market.SIZES or market.sold_in(size, region) not in ("good", "zone"):
        raise Fault(400, "InvalidParameter", f"The requested VM size {size} is not available.")
    if zone and zone not in market.zones_of(size, region):
        raise Fault(400, "InvalidParameter", f"The zone '{zone}' is not supported for {size}.")
    interface = properties["networkProfile"]["networkInterfaceConfigurations"][0]
    subnet = interface["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    if subnet.lower().rsplit("/subnets/", 1)[0] not in sim.world.things:
        raise Fault(400, "InvalidResourceReference", f"Resource {subnet} was not found.")
    if (properties.get("priority") == "Spot") != ("evictionPolicy" in properties):
        raise Fault(400, "InvalidParameter", "evictionPolicy is for Spot machines.")
    if len(base64.b64decode(properties["osProfile"]["customData"])) > 65535:
        raise Fault(400, "InvalidParameter", "Custom data is too long.")
    return size, region


def why_none(action, size, region, zone, spot):
    """The code that such a machine fails with after it was accepted, or ''. Refusals are raised."""
    place = region, zone, size, "spot" if spot else "on-demand"
    fault = sim.world.fault(action, region, True, zone=zone, type=size, market=place[3])
    if fault and "Allocation" in fault["code"]:
        return "ZonalAllocationFailed" if zone else "AllocationFailed"
    if fault:
        raise sim.fault_error(fault)
    if sim.world.broken_quota(*place, 1):
        raise Fault(409, "OperationNotAllowed", "Operation could not be completed as it results in "
                    "exceeding approved Total Regional Cores quota.")
    if not sim.world.has_room(*place, 1):
        raise Fault(409, "SkuNotAvailable", f"The requested size {size} is currently not available.")
    return ""


def bring_parts(path, body, instance):
    things = sim.world.things
    base = group_of(path) + "/providers/microsoft.network/"
    name = "souk-" + path.rsplit("/", 1)[1]
    configuration = {"privateIPAddress": instance.private_ip}
    if instance.public:
        public = base + "publicipaddresses/" + name
        things[public] = {"id": public, "of": path, "body": {"properties": {
            "ipAddress": instance.ip}}}
        configuration["publicIPAddress"] = {"id": public}
    interface = base + "networkinterfaces/" + name
    things[interface] = {"id": interface, "of": path, "body": {"properties": {
        "virtualMachine": {"id": things[path]["id"]},
        "ipConfigurations": [{"name": "souk", "properties": configuration}]}}}


@route("PUT", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)",
       "VirtualMachines_CreateOrUpdate", COMPUTE)
def put_machine(request, path):
    need_group(path)
    if path in sim.world.things and request.headers.get("if-none-match") == "*":
        raise Fault(412, "PreconditionFailed", "it is there")
    body = parse(request, VM)
    zone = (body.get("zones") or [""])[0]
    size, region = check_machine(body, zone)
    properties = body["properties"]
    spot = properties.get("priority") == "Spot"
    code = why_none("VirtualMachines_CreateOrUpdate", size, region, zone, spot)
    profile = properties["osProfile"]
    user_data = base64.b64decode(profile.pop("customData")).decode()
    properties["timeCreated"] = "2026-11-22T12:00:00.123+00:00"
    thing = sim.world.things[path] = {"id": request.path, "body": body, "looks": 1, "code": code}
    sim.world.created.append(path)
    if not code:
        interface = properties["networkProfile"]["networkInterfaceConfigurations"][0]
        inside = interface["properties"]["ipConfigurations"][0]["properties"]
        thing["instance"] = simworld.Instance(
            id=path, folder=path.split("/resourcegroups/")[1], name=path.rsplit("/", 1)[1],
            region=region, zone=zone, type=size, market="spot" if spot else "on-demand",
            tags=body.get("tags", {}), eviction=properties.get("evictionPolicy"),
            on_shutdown="stop", user_data=user_data,
            public="publicIPAddressConfiguration" in inside,
            authorized=[key["keyData"] for key in
                        profile["linuxConfiguration"]["ssh"]["publicKeys"]])
        sim.world.add(thing["instance"])
        bring_parts(path, body, thing["instance"])
    return answer(201, show_machine(path), {
        "Azure-AsyncOperation": f"http://{request.headers['host']}{request.path}"})


def state_of(thing):
    if "instance" not in thing:
        return "Creating" if thing["looks"] else "Failed"
    return {PENDING: "Creating", ENDING: "Deleting"}.get(thing["instance"].state, "Succeeded")


def show_machine(path, view=False):
    thing = sim.world.things[path]
    made = shown(path)
    state = state_of(thing)
    made["properties"] = dict(made["properties"], provisioningState=state)
    if view:
        statuses = [{"code": f"ProvisioningState/{state.lower()}"}]
        if state == "Failed":
            statuses[0] = {"code": f"ProvisioningState/failed/{thing['code']}",
                           "message": "We do not have sufficient capacity for the requested VM size."}
        elif state == "Succeeded":
            statuses.append({"code": f"PowerState/{power_of(thing['instance'])}"})
        made["properties"]["instanceView"] = {"statuses": statuses}
        thing["looks"] = max(0, thing["looks"] - 1)
    return made


def machine_at(path):
    """The machine of that path as a request sees it."""
    sim.world.look(ids=[path])
    thing = sim.world.things.get(path)
    if not thing or ("instance" in thing and thing["instance"].hidden):
        raise Fault(404, "ResourceNotFound", f"The Resource '{path}' was not found.")
    return thing


def listed_machines(prefix):
    sim.world.look()
    return answer(200, {"value": [show_machine(p) for p, t in sim.world.things.items()
                                  if p.startswith(prefix) and "/virtualmachines/" in p
                                  and not ("instance" in t and t["instance"].hidden)]})


@route("GET", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)",
       "VirtualMachines_Get", COMPUTE, ["$expand"])
def get_machine(request, path):
    machine_at(path)
    return answer(200, show_machine(path, request.query.get("$expand") == "instanceView"))


@route("GET", INSIDE + r"Microsoft.Compute/virtualMachines", "VirtualMachines_List", COMPUTE)
def list_machines(request, path):
    need_group(path)
    return listed_machines(path + "/")


@route("GET", r"/providers/Microsoft.Compute/virtualMachines",
       "VirtualMachines_ListAll", COMPUTE)
def list_all_machines(request, path):
    return listed_machines("")


@route("DELETE", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)",
       "VirtualMachines_Delete", COMPUTE, ["forceDeletion"])
def delete_machine(request, path):
    thing = sim.world.things.get(path)
    if not thing:
        return 204, {}, ""
    if "instance" in thing:
        sim.world.terminate(thing["instance"])
    else:
        sim.world.drop(path)
    return 202, {}, ""


@route("POST", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)/deallocate",
       "VirtualMachines_Deallocate", COMPUTE)
def deallocate(request, path):
    instance = machine_at(path.rsplit("/", 1)[0]).get("instance")
    if instance and (instance.state in simworld.USED or power_of(instance) == "stopped"):
        sim.world.stop(instance)
    return 202, {}, ""


@route("POST", INSIDE + r"Microsoft.Compute/virtualMachines/([^/]+)/start", "VirtualMachines_Start",
       COMPUTE)
def start(request, path):
    path = path.rsplit("/", 1)[0]
    thing = machine_at(path)
    instance = thing.get("instance")
    if not instance or instance.state in (STOPPING, ENDING):
        raise Fault(409, "OperationNotAllowed", "the machine cannot be started as it is now")
    if instance.state == STOPPED:
        code = why_none("VirtualMachines_Start", instance.type, instance.region, instance.zone,
                        instance.market == "spot")
        if code:
            raise Fault(409, code, "We do not have sufficient capacity for the requested VM size.")
        sim.world.start(instance)
        bring_parts(path, thing["body"], instance)
    return 202, {}, ""


def open_world(args, scenario, machines):
    """--sold-out and --quota are short for rules of the scenario."""
    scenario = dict(scenario, capacity=list(scenario.get("capacity", [])),
                    faults=list(scenario.get("faults", [])), quotas=list(scenario.get("quotas", [])))
    for rule in args.sold_out:
        size, region, zone, *later = rule.split("/")
        place = {"type": size, "region": region, "zone": zone}
        if later:
            scenario["faults"].append(dict(place, action="create", code="AllocationFailed", times=-1))
        else:
            scenario["capacity"].append(dict(place, count=0))
    scenario["quotas"] += [{"region": region, "vcpus": 0} for region in args.quota]
    return Rest.open(sim, args, scenario, machines)


sim.open = open_world

if __name__ == "__main__":
    sim.main()
