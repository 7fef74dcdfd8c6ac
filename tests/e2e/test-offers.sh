#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-offers.sh - souk offers: what it shows, in which order, and what it says when there is nothing
set -eu
# shellcheck source=tests/e2e/lib.sh
. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"
command -v "$python" >/dev/null || skip 'no python3 on this machine'

today=$(date -u +%Y-%m-%d)
header=provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,gpu_memory_gib,price_usd_hour,spot_price_usd_hour,local_disk_gib,currency,available

cat >bazaar.csv <<END
$header
bazaar,us-1,us-1a,big.8,x86_64,96,1024,H100,8,80,80,32,4000,USD,
bazaar,us-1,us-1b,big.8,x86_64,96,1024,H100,8,80,80,30,4000,USD,
bazaar,us-2,us-2a,big.8,x86_64,96,1024,H100,8,80,88,,4000,USD,
bazaar,eu-1,,big.8,x86_64,96,1024,H100,8,80,72,40,4000,USD,
bazaar,eu-1,,big.1,x86_64,12,128,H100,1,80,10,11,500,USD,0
bazaar,us-1,us-1a,big.1,x86_64,12,128,H100,1,80,10.5,3,500,USD,5
bazaar,us-1,us-1a,half,x86_64,4,16,H100,0.5,40,6,,,USD,
bazaar,us-1,us-1a,"two, ""words""",arm64,4,16,,,,0.2,,,USD,
bazaar,us-2,us-2a,tiny,x86_64,2,0.5,,,,0.02,0.005,,USD,
bazaar,us-1,us-1a,wrong,x86_64,4,16,L4,1,24,1.5,,,USD,
bazaar,us-2,us-2a,wrong,x86_64,4,16,L4,1,24,1.5,,,USD,
bazaar,eu-1,,wrong,x86_64,4,16,L4,1,24,0.1,,,USD,
bazaar,eu-2,,wrong,x86_64,4,16,L4,1,24,1.4,,,USD,
END
cat >north.csv <<END
$header
north,no-1,,norse,x86_64,8,64,H100,1,80,9,,,EUR,
north,no-1,,bought,x86_64,8,64,H100,1,80,9.5,,,USD,
north,no-1,,card,x86_64,8,64,RTX4090,1,24,0.4,,,USD,
north,,,everywhere,,,,A100-80GB,1,80,,0.9,,USD,
END
for name in bazaar north
do
	run 0 catalog import $name.csv --provider $name --date "$today"
done

# of EXPRESSION: it is so of the offers of the last run, o, and the accelerators, a
of () {
	json "(lambda o, a: $1)(d['offers'], {x['gpu_name']: x for x in d['accelerators']})"
}
types () { # WORD...: these instance types in this order
	of "' '.join(x['instance_type'] for x in o) == '$*'"
}
ours='--infra bazaar'

# ---- What a line is

# shellcheck disable=SC2086
run 0 offers H100 $ours --json
types half big.1 big.8
of '[(x["region"], x["zone"], x["further_regions"]) for x in o] == [("us-1", None, 0), ("eu-1", None, 1), ("eu-1", None, 2)]'
of 'o[2] == {"provider": "bazaar", "region": "eu-1", "zone": None, "instance_type": "big.8", "arch": "x86_64",
	"vcpus": 96, "memory_gib": 1024, "gpu_name": "H100", "gpu_count": 8, "gpu_memory_gib": 80,
	"price_usd_hour": 72, "spot_price_usd_hour": 40, "currency": "USD", "source": "import",
	"date": "'"$today"'", "marks": [], "local_disk_gib": 4000, "available": None, "installed": False,
	"further_regions": 2}'
of 'o[1]["available"] == 0 and o[1]["marks"] == ["spot-price-above-on-demand"] and o[0]["gpu_count"] == 0.5'
of 'a["H100"]["price_usd_hour"] == 9 and a["H100"]["spot_price_usd_hour"] == 3 and a["H100"]["regions"] == 3'
# shellcheck disable=SC2086
run 0 offers H100 $ours --json --all-regions
of '[(x["instance_type"], x["region"], x["price_usd_hour"]) for x in o] == [("half", "us-1", 6), ("big.1", "eu-1", 10),
	("big.1", "us-1", 10.5), ("big.8", "eu-1", 72), ("big.8", "us-1", 80), ("big.8", "us-2", 88)]'
