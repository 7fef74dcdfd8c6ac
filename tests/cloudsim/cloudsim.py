#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cloudsim.py - all five clouds on loopback in one process, each on a port of its own

It prints one line of JSON, {"aws": URL, "gcp": URL, ...}, when they can be used, and ends at SIGTERM.
With --env FOLDER it first writes there what a client needs: 'env', to be sourced by a shell, and the
files that it names. README.md tells of scenarios, and of what URL/_sim/ can be asked.
"""

import argparse
import importlib
import json
import os
import shlex
import sys

sys.dont_write_bytecode = True

import simserver

# the module of each cloud, which has make_cloud(args, scenario, machines) or a Rest named sim
MODULES = {"aws": "ec2", "gcp": "gcpcompute", "azure": "azurecloud", "runpod": "runpod",
           "lambda": "lambda_"}


def split_scenario(given, clouds):
    """{cloud: its scenario} of one object for all; ValueError if a member means nothing."""
    if not isinstance(given, dict):
        raise ValueError("a scenario is a JSON object")
    for name in given:
        if name not in MODULES and name != "clock":
            raise ValueError(f"scenario: unknown member '{name}'; known: clock, "
                             + ", ".join(MODULES))
    whole = {"clock": given["clock"]} if "clock" in given else {}
    return {cloud: {**whole, **given.get(cloud, {})} for cloud in clouds}


def open_cloud(cloud, common, scenario):
    """A cloud that listens."""
    module = importlib.import_module(MODULES[cloud])
    if cloud == "aws":
        args = simserver.arguments("").parse_args(common)
        return simserver.Serving(args, module.make_cloud, scenario, module.Control)
    return simserver.Serving(module.sim.options.parse_args(common), module.sim.open, scenario)


# what a contract has to do with, of a request's headers
TOLD = ("authorization", "x-amz-target", "if-match", "if-none-match", "content-type")


def recorder(cloud, file):
    """Writes down requests, a line each, for contract.py. They are called one at a time."""
    def record(req):
        headers = {name: req.headers[name] for name in TOLD if name in req.headers}
        if cloud != "aws":      # there the signature tells which service is asked
            headers.pop("authorization", None)
        file.write(json.dumps({"cloud": cloud, "method": req.method, "target": req.target,
                               "headers": headers,
                               "body": req.body.decode("utf-8", "replace")}) + "\n")
        file.flush()
    return record


def environment(servings, folder):
    """What tells a client where the clouds are, and who it is."""
    out = {}
    for cloud, serving in servings.items():
        if cloud == "aws":
            out.update(AWS_ENDPOINT_URL=serving.url, AWS_ACCESS_KEY_ID="testing",
                       AWS_SECRET_ACCESS_KEY="testing")
            continue
        module = importlib.import_module(MODULES[cloud])
        out[f"SOUK_{cloud.upper()}_ENDPOINT"] = serving.url
        out.update(module.environment(serving.url, folder))
    return out


def write_environment(servings, folder):
    path = os.path.join(folder, "env")
    with open(path + ".new", "w", encoding="utf-8") as file:
        for name, value in environment(servings, folder).items():
            file.write(f"export {name}={shlex.quote(value)}\n")
    os.rename(path + ".new", path)


def arguments():
    parser = argparse.ArgumentParser(description="Five simulated clouds on 127.0.0.1.")
    parser.add_argument("--clouds", default=",".join(MODULES), metavar="LIST")
    parser.add_argument("--scenario", metavar="FILE", help="JSON; see README.md")
    parser.add_argument("--env", metavar="FOLDER", help="where to write 'env' for a client")
    parser.add_argument("--specs", metavar="DIR", default=os.environ.get("SOUK_SPECS"),
                        help="the clouds' API contracts to hold requests against (SOUK_SPECS)")
    parser.add_argument("--record", metavar="FILE",
                        help="write the requests there, for contract.py --check")
    parser.add_argument("--sshd", action="store_true", help="machines get a real sshd")
    parser.add_argument("--ssh-port", help="where it listens (22 if it can be had)")
    parser.add_argument("--impostor", action="store_true",
                        help="every sshd has another host key than its user data says")
    args = parser.parse_args()
    args.clouds = args.clouds.split(",")
    for cloud in args.clouds:
        if cloud not in MODULES:
            parser.error(f"--clouds: '{cloud}' is not one of {', '.join(MODULES)}")
    return args


def main():
    args = arguments()
    common = [word for flag, word in ((args.sshd, "--sshd"), (args.impostor, "--impostor"))
              if flag]
    for name in ("specs", "ssh_port"):
        if getattr(args, name):
            common += ["--" + name.replace("_", "-"), getattr(args, name)]
    scenarios = split_scenario(simserver.read_scenario(args.scenario), args.clouds)
    stop = simserver.until_stopped()
    servings = {}
    # Each cloud writes a line at once: lines of two of them do not mix.
    records = open(args.record, "a", encoding="utf-8") if args.record else None
    try:
        for cloud in args.clouds:
            servings[cloud] = open_cloud(cloud, common, scenarios[cloud])
            if records:
                servings[cloud].cloud.record = recorder(cloud, records)
        if args.env:
            os.makedirs(args.env, exist_ok=True)
            write_environment(servings, args.env)
        print(json.dumps({cloud: serving.url for cloud, serving in servings.items()}), flush=True)
        stop.wait()
    finally:
        for serving in servings.values():
            serving.close()


if __name__ == "__main__":
    main()
