#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-doctor-tools.sh - machines of other tools in a Google Cloud project and an Azure subscription, found by tags
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/clouds.sh"
need_clouds gcp azure
clouds=gcp,azure
unset GOOGLE_CLOUD_PROJECT CLOUDSDK_CORE_PROJECT CLOUDSDK_CONFIG GCLOUD_PROJECT GCE_METADATA_HOST \
	AZURE_SUBSCRIPTION_ID AZURE_CLIENT_CERTIFICATE_PATH AZURE_FEDERATED_TOKEN_FILE || true
SOUK_AZURE_REGION=eastus
export SOUK_AZURE_REGION

# others_make CLOUD NAME KEY=VALUE...: a machine like the one that is there, as another tool tags it
others_make () {
	"$python" - "$@" <<'END' || fail "no machine made by another tool: $*"
import base64, json, sys, urllib.request

cloud, name, tags = sys.argv[1], sys.argv[2], dict(pair.split("=", 1) for pair in sys.argv[3:])
url = json.load(open("clouds.urls"))[cloud]
state = json.load(urllib.request.urlopen(url + "/_sim/state"))


def send(method, path, body, token):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), method=method, headers={
        "Authorization": "Bearer " + token, "Content-Type": "application/json"})
    return urllib.request.urlopen(request).read()


def token_of(path, header, value):
    request = urllib.request.Request(url + path, headers={header: value})
    return json.load(urllib.request.urlopen(request))["access_token"]


if cloud == "gcp":
    token = token_of("/computeMetadata/v1/instance/service-accounts/default/token",
                     "Metadata-Flavor", "Google")
    mine = state["machines"][0]
    body = dict(mine["body"], name=name, labels=tags)
    body["metadata"] = {"items": [i for i in body["metadata"]["items"] if not i["key"].startswith("souk-")]}
    body["disks"][0]["initializeParams"].pop("labels")
    zone = mine["zone"].split("/")[-1]
    project = mine["zone"].split("/projects/")[1].split("/")[0]
    send("POST", f"/compute/v1/projects/{project}/zones/{zone}/instances?requestId="
         "00000000-0000-4000-8000-" + name.encode().hex()[-12:].rjust(12, "0"), body, token)
else:
    token = token_of("/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
                     "https://management.azure.com/", "Metadata", "true")
    mine = next(t for t in state["things"] if "/virtualmachines/" in t["path"])
    properties = {k: v for k, v in mine["properties"].items()
                  if k not in ("timeCreated", "provisioningState", "instanceView")}
    properties["osProfile"] = dict(properties["osProfile"], customData=base64.b64encode(
        b"#cloud-config\n{}\n").decode())
    send("PUT", mine["path"].rsplit("/", 1)[0] + f"/{name}?api-version=2024-07-01",
         {"location": mine["location"], "tags": tags, "properties": properties}, token)
END
}

clouds_start '{}'
run 0 catalog update gcp azure
for cloud in gcp azure
do
	case $cloud in
	gcp) infra=gcp/us-central1 type=e2-standard-2 ;;
	azure) infra=azure/eastus type=Standard_D2s_v5 ;;
	esac
	run 0 launch -y -d -c mine-$cloud --infra $infra --instance-type $type true
	others_make $cloud sky-1-head skypilot-cluster-name=sky-1 skypilot-user=bob ray-cluster-name=sky-1
	others_make $cloud ray-1-worker ray-cluster-name=ray-1 ray-node-type=worker
	others_make $cloud run-1 dstack_project=main dstack_name=run-1 dstack_user=eve
	others_make $cloud a-pet purpose=petting
	run 1 doctor "$cloud" --json
	json 'sorted((f["tool"], f["cluster"], f["owner"]) for f in d["findings"] if f["standing"] == "foreign") == [("Ray", "ray-1", None), ("SkyPilot", "sky-1", "bob"), ("dstack", "run-1", "eve")]'
	json 'all(f["counts"] for f in d["findings"] if f["standing"] == "foreign")'
	json 'not any("a-pet" in f["id"] for f in d["findings"])'
	run 1 doctor "$cloud" --tear-down -y
	clouds_are "len([m for m in alive if m['cloud'] == '$cloud']) == 5"
	run 0 doctor "$cloud" --others --tear-down -y
	clouds_are "sorted(m['name'][-5:] for m in alive if m['cloud'] == '$cloud' and 'souk-cluster' not in m['tags']) == ['a-pet']"
	clouds_are "len([m for m in alive if m['cloud'] == '$cloud']) == 2"
	echo "ok: $cloud: SkyPilot's, Ray's and dstack's; other machines are none of our business"
done