of 'len(o) == 6 and all(x["further_regions"] == 0 for x in o)'
# shellcheck disable=SC2086
run 0 offers h100:8 $ours --json --zones
of '[(x["region"], x["zone"], x["price_usd_hour"]) for x in o] == [("eu-1", None, 72), ("us-1", "us-1a", 80),
	("us-1", "us-1b", 80), ("us-2", "us-2a", 88)]'
run 0 offers H100 $ours
says out 'eu-1 (+2)'
says out 'not installed'
says out 'H100:0.5'
says out '? a price that cannot be right'
run 0 offers H100:8 $ours --zones
says out us-1/us-1b
lacks out 'cannot be right'
echo 'ok: lines'

# ---- Which ones

run 0 offers H100:8 $ours --json --spot --all-regions
of '[(x["region"], x["spot_price_usd_hour"]) for x in o] == [("us-1", 30), ("eu-1", 40)]'
run 0 offers H100:8 $ours --json --region 'us-*'
of '[(x["region"], x["further_regions"], x["price_usd_hour"]) for x in o] == [("us-1", 1, 80)]'
run 0 offers H100:8 --json --infra 'baz*/*/US-1B'
of 'len(o) == 1 and o[0]["spot_price_usd_hour"] == 30'
run 0 offers $ours --json --instance-type 'B*.8'
types big.8
run 0 offers $ours --json --instance-type big.1
types big.1
of 'a["H100"]["regions"] == 2'
run 0 offers $ours --json --arch aarch64
types 'two, "words"'
run 0 offers $ours --json --cpus 4 --max-price 1
of '[(x["instance_type"], x["region"]) for x in o] == [("two, \"words\"", "us-1"), ("wrong", "eu-1")]'
of 'o[1]["marks"] == ["price-far-below-median"]'
run 0 offers $ours --json --cpus 4+ --memory 128+ --limit 1
types big.1
run 0 offers $ours --json --memory 0.5
types tiny
run 0 offers 80GB $ours --json
of '{x["gpu_name"] for x in o} == {"H100"}'
run 0 offers nvidia:24GB+ --infra '*/no-1' --json
types card bought norse
run 69 offers amd:80GB $ours
says err 'no accelerator on sale is of that memory'
run 0 offers H100:3 $ours --json
of 'o == []'
run 69 offers H100:3 $ours
says err 'nothing on sale fits'
run 0 offers --providers north,bazaar --json
of '{x["provider"] for x in o} == {"bazaar", "north"}'
run 0 offers H100 --providers north --json
types bought norse
run 78 offers --providers nobody
run 78 launch --dryrun -y --providers north true
echo 'ok: filters'

# ---- In which order: dollars, then other currencies; what cannot be right, then what is not known, last

run 0 offers $ours --json --instance-type 'wrong' --zones
of '[(x["price_usd_hour"], bool(x["marks"])) for x in o] == [(1.4, False), (1.5, False), (1.5, False), (0.1, True)]'
run 0 offers H100:1 --infra 'n*' --json
types bought norse
run 0 offers H100:1 --infra 'n*'
says out '9.00 EUR'
run 0 offers H100:1 --infra 'n*' --json --max-price 100
types bought
run 0 offers --infra north --json --limit 9
types card bought norse everywhere
of 'o[3]["region"] == "any" and o[3]["vcpus"] is None and o[3]["memory_gib"] is None and o[3]["price_usd_hour"] is None'
run 0 offers --infra north --json --sort name
types bought card everywhere norse
run 0 offers H100 $ours --json --sort gpu-price
types big.8 big.1 half
run 0 offers H100 $ours --json --sort spot
of '[x["spot_price_usd_hour"] for x in o] == [3, 30, None]'
run 0 offers $ours --json --sort VCPUS --limit 2
types tiny 'two, "words"'
for sort in price spot gpu-price vcpus memory name
do
	for depth in '' --all-regions --zones
	do
		run 0 offers $ours --cpus 1+ --csv --sort $sort $depth
		cp out all
		for n in 1 2 3 7 1000
		do
			run 0 offers $ours --cpus 1+ --csv --sort $sort $depth --limit $n
			head -n $((n + 1)) all | cmp -s - out || fail "$n of --sort $sort $depth"
		done
	done
done
[ "$(wc -l <all)" -gt 8 ] || fail 'too few offers to choose among'
run 0 offers $ours --json --sort memory --limit 1
types tiny
run 64 offers --sort prize
says err "did you mean 'price'?"
run 64 offers --sort x
run 64 offers --arch mips
run 64 offers --csv --json
run 65 offers --max-price much
run 65 offers --infra a/b/c/d
echo 'ok: order'

# ---- Names

