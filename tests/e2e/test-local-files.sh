#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-local-files.sh - what reaches a machine: workdir by its ignore files, mounts, git, variables
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need_local
need tar

# What is in a folder, one path a line.
list () { # FOLDER
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort)
}

# Paths, kinds, modes, links and contents.
fingerprint () { # FOLDER
	(
		cd "$1"
		find . -mindepth 1 -printf '%y %m %p -> %l\n' | LC_ALL=C sort
		find . -type f -exec cksum {} + | LC_ALL=C sort -k3
	)
}

same () { # WHAT FOLDER FOLDER
	fingerprint "$2" >expected
	fingerprint "$3" >found
	cmp -s expected found || {
		diff expected found | head -20
		fail "$1 does not arrive as it is"
	}
}

find . -maxdepth 0 -printf '' 2>/dev/null || skip 'find has no -printf'
newline='
'

# Files with every name that a file system takes.
make_work () { # FOLDER
	mkdir -p "$1/deep/er" "$1/empty" "$1/-dash" "$1/with blank"
	echo one >"$1/plain"
	echo two >"$1/with blank/a b  c"
	echo three >"$1/it's \"quoted\" \`x\` \$HOME \\back"
	echo four >"$1/new${newline}line"
	echo five >"$1/-dash/-n"
	echo six >"$1/deep/er/*?[a]"
	echo seven >"$1/.hidden"
	printf '\303\274ml\303\244ut\n' >"$1/$(printf '\303\274')"
	printf '#!/bin/sh\necho runs\n' >"$1/deep/tool"
	chmod 755 "$1/deep/tool"
	chmod 600 "$1/.hidden"
	ln -s plain "$1/link"
	ln -s deep/er "$1/link-to-folder"
	ln -s /nonexistent/target "$1/dangling"
	: >"$1/nothing"
	dd if=/dev/urandom of="$1/binary" bs=4096 count=64 2>/dev/null
}

cat >look.yaml <<'T'
name: look
workdir: work
resources:
  infra: local
run: |
  deep/tool
  cat plain
  ls -A ~/sky_workdir/deep
T

# check_transport NAME CLUSTER: the whole of it, by what souk finds to copy with
check_transport () {
	rm -rf work
	make_work work
	run 0 launch -y -c "$2" look.yaml
	prints runs
	prints one
	prints tool
	machine "$2"
	same 'the workdir' work "$machine_home/souk_workdir"
	# Again: changed, added, a file that became a folder; what only the machine has stays.
	echo changed >work/plain
	echo added >work/added
	chmod 644 work/deep/tool
	chmod 755 work/added
	rm work/link
	ln -s added work/link
	run 0 exec "$2" --workdir work 'cat plain added; echo made >made-there'
	prints changed
	prints added
	[ "$(cat "$machine_home/souk_workdir/made-there")" = made ] || fail 'the job runs elsewhere'
	rm "$machine_home/souk_workdir/made-there"
	same 'the changed workdir' work "$machine_home/souk_workdir"
	run 0 exec "$2" --workdir work 'echo kept >only-there'
	run 0 exec "$2" --workdir work 'cat only-there'
	prints kept
	echo "ok: workdir by $1"
}

