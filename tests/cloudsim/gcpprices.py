#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gcpprices.py - the parts of Google Cloud that offers and checks are asked from, on loopback

Compute Engine (zones, machine types, accelerator types), Cloud Billing (SKUs), tokens and their
owners, and testIamPermissions of the Resource Manager. It refuses what Google refuses: requests
without a token or with one that has ended, parameters that the API does not have, pages that it has not
given out, statements that are not signed by the key.

    gcpprices.py --make-key FOLDER     a service account's key, made by ssh-keygen: FOLDER/key.json
                                       is to be given to souk, FOLDER/key.pub to the server
    gcpprices.py --table               print what all offers have to be, as JSON, and end
    gcpprices.py --port 0 --key FOLDER/key.pub
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True

import gcpskus
import gcpworld
import simworld
from restsim import Refused, Rest

PROJECT = "souk-test-1"
EMAIL = f"souk@{PROJECT}.iam.gserviceaccount.com"
USER = {"client_id": "sim-client", "client_secret": "sim-secret", "refresh_token": "1//sim"}
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
COMMON = {"alt", "fields", "key", "prettyPrint", "quotaUser", "$.xgafv"}

tokens = {}
skus = []


# ---- Refusals, as Google words them ----

def refuse(status, reason, message, name="", details=None):
    error = {"code": status, "message": message,
             "errors": [{"message": message, "domain": "global", "reason": reason}]}
    if name:
        error["status"] = name
    if details:
        error["details"] = details
    return status, {}, {"error": error}


def unauthenticated():
    return refuse(401, "authError", "Request had invalid authentication credentials. Expected OAuth "
                  "2 access token, login cookie or other valid authentication credential.",
                  "UNAUTHENTICATED")


def bad_token(message, error="invalid_grant"):
    return 400, {}, {"error": error, "error_description": message}


STATUSES = {"quotaExceeded": 403, "rateLimitExceeded": 403, "userRateLimitExceeded": 403,
            "notFound": 404, "alreadyExists": 409, "authError": 401, "forbidden": 403,
            "accessNotConfigured": 403, "backendError": 503, "internalError": 500,
            "resourceNotReady": 400}
NAMES = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
         429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


def word(error):
    reason = "rateLimitExceeded" if error.status == 429 else error.code
    return refuse(error.status, reason, error.message, NAMES.get(error.status, ""))


sim = Rest("gcp", simworld.World, word)
sim.statuses = STATUSES
sim.region_of = lambda req: gcpworld.region_of(req.match.groupdict().get("zone") or "")


def authorize(request):
    given = request.headers.get("authorization", "")
    kind, _, token = given.partition(" ")
    if kind != "Bearer" or tokens.get(token, 0) <= time.time():
        raise Refused(unauthenticated())


def parameters(request, *known):
    for name in request.query:
        if name not in known and name not in COMMON:
            raise Refused(refuse(400, "badRequest", f'Invalid JSON payload received. Unknown name '
                                 f'"{name}": Cannot bind query parameter.', "INVALID_ARGUMENT"))


def number(request, name, most, default):
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text) or int(text) > most:
        raise Refused(refuse(400, "invalid", f"Invalid value for field '{name}': '{text}'. Must be "
                             f"less than or equal to {most}"))
    return int(text)


# ---- Pages: a token says of which list it is, and where that goes on ----

def page(request, entries, size, what):
    start = 0
    token = request.query.get("pageToken", "")
    if token:
        try:
            name, text = base64.urlsafe_b64decode(token).decode().rsplit("@", 1)
            start = int(text)
        except ValueError:
            name = None
        if name != what or not 0 < start < len(entries):
            raise Refused(refuse(400, "invalid", f"Invalid value for field 'pageToken': '{token}'",
                                 "INVALID_ARGUMENT"))
    rest = ""
    if start + size < len(entries):
        rest = base64.urlsafe_b64encode(f"{what}@{start + size}".encode()).decode()
    return entries[start:start + size], rest


# ---- fields=a,b(c,d): what a partial answer has ----

def parse_fields(text):
    def members(at):
        found = {}
        while True:
            match = re.compile(r"[A-Za-z*]+").match(text, at)
            if not match:
                raise Refused(refuse(400, "invalidParameter", "Invalid field selection"))
            at = match.end()
            inner = None
            if text[at:at + 1] == "(":
                inner, at = members(at + 1)
                if text[at:at + 1] != ")":
                    raise Refused(refuse(400, "invalidParameter", "Invalid field selection"))
                at += 1
            found[match.group()] = inner
            if text[at:at + 1] != ",":
                return found, at
            at += 1

    found, end = members(0)
    if end != len(text):
        raise Refused(refuse(400, "invalidParameter", "Invalid field selection"))
    return found


