#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-cli-docs.sh - the flags in --help, in the man page and in the completions are the same
set -eu

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
souk=${SOUK:-$src/souk}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# same WHAT A B: two sorted lists of flags
same () {
	[ -s "$2" ] || [ "${4:-}" = may-be-empty ] || { echo "not ok: $1: nothing found"; failed=1; }
	diff "$2" "$3" >"$tmp/diff" && return
	echo "not ok: $1"
	sed -n 's/^</  only in --help:/p; s/^>/  only there:/p' "$tmp/diff"
	failed=1
}

# Flags, short and long, of the section of --help that begins with a line.
help_flags () {
	awk -v title="$1" '$0 == title { on = 1; next } /^[^ ]/ { on = 0 } on && /^ +-/ {
		for (i = 1; i <= 2; i++) if ($i ~ /^-/) { sub(/,$/, "", $i); print $i } }' | sort -u
}

# The same of the FLAGS section of a man page's source; the terms are lines that begin with *-.
man_flags () {
	awk '/^# / { on = $0 == "# FLAGS" } on && /^\*-/ {
		for (i = 1; i <= NF; i++) if ($i ~ /^\*-.*\*,?$/) { gsub(/[*,]/, "", $i); print $i } }' "$1" |
		sort -u
}

words () {
	tr -s ' ' '\n' | sed '/^$/d' | sort -u
}

# The body of a function, or of an array, of the zsh completion: its flags.
zsh_flags () {
	awk -v name="$1" '$0 == name "()" || $0 == name "=(" { on = 1; next } /^[})]/ { on = 0 } on' \
		"$src/cli/completion/_souk" | awk '
		/\$_souk_task / { print "TASK" }
		{	line = $0
			gsub(/\([^)]*\)/, "", line)	# what a flag excludes
			sub(/_arguments -s.*\$_souk_common/, "", line)
			while (match(line, /-[-a-z]+(\[|[,}])/)) {
				if (RSTART == 1 || substr(line, RSTART - 1, 1) ~ /[\047"{,*]/)
					print substr(line, RSTART, RLENGTH - 1)
				line = substr(line, RSTART + RLENGTH - 1)
			} }'
}

"$souk" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' >"$tmp/commands"
[ "$(wc -l <"$tmp/commands")" -ge 15 ] || { echo "not ok: commands in souk --help"; exit 1; }

"$souk" status --help | help_flags 'Common flags:' >"$tmp/common"
man_flags "$src/man/souk.1.scd" | grep -vx -e --version >"$tmp/man"
same 'common flags, souk(1)' "$tmp/common" "$tmp/man"
zsh_flags _souk_common | sort -u >"$tmp/zsh"
same 'common flags, zsh' "$tmp/common" "$tmp/zsh"

bash_program=$(command -v bash || true)
if [ -n "$bash_program" ]
then
	# shellcheck disable=SC2016
	"$bash_program" -c '. "$1" && echo $_souk_common' bash "$src/cli/completion/souk.bash" |
		words >"$tmp/bash"
	same 'common flags, bash' "$tmp/common" "$tmp/bash"
	# shellcheck disable=SC2016
	"$bash_program" -c '. "$1" && echo $_souk_commands' bash "$src/cli/completion/souk.bash" |
		words | grep -vx help >"$tmp/bash"
	sort "$tmp/commands" >"$tmp/sorted"
	same 'commands, bash' "$tmp/sorted" "$tmp/bash"
fi

while read -r command
do
	"$souk" "$command" --help | help_flags 'Flags:' >"$tmp/help"
	page=$src/man/souk-$command.1.scd
	[ -f "$page" ] || { echo "not ok: no man page souk-$command(1)"; failed=1; continue; }
	man_flags "$page" >"$tmp/man"
	same "souk $command, man page" "$tmp/help" "$tmp/man" may-be-empty
	{ zsh_flags "_souk_command_$command"; } >"$tmp/zsh"
	if grep -qx TASK "$tmp/zsh"
	then
		zsh_flags _souk_task >>"$tmp/zsh"
	fi
	grep -vx TASK "$tmp/zsh" | sort -u >"$tmp/zsh-sorted" || true
	same "souk $command, zsh" "$tmp/help" "$tmp/zsh-sorted" may-be-empty
	grep -q "^_souk_command_$command()" "$src/cli/completion/_souk" ||
		{ echo "not ok: souk $command: not in the zsh completion"; failed=1; }
	grep -q "'$command:" "$src/cli/completion/_souk" ||
		{ echo "not ok: souk $command: not among the commands of zsh"; failed=1; }
	grep -q "\*souk-$command\*(1)" "$src/man/souk.1.scd" ||
		{ echo "not ok: souk-$command(1) is not in souk(1)"; failed=1; }
	if [ -n "$bash_program" ]
	then
		# shellcheck disable=SC2016
		"$bash_program" -c '. "$1" && _souk_flags "$2"' bash \
			"$src/cli/completion/souk.bash" "$command" | words >"$tmp/bash"
		same "souk $command, bash" "$tmp/help" "$tmp/bash" may-be-empty
	fi
done <"$tmp/commands"

[ "$failed" -eq 0 ] || exit 1
echo "ok: flags of $(wc -l <"$tmp/commands") commands"

zsh_program=$(command -v zsh || true)
if [ -n "$zsh_program" ]
then
	"$zsh_program" -n "$src/cli/completion/_souk"
	echo "ok: zsh reads its completion"
fi
