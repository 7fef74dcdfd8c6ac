#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""azureprices.py - Azure's lists on loopback: tokens, subscriptions, sizes and retail prices

One port serves what at Azure are four hosts: login (POST /TENANT/oauth2/v2.0/token), the metadata
service (/metadata/identity/...), Resource Manager (/subscriptions...) and Retail Prices
(/api/retail/prices). Each refuses what the real one refuses, in its own shape. azureworld.py has what
is on sale.
"""
import base64
import json
import re
import sys
import time
import urllib.parse
from decimal import Decimal

sys.dont_write_bytecode = True

import azureworld as world
import simworld
from restsim import Rest

CLIENT = "11111111-2222-3333-4444-555555555555"
SECRET = "s3cret~value"
RESOURCE = "https://management.azure.com"
PAGE_SKUS = 40
PAGE_PRICES = 100

def dump(value):
    """JSON in which Decimals keep their digits."""
    def convert(thing):
        if isinstance(thing, Decimal):
            # Azure writes small amounts with an exponent.
            text = format(thing.normalize(), "f")
            if thing and thing < Decimal("0.01"):
                text = f"{thing.normalize():E}"
            return f"\0{text}\0"
        if isinstance(thing, dict):
            return {key: convert(entry) for key, entry in thing.items()}
        if isinstance(thing, list):
            return [convert(entry) for entry in thing]
        return thing
    return re.sub(r'"\\u0000([^"\\]*)\\u0000"', r"\1", json.dumps(convert(value)))


def answer(status, body, headers=None):
    return status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, dump(body)


def refuse(status, code, message, headers=None):
    return answer(status, {"error": {"code": code, "message": message}}, headers)


STATUSES = {"SkuNotAvailable": 409, "OperationNotAllowed": 409, "AuthorizationFailed": 403,
            "TooManyRequests": 429, "ResourceNotFound": 404, "Conflict": 409, "AllocationFailed": 409,
            "ZonalAllocationFailed": 409, "ServiceUnavailable": 503, "InternalServerError": 500}


def word(error):
    return refuse(error.status, error.code, error.message)


def region_of(request):
    """The region that a request names, in its body or its filter."""
    found = re.search(r"(?:location|armRegionName)(?:%20|[+ ])eq(?:%20|[+ ])(?:%27|')(\w+)",
                      request.query_text)
    if not found and request.method == "PUT":
        found = re.search(rb'"location"\s*:\s*"(\w+)"', request.body)
    return (found[1] if isinstance(found[1], str) else found[1].decode()) if found else ""


sim = Rest("azure", simworld.World, word)
sim.statuses = STATUSES
sim.region_of = region_of
sim.options.add_argument("--federated", default="federated-token")
sim.options.add_argument("--role", default="*", help="actions of the role, separated by commas")
sim.options.add_argument("--subscriptions", type=int, default=1)
sim.options.add_argument("--token-life", type=int, default=3599)


def environment(url, _folder):
    """What a client needs besides the endpoint."""
    return {"SOUK_AZURE_LOGIN_ENDPOINT": url, "SOUK_AZURE_PRICES_ENDPOINT": url,
            "AZURE_TENANT_ID": world.TENANT, "AZURE_CLIENT_ID": CLIENT,
            "AZURE_CLIENT_SECRET": SECRET}


# ---- Tokens --------------------------------------------------------------------------------------

tokens = {}


def base64url(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def make_token(subject, life):
    n = len(tokens) + 1
    claims = {"aud": RESOURCE, "appid": subject, "oid": f"object-{n}", "tid": world.TENANT}
    token = ".".join([base64url('{"alg":"none"}'), base64url(json.dumps(claims)), f"sig{n}"])
    tokens[token] = time.time() + life
    return token


def login_error(status, code, number, text):
    return answer(status, {"error": code, "error_codes": [number], "timestamp": "2026-11-22 00:00:00Z",
                           "error_description": f"AADSTS{number}: {text}\r\nTrace ID: 0\r\n"})


def check_assertion(form, request):
    """None if the assertion is good, else what is wrong."""
    if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
        return "no client_assertion_type"
    assertion = form["client_assertion"]
    if assertion == sim.args.federated:
        return None
    parts = assertion.split(".")
    if len(parts) != 3:
        return "not a JWT"
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2])
    here = f"http://{request.headers['host']}{request.path}"
    now = time.time()
    if head.get("alg") != "PS256" or not head.get("x5t#S256") or head.get("typ") != "JWT":
        return "not a head"
    if claims.get("aud") != here or claims.get("iss") != CLIENT or claims.get("sub") != CLIENT:
        return "not our claims"
    if not claims["nbf"] - 60 <= now <= claims["exp"] <= now + 3600 or not claims.get("jti"):
        return "not now"
    return None


@sim.route("POST", r"/([^/]+)/oauth2/v2\.0/token", "auth", contract=False)
def token(request):
    form = {key: values[-1] for key, values in
            urllib.parse.parse_qs(request.body.decode(), strict_parsing=True).items()}
    known = {"grant_type", "client_id", "scope", "client_secret", "client_assertion",
             "client_assertion_type"}
    if set(form) - known:
        return login_error(400, "invalid_request", 90014, f"unknown {sorted(set(form) - known)}")
    if request.match.group(1) != world.TENANT:
        return login_error(400, "invalid_request", 90002, "Tenant not found.")
    if form.get("grant_type") != "client_credentials":
        return login_error(400, "unsupported_grant_type", 70003, "not supported")
    if form.get("scope") != RESOURCE + "/.default":
        return login_error(400, "invalid_scope", 1002012, f"The scope {form.get('scope')} is not valid.")
    if form.get("client_id") != CLIENT:
        return login_error(400, "unauthorized_client", 700016, "Application not found in the directory.")
    if "client_assertion" in form:
        wrong = check_assertion(form, request)
        if wrong:
            return login_error(401, "invalid_client", 700027, f"assertion: {wrong}")
    elif form.get("client_secret") != SECRET:
        return login_error(401, "invalid_client", 7000215, "Invalid client secret provided.")
    life = sim.args.token_life
    return answer(200, {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life,
                        "access_token": make_token(CLIENT, life)})


@sim.route("GET", r"/metadata/identity/oauth2/token", "auth", contract=False)
def managed(request):
    if request.headers.get("metadata") != "true":
        return answer(400, {"error": "invalid_request", "error_description": "Required metadata header"})
    if request.query.get("resource") != RESOURCE + "/" or \
            request.query.get("api-version") != "2018-02-01":
        return answer(400, {"error": "invalid_request", "error_description": "not a resource"})
    life = sim.args.token_life
    return answer(200, {"access_token": make_token("managed", life), "client_id": "managed",
                        "expires_in": str(life), "expires_on": str(int(time.time()) + life),
                        "resource": RESOURCE + "/", "token_type": "Bearer"})


# ---- Resource Manager ----------------------------------------------------------------------------

def refused(request, version, extra=()):
    """What Resource Manager says before it looks at what was asked; None: nothing."""
    bearer = request.headers.get("authorization", "")
    if not bearer.startswith("Bearer "):
        return refuse(401, "AuthenticationFailed",
                      "Authentication failed. The 'Authorization' header is missing.")
    if bearer[7:] not in tokens:
        return refuse(401, "InvalidAuthenticationToken", "The access token is invalid.")
    if tokens[bearer[7:]] < time.time():
        return refuse(401, "ExpiredAuthenticationToken", "The access token expiry UTC time is past.")
    if "api-version" not in request.query:
        return refuse(400, "MissingApiVersionParameter",
                      "The api-version query parameter (?api-version=) is required for all requests.")
    if request.query["api-version"] != version:
        return refuse(400, "InvalidApiVersionParameter",
                      f"The api-version '{request.query['api-version']}' is invalid.")
    unknown = set(request.query) - {"api-version"} - set(extra)
    if unknown:
        return refuse(400, "InvalidQueryParameter", f"not a parameter: {sorted(unknown)}")
    return None


def is_ours(request):
    return request.match.group(1) == world.SUBSCRIPTION


def not_ours(request):
    return refuse(404, "SubscriptionNotFound",
                  f"The subscription '{request.match.group(1)}' could not be found.")


def subscription(n=0):
    identity = world.SUBSCRIPTION if n == 0 else f"{n:08d}" + world.SUBSCRIPTION[8:]
    return {"id": "/subscriptions/" + identity, "subscriptionId": identity, "state": "Enabled",
            "displayName": "Research" if n == 0 else f"Other {n}", "tenantId": world.TENANT}


@sim.route("GET", r"/subscriptions", "Subscriptions_List")
def subscriptions(request):
    return refused(request, "2022-12-01") or \
        answer(200, {"value": [subscription(n) for n in range(sim.args.subscriptions)],
                     "count": {"type": "Total", "value": sim.args.subscriptions}})


@sim.route("GET", r"/subscriptions/([^/]+)", "Subscriptions_Get")
def one_subscription(request):
    wrong = refused(request, "2022-12-01")
    if wrong or not is_ours(request):
        return wrong or not_ours(request)
    return answer(200, subscription())


@sim.route("GET", r"/subscriptions/([^/]+)/locations", "Subscriptions_ListLocations")
def locations(request):
    wrong = refused(request, "2022-12-01")
    if wrong or not is_ours(request):
        return wrong or not_ours(request)
    value = []
    for name, (_, zones, kind) in world.REGIONS.items():
        value.append({"id": f"/subscriptions/{world.SUBSCRIPTION}/locations/{name}", "name": name,
                      "type": "Region", "displayName": name.title(),
                      "metadata": {"regionType": kind, "regionCategory": "Recommended"},
                      "availabilityZoneMappings": [{"logicalZone": zone,
                                                    "physicalZone": f"{name}-az{zone}"}
                                                   for zone in zones]})
    return answer(200, {"value": value})


def page_of(request, rows, size, key):
    """A page and where the next begins; None if this is the last."""
    first = int(request.query.get(key, "0"))
    following = first + size
    return rows[first:following], following if following < len(rows) else None


def here(request):
    return f"http://{request.headers['host']}{request.path}"


@sim.route("GET", r"/subscriptions/([^/]+)/providers/Microsoft\.Compute/skus", "ResourceSkus_List")
def skus(request):
    wrong = refused(request, "2021-07-01", ["$filter", "$skiptoken"])
    if wrong or not is_ours(request):
        return wrong or not_ours(request)
    found = re.fullmatch(r"location eq '(\w+)'", request.query.get("$filter", ""))
    if not found:
        return refuse(400, "InvalidParameter", "The filter is not supported: only location eq 'x'.")
    region = found.group(1)
    if region not in world.REGIONS:
        return refuse(400, "NoRegisteredProviderFound", f"No registered resource provider in {region}.")
    rows, following = page_of(request, world.skus(region), PAGE_SKUS, "$skiptoken")
    body = {"value": rows}
    if following:
        query = {"api-version": "2021-07-01", "$filter": request.query["$filter"],
                 "$skiptoken": following}
        body["nextLink"] = here(request) + "?" + urllib.parse.urlencode(query)
    return answer(200, body)


@sim.route("GET", r"/subscriptions/([^/]+)/providers/Microsoft\.Authorization/permissions",
           "check", contract=False)
def permissions(request):
    wrong = refused(request, "2022-04-01")
    if wrong or not is_ours(request):
        return wrong or not_ours(request)
    return answer(200, {"value": [{"actions": sim.args.role.split(","),
                                   "notActions": ["Microsoft.Authorization/*/Write"],
                                   "dataActions": [], "notDataActions": []}]})


# ---- Retail Prices -------------------------------------------------------------------------------

price_rows = world.prices()
FIELDS = {"serviceName", "priceType", "armRegionName", "armSkuName", "productName", "skuName",
          "meterName"}


def parse_filter(text):
    """[(field, value)] of "a eq 'b' and c eq 'd'"; None if it is something else."""
    terms = []
    for part in text.split(" and ") if text else []:
        found = re.fullmatch(r"\s*(\w+) eq '([^']*)'\s*", part)
        if not found or found.group(1) not in FIELDS:
            return None
        terms.append(found.groups())
    return terms


@sim.route("GET", r"/api/retail/prices", "RetailPrices_List", contract=False)
def prices(request):
    if "authorization" in request.headers:
        return answer(400, {"Message": "this host asks for no credentials and should be given none"})
    if set(request.query) - {"api-version", "$filter", "$skip", "currencyCode"}:
        return answer(400, {"Message": f"not a parameter: {sorted(request.query)}"})
    if request.query.get("api-version") not in (None, "2021-10-01-preview", "2023-01-01-preview"):
        return answer(400, {"Message": "not a version"})
    terms = parse_filter(request.query.get("$filter", ""))
    if terms is None:
        return answer(400, {"Message": "Invalid OData parameters supplied"})
    names = {"priceType": "type"}
    rows = [row for row in price_rows
            if all(row[names.get(field, field)] == value for field, value in terms)]
    page, following = page_of(request, rows, PAGE_PRICES, "$skip")
    link = None
    if following:
        query = {"api-version": request.query["api-version"], "$filter": request.query["$filter"],
                 "$skip": following}
        # As Azure does it: with the port, and with the dollar signs as they are.
        link = here(request) + "?" + urllib.parse.urlencode(query, safe="$", quote_via=urllib.parse.quote)
    return answer(200, {"BillingCurrency": "USD", "CustomerEntityId": "Default",
                        "CustomerEntityType": "Retail", "Items": page, "NextPageLink": link,
                        "Count": len(page)})


if __name__ == "__main__":
    sim.main()