def known_fields(sample, wanted):
    """Refuse members that such an answer never has."""
    if isinstance(sample, list):
        sample = sample[0]
    for name, inner in wanted.items():
        if name not in sample:
            raise Refused(refuse(400, "invalidParameter", f"Invalid field selection {name}"))
        if inner:
            known_fields(sample[name], inner)


def select(value, wanted):
    if wanted is None:
        return value
    if isinstance(value, list):
        return [select(entry, wanted) for entry in value]
    return {name: select(entry, wanted[name]) for name, entry in value.items() if name in wanted}


# ---- Tokens ----

def b64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_key(path):
    """Modulus and exponent of an OpenSSH public key."""
    with open(path, encoding="ascii") as file:
        data = base64.b64decode(file.read().split()[1])
    parts = []
    while data:
        size = int.from_bytes(data[:4], "big")
        parts.append(data[4:4 + size])
        data = data[4 + size:]
    return int.from_bytes(parts[2], "big"), int.from_bytes(parts[1], "big")


def is_signed(text, signature):
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    modulus, exponent = public_key(sim.args.key)
    size = (modulus.bit_length() + 7) // 8
    if len(signature) != size:
        return False
    seen = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    head = bytes.fromhex("3031300d060960864801650304020105000420")
    tail = head + hashlib.sha256(text).digest()
    return seen == b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail


def why_not(assertion, host):
    """What is wrong with a service account's statement; None: nothing."""
    try:
        head, claims, signature = assertion.split(".")
        header, said = json.loads(b64(head)), json.loads(b64(claims))
        if header != {"alg": "RS256", "typ": "JWT", "kid": "sim-key-1"}:
            return "Invalid JWT header"
        if not sim.args.key or not is_signed(f"{head}.{claims}".encode(), b64(signature)):
            return "Invalid JWT Signature."
    except ValueError:
        return "Invalid JWT"
    now = time.time()
    if said.get("iss") != EMAIL or said.get("aud") != f"http://{host}/token":
        return "Invalid JWT: wrong issuer or audience"
    if said.get("scope") != SCOPE:
        return "Invalid OAuth scope or ID token audience provided."
    if not now - 3600 < said["iat"] <= now + 300 or not 0 < said["exp"] - said["iat"] <= 3600:
        return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable " \
               "timeframe. Check your iat and exp values in the JWT claim."
    return None


def give_token(note):
    token = f"ya29.{note}-{len(tokens)}-{os.urandom(8).hex()}"
    tokens[token] = time.time() + sim.args.token_life
    return 200, {}, {"access_token": token, "expires_in": sim.args.token_life,
                     "token_type": "Bearer"}


@sim.route("POST", "/token", "auth", contract=False)
def token_route(request):
    form = {k: v[0] for k, v in urllib.parse.parse_qs(request.body.decode()).items()}
    if request.headers.get("content-type") != "application/x-www-form-urlencoded":
        return bad_token("not a form", "invalid_request")
    if form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer":
        wrong = why_not(form.get("assertion", ""), request.headers["host"])
        return bad_token(wrong) if wrong else give_token("key")
    if form.get("grant_type") != "refresh_token":
        return bad_token("Invalid grant_type", "unsupported_grant_type")
    if form.get("client_id") != USER["client_id"] or \
            form.get("client_secret") != USER["client_secret"]:
        return 401, {}, {"error": "invalid_client", "error_description": "Unauthorized"}
    if form.get("refresh_token") != USER["refresh_token"]:
        return bad_token("Token has been expired or revoked.")
    return give_token("user")


@sim.route("POST", "/tokeninfo", "auth", contract=False)
def tokeninfo(request):
    form = urllib.parse.parse_qs(request.body.decode())
    token = form.get("access_token", [""])[0]
    if tokens.get(token, 0) <= time.time():
        return bad_token("Invalid Value", "invalid_token")
    return 200, {}, {"aud": USER["client_id"], "scope": SCOPE, "email": "someone@example.com"}


# ---- The metadata server ----

def metadata(path):
    def add(function):
        @sim.route("GET", f"/computeMetadata/v1/{path}", "auth", contract=False)
        def answer(request):
            if request.headers.get("metadata-flavor") != "Google":
                return 403, {}, "Missing Metadata-Flavor:Google header."
            return function()
        return answer
    return add


@metadata("project/project-id")
def metadata_project():
    return 200, {}, PROJECT


@metadata("instance/service-accounts/default/email")
def metadata_email():
    return 200, {}, EMAIL