# check_ignore NAME CLUSTER: the rules of the ignore files
check_ignore () {
	rm -rf ign
	mkdir -p ign/sub/deep ign/build/x ign/data ign/logs ign/.git/info
	for f in a.txt a.o sub/b.o sub/keep.o sub/b.txt sub/deep/c.o sub/deep/keep.o build/x/y data/big \
		data/small top.cfg sub/top.cfg logs/1.log 'with blank.o' secret sub/secret2 \
		.git/config excluded 'odd#name' '#hash'
	do
		echo "$f" >"ign/$f"
	done
	printf '%s\n' '# a comment' '' '*.o' '!keep.o' 'build/' '/top.cfg' 'logs/*.log' '\#hash' \
		'data/**' '!data/small' 'nosuch' >ign/.gitignore
	printf '%s\n' '/secret2' '!c.o' >ign/sub/.gitignore
	echo excluded >ign/.git/info/exclude
	run 0 exec "$2" --workdir ign 'true'
	machine "$2"
	rm -rf "$machine_home/souk_workdir"
	mkdir "$machine_home/souk_workdir"
	run 0 exec "$2" --workdir ign 'true'
	list "$machine_home/souk_workdir" | grep -v '^\./\.git\(/\|$\)' >found
	LC_ALL=C sort >expected <<-T
	./.gitignore
	./a.txt
	./data
	./data/small
	./logs
	./odd#name
	./secret
	./sub
	./sub/.gitignore
	./sub/b.txt
	./sub/deep
	./sub/deep/c.o
	./sub/deep/keep.o
	./sub/keep.o
	./sub/top.cfg
	T
	cmp -s expected found || { diff expected found; fail '.gitignore'; }
	if command -v git >/dev/null
	then
		# git itself is the judge of its own rules.
		(
			cd ign
			rm -rf .git
			git init -q .
			echo excluded >.git/info/exclude
			git ls-files -co --exclude-standard | LC_ALL=C sort
		) >git.files
		(cd "$machine_home/souk_workdir" && find . -type f ! -path './.git/*' | sed 's/^..//' |
			LC_ALL=C sort) >our.files
		cmp -s git.files our.files || { diff git.files our.files; fail 'git sees it another way'; }
	fi

	# One of our own files at the top decides alone.
	for own in .skyignore .soukignore
	do
		rm -rf "$machine_home/souk_workdir" ign/.skyignore ign/.soukignore
		mkdir "$machine_home/souk_workdir"
		printf '%s\n' '/sub' '*.cfg' '.git' >"ign/$own"
		run 0 exec "$2" --workdir ign 'true'
		[ -e "$machine_home/souk_workdir/a.o" ] || fail "$own: .gitignore still counts"
		[ -e "$machine_home/souk_workdir/build/x/y" ] || fail "$own: .gitignore still counts"
		[ ! -e "$machine_home/souk_workdir/sub" ] || fail "$own does not keep a folder back"
		[ ! -e "$machine_home/souk_workdir/top.cfg" ] || fail "$own does not keep a file back"
		[ ! -e "$machine_home/souk_workdir/.git" ] || fail "$own does not keep .git back"
	done
	echo "ok: ignore files by $1"
}

# check_mounts NAME CLUSTER: files and folders, to every kind of place
check_mounts () {
	rm -rf mnt
	make_work mnt/folder
	echo first >"mnt/it's a file"
	ln -s "it's a file" mnt/link
	mkdir -p "$HOME/in home"
	echo 'from home' >"$HOME/in home/f"
	cat >mounts.yaml <<-T
	file_mounts:
	  ~/data: mnt/folder
	  ~/named/other name: "mnt/it's a file"
	  relative/dir: mnt/folder
	  relative/file: "mnt/it's a file"
	  $tmp/absolute/$2/dir: mnt/folder/deep
	  ~/from home: ~/in home/f
	run: |
	  cat ~/'named/other name' relative/file ~/'from home'
	  ~/data/deep/tool
	T
	run 0 launch -y -c "$2" mounts.yaml
	prints first
	prints 'from home'
	prints runs
	machine "$2"
	same 'a mounted folder' mnt/folder "$machine_home/data"
	same 'a mounted folder below the workdir' mnt/folder "$machine_home/souk_workdir/relative/dir"
	same 'a folder at an absolute path' mnt/folder/deep "$tmp/absolute/$2/dir"
	[ "$(find "$machine_home/named" -type f | wc -l)" -eq 1 ] || fail 'a mounted file under two names'
	echo second >"mnt/it's a file"
	echo changed >mnt/folder/plain
	run 0 launch -y -c "$2" mounts.yaml
	prints second
	lacks out first
	same 'a mounted folder the second time' mnt/folder "$machine_home/data"
	# exec brings no mounts.
	echo third >"mnt/it's a file"
	run 0 exec "$2" mounts.yaml
	prints second
	run 65 launch -y -c "$2" --env GONE=gone missing-mount.yaml
	echo "ok: file mounts by $1"
}
cat >missing-mount.yaml <<'T'
file_mounts:
  ~/x: ./no/such/file
run: echo x
T

if command -v rsync >/dev/null
then
	check_transport rsync a
	check_ignore rsync a
	check_mounts rsync a
fi