run 69 offers H1O0
says err "nobody sells the accelerator 'H1O0'"
says err "did you mean 'H100'"
run 69 offers H1O0 --json
run 0 offers 'NVIDIA GeForce RTX 4090' --infra north --json
types card
run 0 offers nvidia-h100-80gb:8 $ours --json
types big.8
run 69 offers RTX4090 $ours
echo 'ok: names'

# ---- Without an argument: the accelerators

run 0 offers --infra '*r*'
says out 'ACCELERATOR'
json_summary () {
	run 0 offers --infra "$1" --json
	of "$2"
}
run 0 offers --infra '*' --json
of 'a["H100"]["providers"] >= 2 and a["H100"]["price_usd_hour"] <= 9 and a["A100-80GB"]["spot_price_usd_hour"] <= 0.9'
json_summary north 'a["H100"]["price_usd_hour"] == 9.5 and a["H100"]["currency"] == "USD" and a["A100-80GB"]["price_usd_hour"] is None'
json_summary bazaar 'a["L4"]["price_usd_hour"] == 1.4 and a["L4"]["regions"] == 4 and sorted(a) == ["H100", "L4"]'
run 0 offers $ours
[ "$(grep -c . out)" -eq 3 ] || fail 'two accelerators make two lines and a header'
says out '1.40'
# By place, where their own records do not tell.
run 0 offers $ours --region 'us-*'
says out '1.50'
run 0 offers $ours --region 'us-*' --json
of 'a["L4"]["price_usd_hour"] == 1.5 and a["L4"]["regions"] == 2 and a["H100"]["spot_price_usd_hour"] == 3'
run 0 offers $ours --spot
lacks out L4
run 78 offers --infra nobody
says err "no module for the provider 'nobody' is installed"
echo 'ok: accelerators'

# ---- CSV: what goes out comes in again

run 0 offers --infra bazaar --zones --csv --cpus 0.1+
[ "$(head -n 1 out)" = "provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,gpu_memory_gib,price_usd_hour,spot_price_usd_hour,currency,source,date,marks,local_disk_gib,available,installed,further_regions" ] ||
	fail 'the header of the CSV'
[ "$(wc -l <out)" -eq 14 ] || fail 'not a line for each row'
says out 'bazaar,us-1,us-1a,"two, ""words""",arm64,4,16,,,,0.20,,USD,import,'
says out ',price-far-below-median,'
cp out again.csv
run 0 offers --infra bazaar --zones --json --cpus 0.1+
cp out before
run 0 catalog import again.csv --provider bazaar --date "$today"
run 0 offers --infra bazaar --zones --json --cpus 0.1+
cmp -s before out || fail 'offers change on their way through a CSV'
echo 'ok: CSV'

# ---- A damaged catalog is named and set aside, and the others are shown

file=$SOUK_HOME/cache/catalog/bazaar.catalog
[ -s "$file" ] || fail 'no catalog'
head -c 100 "$file" >cut && cat cut >"$file"
run 0 offers H100 --json
says err bazaar
of 'all(x["provider"] != "bazaar" for x in o) and any(x["provider"] == "north" for x in o)'
[ ! -e "$file" ] && [ -e "$file.damaged" ] || fail 'the damaged catalog was not set aside'
echo 'ok: a damaged catalog'

# ---- The work is told, and is in proportion to the answer

run 0 catalog import bazaar.csv --provider bazaar --date "$today"
run 0 --debug offers RTX4090 --infra 'north' --json
says err 'offers: 1 lines of 1 rows and 1 types read'
run 0 --debug offers --infra 'north'
says err 'offers: 0 lines of 0 rows'
echo 'ok: work'

# ---- On a terminal a long table goes through the pager

cat >terminal.py <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
out = b""
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    out += data
os.waitpid(pid, 0)
sys.stdout.write(out.decode())
END
seq 40 | sed "s/.*/bazaar,r-&,,t,x86_64,1,1,,,,1,,,USD,/" | cat bazaar.csv - >long.csv
run 0 catalog import long.csv --provider bazaar --date "$today"
TERM=xterm PAGER='sed s/^/paged:/' "$python" terminal.py "$souk" offers $ours --all-regions --cpus 1 >out 2>err
says out 'paged:bazaar'
TERM=xterm PAGER='sed s/^/paged:/' "$python" terminal.py "$souk" offers $ours --cpus 1 >out 2>err
says out bazaar
lacks out paged:
TERM=dumb PAGER='sed s/^/paged:/' "$python" terminal.py "$souk" offers $ours --all-regions --cpus 1 >out 2>err
lacks out paged:
echo 'ok: pager'