@metadata("instance/service-accounts/default/token")
def metadata_token():
    return give_token("machine")


# ---- The price list ----

@sim.route("GET", "/v1/services/6F81-5844-456A/skus", "services.skus.list")
def list_skus(request):
    parameters(request, "pageSize", "pageToken", "currencyCode", "startTime", "endTime")
    authorize(request)
    if request.query.get("currencyCode", "USD") != "USD":
        raise Refused(refuse(400, "badRequest", "no such currency here", "INVALID_ARGUMENT"))
    size = min(number(request, "pageSize", 5000, 5000), sim.args.sku_page)
    entries, rest = page(request, skus, size, "skus")
    answer = {"skus": entries, "nextPageToken": rest}
    if "fields" in request.query:
        wanted = parse_fields(request.query["fields"])
        known_fields(answer, wanted)
        answer = select(answer, wanted)
    return 200, {}, answer


# ---- Compute Engine ----

def compute_url(path):
    return f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/{path}"


def compute(pattern, action):
    """A list of the project: its parameters and its page are seen to."""
    def add(function):
        @sim.route("GET", f"/compute/v1/projects/(?P<project>[^/]+)/{pattern}", action)
        def answer(request):
            parameters(request, "filter", "maxResults", "orderBy", "pageToken",
                       "returnPartialSuccess", "includeAllScopes")
            authorize(request)
            if request.match["project"] != PROJECT:
                return refuse(404, "notFound", "The resource 'projects/"
                              f"{request.match['project']}' was not found")
            size = min(number(request, "maxResults", 500, 500), sim.args.page)
            return function(request, size)
        return answer
    return add


def zone_entry(zone):
    return {"kind": "compute#zone", "id": str(2000 + gcpworld.ZONES.index(zone)), "name": zone,
            "status": "UP", "region": compute_url(f"regions/{gcpworld.region_of(zone)}"),
            "selfLink": compute_url(f"zones/{zone}")}


@compute("zones", "zones.list")
def list_zones(request, size):
    entries, rest = page(request, [zone_entry(zone) for zone in gcpworld.ZONES], size, "zones")
    answer = {"kind": "compute#zoneList", "items": entries}
    if rest:
        answer["nextPageToken"] = rest
    return 200, {}, answer


def machine_type(entry, zone):
    answer = {
        "kind": "compute#machineType", "id": str(int(hashlib.md5(
            entry["name"].encode()).hexdigest()[:10], 16)),
        "name": entry["name"], "description": f"{entry['vcpus']} vCPUs", "zone": zone,
        "guestCpus": entry["vcpus"], "memoryMb": entry["mib"], "imageSpaceGb": 0,
        "maximumPersistentDisks": 128, "maximumPersistentDisksSizeGb": "263168",
        "isSharedCpu": bool(entry.get("shared")),
        "selfLink": compute_url(f"zones/{zone}/machineTypes/{entry['name']}"),
        "architecture": "ARM64" if entry.get("arm") else "X86_64",
    }
    # Older families do not say.
    if entry["name"].startswith(("t2a-", "n1-", "e2-")):
        del answer["architecture"]
    if "gpu" in entry:
        whole = max(1, int(float(entry["gpus"])))
        answer["accelerators"] = [{"guestAcceleratorType": entry["gpu"],
                                   "guestAcceleratorCount": whole}]
    if "partitions" in entry:
        answer["bundledLocalSsds"] = {"defaultInterface": "NVME",
                                      "partitionCount": entry["partitions"]}
    if "state" in entry:
        answer["deprecated"] = {"state": entry["state"]}
    return answer


@compute("zones/(?P<zone>[^/]+)/machineTypes", "machineTypes.list")
def list_types(request, size):
    zone = request.match["zone"]
    if zone in sim.args.closed:
        return refuse(403, "forbidden", f"Permission denied on 'locations/{zone}': it is not found "
                      "or access is unauthorized.".replace("it is", "is"))
    if zone not in gcpworld.ZONES:
        return refuse(404, "notFound", f"The resource 'zones/{zone}' was not found")
    entries = [machine_type(entry, zone) for entry in gcpworld.types_of(zone)]
    # One is named on two pages, as when the list changes between them.
    entries.append(entries[0])
    entries, rest = page(request, entries, size, f"types of {zone}")
    answer = {"kind": "compute#machineTypeList", "items": entries}
    if rest:
        answer["nextPageToken"] = rest
    return 200, {}, answer


