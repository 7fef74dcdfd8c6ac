# SPDX-License-Identifier: Apache-2.0
# azure.sh - what the tests of souk on a simulated Azure share; sourced by them, after 'set -eu'
# shellcheck shell=sh

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"
command -v "$python" >/dev/null || skip 'no python3 on this machine'
need curl
"$souk" provider list 2>/dev/null | grep -q '^azure ' || skip 'built without the azure provider'

for variable in AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_SUBSCRIPTION_ID \
	AZURE_CLIENT_CERTIFICATE_PATH AZURE_CLIENT_CERTIFICATE_PASSWORD AZURE_FEDERATED_TOKEN_FILE \
	AZURE_AUTHORITY_HOST AZURE_CONFIG_DIR AZURE_POD_IDENTITY_AUTHORITY_HOST IDENTITY_ENDPOINT \
	IDENTITY_HEADER SOUK_AZURE_REGION SOUK_AZURE_CREDENTIAL
do
	unset "$variable" || true
done
PYTHONDONTWRITEBYTECODE=1
AZURE_TENANT_ID=72f988bf-86f1-41af-91ab-2d7cd011db47
AZURE_CLIENT_ID=11111111-2222-3333-4444-555555555555
AZURE_CLIENT_SECRET=s3cret~value
export PYTHONDONTWRITEBYTECODE AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET
server=
azure_server=azureprices.py

end () {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	server_stop
	rm -rf "$tmp"
	exit "$status"
}

server_stop () {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	[ -z "$server" ] || wait "$server" 2>/dev/null || true
	server=
}

server_says () {
	port=$(sed -n 's/^listening //p' server.log)
	[ -n "$port" ] || lives "$server" || { cat server.log; fail 'the server has ended'; }
	[ -n "$port" ]
}

# server_start ARG...: a new Azure, and nothing kept of the last one
server_start () {
	server_stop
	: >server.log
	"$python" "$src/tests/cloudsim/$azure_server" "$@" >>server.log 2>&1 </dev/null &
	server=$!
	await 'the server listens' server_says
	SOUK_AZURE_ENDPOINT=http://127.0.0.1:$port
	SOUK_AZURE_LOGIN_ENDPOINT=$SOUK_AZURE_ENDPOINT
	SOUK_AZURE_PRICES_ENDPOINT=$SOUK_AZURE_ENDPOINT
	export SOUK_AZURE_ENDPOINT SOUK_AZURE_LOGIN_ENDPOINT SOUK_AZURE_PRICES_ENDPOINT
	rm -rf "$SOUK_HOME"
}

faults () { # JSON
	curl -fsS -d "$1" "$SOUK_AZURE_ENDPOINT/_sim/faults" >/dev/null || fail 'no faults'
}

forget () {
	curl -fsS -d '' "$SOUK_AZURE_ENDPOINT/_sim/forget" >/dev/null || fail 'nothing forgotten'
}

# asked EXPRESSION: it is true over r, the requests that the server has had
asked () {
	curl -fsS "$SOUK_AZURE_ENDPOINT/_sim/requests" >requests.json
	"$python" -c 'import json, sys
r = json.load(open("requests.json"))["requests"]
sys.exit(0 if eval(sys.argv[1]) else f"{len(r)} requests")' "$1" || fail "requests: not so: $1"
}

requests () { # how many there were
	curl -fsS "$SOUK_AZURE_ENDPOINT/_sim/requests" |
		"$python" -c 'import json, sys; print(len(json.load(sys.stdin)["requests"]))'
}