# A PATH of links, without rsync.
mkdir bin
saved=$PATH
for folder in $(echo "$PATH" | tr ':' ' ')
do
	for program in "$folder"/*
	do
		name=${program##*/}
		if [ "$name" != rsync ] && [ -x "$program" ] && [ ! -e "bin/$name" ]
		then
			ln -sf "$program" "bin/$name"
		fi
	done
done
PATH=$tmp/bin
! command -v rsync >/dev/null || fail 'rsync is still there'
check_transport tar b
check_ignore tar b
check_mounts tar b
PATH=$saved

# ---- Two nodes get the same

rm -rf work
make_work work
run 0 launch -y -c two --num-nodes 2 --workdir work 'cat plain'
[ "$(grep -c ') one$' out)" -eq 2 ] || fail 'a node has no workdir'
machine two 1
same "a worker's workdir" work "$machine_home/souk_workdir"
run 0 down -y two
echo "ok: workdir on each node"

# ---- Variables arrive byte by byte

awkward="it's \"quoted\" \\ \$HOME \`id\` \$(id) ; & | * ${newline}${newline}second line	tab ${newline}"
printf '%s' "$awkward" >awkward
cat >envs.yaml <<'T'
envs:
  YAML: "double \" quote\nnew line\ttab 'single' $HOME `id` \\ end"
  EMPTY: ""
  NUMBER: 1.50
  TRUTH: true
run: |
  printf '%s' "$AWKWARD" >~/awkward
  printf '%s' "$FROM_FILE" >~/from-file
  printf '%s' "$YAML" >~/yaml
  printf '%s' "$COPIED" >~/copied
  printf '<%s>' "$EMPTY" "$NUMBER" "$TRUTH" >~/scalars
T
printf 'FROM_FILE=a b=c "d"\n# a comment\nAWKWARD=overridden\n' >env.file
cluster=b
[ ! -d "$SOUK_HOME/state/clusters/a" ] || cluster=a
COPIED="copied ' one"
export COPIED
run 0 exec $cluster --env-file env.file --env "AWKWARD=$awkward" --env COPIED envs.yaml
machine $cluster
cmp awkward "$machine_home/awkward" || fail 'a value is changed on its way'
printf '%s' "double \" quote${newline}new line	tab 'single' \$HOME \`id\` \\ end" >yaml
cmp yaml "$machine_home/yaml" || fail 'a value of the file is changed on its way'
[ "$(cat "$machine_home/copied")" = "copied ' one" ] || fail '--env NAME does not copy'
[ "$(cat "$machine_home/scalars")" = '<><1.5><True>' ] || fail 'scalars'
[ "$(cat "$machine_home/from-file")" = 'a b=c "d"' ] || fail "--env-file: $(cat "$machine_home/from-file")"
echo "ok: variables"

# ---- A workdir from git

if command -v git >/dev/null
then
	export GIT_CONFIG_GLOBAL="$tmp/gitconfig" GIT_CONFIG_NOSYSTEM=1
	git config --file "$GIT_CONFIG_GLOBAL" user.name t
	git config --file "$GIT_CONFIG_GLOBAL" user.email t@example.com
	git config --file "$GIT_CONFIG_GLOBAL" init.defaultBranch main
	git init -q repo
	(
		cd repo
		echo 1 >f
		git add f
		git commit -qm 1
		git tag v1
		git rev-parse HEAD >../first
		git checkout -qb side
		echo side >f
		git commit -qam side
		git checkout -q main
		echo 2 >f
		git commit -qam 2
	)
	run_git () { # REF EXPECTED
		printf 'workdir:\n  url: file://%s/repo\n%s\nrun: echo "has $(cat f)"\n' "$tmp" \
			"${1:+  ref: \"$1\"}" >git.yaml
		run 0 launch -y -c g git.yaml
		prints "has $2"
	}
	run_git '' 2
	run_git side side
	run_git v1 1
	run_git main 2
	run_git "$(cat first)" 1
	(cd repo && git checkout -q side && echo newer >f && git commit -qam newer && git checkout -q main)
	run_git side newer
	run_git '' 2
	printf 'workdir:\n  url: file://%s/repo\n  ref: nosuch\nrun: echo x\n' "$tmp" >git.yaml
	status=0
	"$souk" launch -y -c g git.yaml >out 2>err </dev/null || status=$?
	[ $status -ne 0 ] || fail 'a branch that does not exist'
	says err nosuch
	echo "ok: workdir from git"
fi