def aggregated(request, size, pairs, member, what):
    """{"items": {"zones/Z": {member: [...]}}}: a page has entries of several zones."""
    entries, rest = page(request, pairs, size, what)
    items = {"global": {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "none here"}}}
    for zone, entry in entries:
        items.setdefault(f"zones/{zone}", {member: []})[member].append(entry)
    answer = {"kind": "compute#aggregatedList", "items": items}
    if rest:
        answer["nextPageToken"] = rest
    return 200, {}, answer


@compute("aggregated/machineTypes", "machineTypes.aggregatedList")
def aggregated_types(request, size):
    wanted = request.query.get("filter")
    match = re.fullmatch(r"name=([a-z0-9-]+)", wanted) if wanted else None
    if wanted and not match:
        return refuse(400, "invalid", f"Invalid value for field 'filter': '{wanted}'. Invalid list "
                      "filter expression.")
    pairs = [(zone, machine_type(entry, zone)) for zone in gcpworld.ZONES
             for entry in gcpworld.types_of(zone) if not match or entry["name"] == match[1]]
    return aggregated(request, size, pairs, "machineTypes", f"all types {wanted}")


@compute("aggregated/acceleratorTypes", "acceleratorTypes.aggregatedList")
def aggregated_accelerators(request, size):
    pairs = []
    for zone in gcpworld.ZONES:
        for gpu, most in gcpworld.attachable(zone).items():
            pairs += [(zone, {"name": name, "maximumCardsPerInstance": n,
                              "description": "NVIDIA", "zone": compute_url(f"zones/{zone}")})
                      for name, n in ((gpu, most), (f"{gpu}-vws", most))]
        pairs.append((zone, {"name": "nvidia-l4", "maximumCardsPerInstance": 8}))
        pairs.append((zone, {"name": "ct6e", "description": "ct6e"}))
    return aggregated(request, size, pairs, "acceleratorTypes", "accelerators")


# ---- Permissions ----

@sim.route("POST", f"/v1/projects/{PROJECT}:testIamPermissions", "check", contract=False)
def test_permissions(request):
    parameters(request)
    authorize(request)
    if sim.args.no_resource_manager:
        return refuse(403, "forbidden", "Cloud Resource Manager API has not been used in project 1 "
                      "before or it is disabled.", "PERMISSION_DENIED",
                      [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "SERVICE_DISABLED", "domain": "googleapis.com"}])
    body = request.json()
    if set(body) != {"permissions"} or any("*" in p for p in body["permissions"]):
        return refuse(400, "badRequest", "Invalid permissions", "INVALID_ARGUMENT")
    granted = [p for p in body["permissions"] if p not in sim.args.deny]
    return 200, {}, {"permissions": granted} if granted else {}


# ---- The program ----

def make_key(folder, url="http://127.0.0.1:0"):
    path = os.path.join(folder, "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f",
                    path], check=True)
    with open(path, encoding="ascii") as file:
        pem = file.read()
    os.unlink(path)
    with open(path + ".json", "w", encoding="ascii") as file:
        json.dump({"type": "service_account", "project_id": PROJECT, "private_key_id": "sim-key-1",
                   "private_key": pem, "client_email": EMAIL, "client_id": "1234",
                   "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                   "token_uri": url + "/token", "universe_domain": "googleapis.com"}, file)
    os.chmod(path + ".json", 0o600)


def environment(url, folder):
    """What a client needs besides the endpoint: a service account with a key of its own."""
    folder = os.path.join(os.path.abspath(folder), "gcp")
    os.makedirs(folder, exist_ok=True)
    make_key(folder, url)
    sim.args.key = os.path.join(folder, "key.pub")
    return {"GOOGLE_APPLICATION_CREDENTIALS": os.path.join(folder, "key.json"),
            "NO_GCE_CHECK": "true"}


sim.options.add_argument("--key", help="public key of the service account")
sim.options.add_argument("--make-key", metavar="FOLDER")
sim.options.add_argument("--table", action="store_true")
sim.options.add_argument("--page", type=int, default=500, help="entries of Compute Engine")
sim.options.add_argument("--sku-page", type=int, default=5000)
sim.options.add_argument("--token-life", type=int, default=3599)
sim.options.add_argument("--closed", action="append", default=[], metavar="ZONE")
sim.options.add_argument("--deny", action="append", default=[], metavar="PERMISSION")
sim.options.add_argument("--no-resource-manager", action="store_true")
skus.extend(gcpskus.all_skus())


def main():
    args = sim.options.parse_args()
    if args.make_key:
        make_key(args.make_key)
    elif args.table:
        json.dump(gcpworld.offers(closed=args.closed), sys.stdout)
    else:
        sim.main()


if __name__ == "__main__":
    main()
