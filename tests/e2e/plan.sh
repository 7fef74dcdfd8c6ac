# SPDX-License-Identifier: Apache-2.0
# plan.sh - what the tests of 'souk launch --plan' share: plan and wire; sourced after a cloud's own functions
#
# It asks the server of prices.sh ($url); a test with another one has two functions of its own: server_forget,
# with which the server's log of requests begins anew, and server_was_idle, which fails unless no request
# has come since. A test sets plan_names, which says what in a plan stands for what on the wire: words of NAME=FORM, a form being
# an extended regular expression without blanks ("i-INSTANCE=i-[0-9a-f]+").
# shellcheck shell=sh disable=SC2154

plan_names=

# there EXPRESSION: print it, over d, what the server has, and the machines that live
there () {
	"$python" -c 'import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/state"))
alive = [m for m in d["instances"] if m["id"] in d["alive"]]
print(eval(sys.argv[2]))' "$url" "$1"
}

there_is () {
	[ "$(there "bool($1)")" = True ] || fail "on the server's side: not so: $1
$(there 'alive, d["leftovers"], d["requests"][-8:]')"
}

# settled: nothing is left in the store; absence counts once it was confirmed twice
settled () {
	run 0 status --refresh --json
	"$python" -c 'import json, sys; sys.exit(json.load(open("out"))["clusters"] != [])'
}

all_gone () {
	await 'all is settled' settled
	there_is 'alive == [] and d["leftovers"] == []'
}

server_forget () {
	sim_forget
}

server_was_idle () {
	there_is 'd["requests"] == []'
}

# planned ARG...: the plan, with which nothing was sent
planned () {
	server_forget
	run 0 launch --plan --json --all -c t "$@"
	cp out plan.json
	server_was_idle
	json 'd["providers"] and not any(p["problem"] for p in d["providers"])'
}

# compare PLAN: what was recorded against a plan; the verdict is in 'wire'
compare () {
	# shellcheck disable=SC2086
	"$python" "$src/tests/e2e/plan-wire.py" "$1" "$SOUK_HTTP_RECORD" $plan_names >wire
}

# wire_is_planned WHAT: what was recorded lies in the plan; it begins anew
wire_is_planned () {
	compare plan.json || { cat wire; fail "$1: requests outside the plan"; }
	rm -rf "$SOUK_HTTP_RECORD"
	echo "ok: $1: $(tail -n 1 wire)"
}

# wire_needs WHAT: with that taken out of the plan, the wire is found to be outside
wire_needs () {
	"$python" -c 'import json, sys
d = json.load(open("plan.json"))
d["requests"] = [r for r in d["requests"] if r["what"] != sys.argv[1]]
json.dump(d, open("less.json", "w"))' "$1"
	! compare less.json || fail 'nothing is outside any plan'
	grep -q "not in the plan: $1 " wire || fail "'$1', which is not in the plan, was not found"
}

# plan_has_rows: what the plan of any cloud has to be
plan_has_rows () {
	json 'd["total"] == len({r["candidate"] for r in d["requests"]})'
	json '"new" in {r["scene"] for r in d["requests"]}'
	json '{"provision", "wait", "down", "settle"} <= {r["step"] for r in d["requests"]}'
	json '[r["candidate"] for r in d["requests"]] == sorted(r["candidate"] for r in d["requests"])'
}
