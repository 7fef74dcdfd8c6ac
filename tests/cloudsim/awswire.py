# SPDX-License-Identifier: Apache-2.0
"""awswire.py - what AWS requests and answers look like: signatures, query parameters, XML"""

import calendar
import hashlib
import hmac
import re
import time
import urllib.parse
from xml.sax.saxutils import escape

from simworld import SimError

EC2_NS = "http://ec2.amazonaws.com/doc/2016-11-15/"
STS_NS = "https://sts.amazonaws.com/doc/2011-06-15/"
CLOCK_SKEW_SECONDS = 300


class AwsError(SimError):
    """An error that an AWS service answers with."""


# ---- Signatures ------------------------------------------------------------------------


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signing_key(secret, date, region, service):
    key = _hmac(("AWS4" + secret).encode(), date)
    for part in (region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def canonical_query(query):
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    return "&".join(f"{k}={v}" for k, v in sorted((_quote(k), _quote(v)) for k, v in pairs))


def canonical_request(method, path, query, headers, signed, body_hash):
    """headers: dict with lower-case names; signed: list of names; path as it is on the wire."""
    lines = [method, urllib.parse.quote(path or "/", safe="/-_.~"), canonical_query(query)]
    for name in signed:
        lines.append(name + ":" + " ".join(headers.get(name, "").split()))
    return "\n".join(lines + ["", ";".join(signed), body_hash])


def signature(secret, amz_date, region, service, canonical):
    date = amz_date[:8]
    scope = f"{date}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", amz_date, scope, digest])
    return hmac.new(signing_key(secret, date, region, service), text.encode(),
                    hashlib.sha256).hexdigest()


def sign(method, url, headers, body, key_id, secret, region, service, token=None, now=None):
    """The headers of a request with its signature added: the tests' own client."""
    parts = urllib.parse.urlsplit(url)
    amz_date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    out = dict(headers)
    out["Host"] = parts.netloc
    out["X-Amz-Date"] = amz_date
    if token:
        out["X-Amz-Security-Token"] = token
    lower = {k.lower(): v for k, v in out.items()}
    signed = sorted(lower)
    canonical = canonical_request(method, parts.path, parts.query, lower, signed,
                                  hashlib.sha256(body).hexdigest())
    mac = signature(secret, amz_date, region, service, canonical)
    out["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key_id}/{amz_date[:8]}/{region}/{service}/aws4_request, "
        f"SignedHeaders={';'.join(signed)}, Signature={mac}")
    return out


_AUTH = re.compile(r"^AWS4-HMAC-SHA256 +Credential=([^,/ ]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/"
                   r"aws4_request, *SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})$")


class Authorization:
    """The parts of an Authorization header; None if it is not one of AWS signature 4."""

    def __init__(self, match):
        self.key_id, self.date, self.region, self.service, names, self.mac = match.groups()
        self.signed = names.split(";")

    @classmethod
    def parse(cls, header):
        match = _AUTH.match((header or "").strip())
        return cls(match) if match else None


def check_signature(auth, secret, method, path, query, headers, body, now):
    """None if the signature is good, else one of 'signature', 'expired', 'incomplete', 'body'."""
    amz_date = headers.get("x-amz-date", "")
    if not re.match(r"^\d{8}T\d{6}Z$", amz_date) or amz_date[:8] != auth.date:
        return "incomplete"
    if auth.signed != sorted(auth.signed) or "host" not in auth.signed:
        return "incomplete"
    must = [h for h in headers if h.startswith("x-amz-")]
    if any(h not in auth.signed for h in must):
        return "incomplete"
    body_hash = hashlib.sha256(body).hexdigest()
    if headers.get("x-amz-content-sha256", body_hash) != body_hash:
        return "body"
    canonical = canonical_request(method, path, query, headers, auth.signed, body_hash)
    mac = signature(secret, amz_date, auth.region, auth.service, canonical)
    if not hmac.compare_digest(mac, auth.mac):
        return "signature"
    sent = calendar.timegm(time.strptime(amz_date, "%Y%m%dT%H%M%SZ"))
    return "expired" if abs(now - sent) > CLOCK_SKEW_SECONDS else None


# ---- Query parameters ------------------------------------------------------------------


def parse_form(text):
    """Query text to a flat dict; a name given twice is an error, as in EC2."""
    out = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True, max_num_fields=2000):
        if name in out:
            raise AwsError("InvalidParameterCombination",
                           f"The parameter {name} has already been specified")
        out[name] = value
    return out


def pattern(name):
    """'Filter.12.Value.3' to 'Filter.#.Value.#'."""
    return ".".join("#" if part.isdigit() else part for part in name.split("."))


def numbered(params, prefix):
    """The values of PREFIX.1, PREFIX.2 ... in order of their numbers."""
    found = {}
    for name, value in params.items():
        head, _, last = name.rpartition(".")
        if head == prefix and last.isdigit():
            found[int(last)] = value
    return [found[n] for n in sorted(found)]


def structs(params, prefix):
    """PREFIX.N.rest as a list of flat dicts, in order of N."""
    found = {}
    for name, value in params.items():
        if not name.startswith(prefix + "."):
            continue
        number, _, rest = name[len(prefix) + 1:].partition(".")
        if number.isdigit() and rest:
            found.setdefault(int(number), {})[rest] = value
    return [found[n] for n in sorted(found)]


def sub(params, prefix):
    """PREFIX.rest as a flat dict."""
    return {k[len(prefix) + 1:]: v for k, v in params.items() if k.startswith(prefix + ".")}


# ---- XML -------------------------------------------------------------------------------


def _text(value):
    if value is True or value is False:
        return "true" if value else "false"
    return escape(str(value))


def xml(name, value, item="item"):
    """dict: elements; list: <item> elements; None: nothing; anything else: text."""
    if value is None:
        return ""
    if isinstance(value, dict):
        inner = "".join(xml(k, v, item) for k, v in value.items())
    elif isinstance(value, (list, tuple)):
        inner = "".join(xml(item, v, item) for v in value)
    else:
        inner = _text(value)
    return f"<{name}>{inner}</{name}>"


def ec2_answer(action, request_id, value):
    inner = xml("requestId", request_id) + "".join(xml(k, v) for k, v in value.items())
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{EC2_NS}">'
            f"{inner}</{action}Response>\n").encode()


def ec2_error(error, request_id):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors>'
            + xml("Error", {"Code": error.code, "Message": error.message})
            + "</Errors>" + xml("RequestID", request_id) + "</Response>").encode()


def sts_answer(action, request_id, value):
    return (f'<{action}Response xmlns="{STS_NS}">' + xml(f"{action}Result", value, "member")
            + xml("ResponseMetadata", {"RequestId": request_id})
            + f"</{action}Response>").encode()


def sts_error(error, request_id):
    kind = "Sender" if error.status < 500 else "Receiver"
    return (f'<ErrorResponse xmlns="{STS_NS}">'
            + xml("Error", {"Type": kind, "Code": error.code, "Message": error.message})
            + xml("RequestId", request_id) + "</ErrorResponse>").encode()
