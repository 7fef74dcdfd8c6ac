# SPDX-License-Identifier: Apache-2.0
# debian.sh - installing packages, for quickstart and run-tests; sourced, not run

BUILD_PACKAGES='gcc libc6-dev make autoconf automake libtool pkg-config scdoc
	libcurl4-openssl-dev libjson-c-dev libsqlite3-dev libssh-dev libssl-dev libxml2-dev libxxhash-dev
	libyaml-dev'
LOCAL_PACKAGES='bash coreutils findutils mawk openssh-client openssh-server rsync'
TEST_PACKAGES='binutils check clang curl g++ git procps python3 python3-venv sqlite3 valgrind xz-utils'
EXTRA_TEST_PACKAGES='busybox rclone shellcheck zsh'

say () {
	printf '== %s\n' "$*"
}

# missing PACKAGE... - those that are not installed; a Provides counts as installed
missing () {
	for package
	do
		case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in
		ii*) ;;
		*)
			# awk, pkg-config and others are provided by more than one package.
			case $package in
			mawk) command -v awk >/dev/null || echo "$package" ;;
			pkg-config) command -v pkg-config >/dev/null || echo "$package" ;;
			*) echo "$package" ;;
			esac ;;
		esac
	done
}

as_root () {
	if [ "$(id -u)" -eq 0 ]
	then
		"$@"
	else
		sudo -n "$@" || sudo "$@"
	fi
}

apt_get () {
	as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# install_packages PACKAGE... - what is missing, and nothing at all if nothing is. Three times, because
# the net of unattended machines has its moments.
install_packages () {
	wanted=$(missing "$@" | tr '\n' ' ')
	[ -n "$wanted" ] || return 0
	say "installing with apt-get: $wanted"
	for attempt in 1 2 3
	do
		# shellcheck disable=SC2086
		if apt_get update && apt_get install --no-install-recommends $wanted
		then
			quiet_sshd "$wanted"
			return 0
		fi
		echo "apt-get failed, attempt $attempt of 3" >&2
	done
	return 1
}

# The provider local runs an sshd of its own, on loopback. A system that had no SSH server before
# must not have one that listens to the world because of that.
quiet_sshd () {
	case $1 in
	*openssh-server*) ;;
	*) return 0 ;;
	esac
	if [ -d /run/systemd/system ]
	then
		say "openssh-server is for souk's local machines; the system's own SSH server stays off"
		as_root systemctl disable --now ssh.service ssh.socket >/dev/null 2>&1 || :
	fi
}

# install_or_explain PACKAGE...
install_or_explain () {
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null
	then
		say "no apt-get here; going on with what is installed. Needed are, by Debian's names:"
		printf '   %s\n' "$(echo "$*" | tr -s ' \t\n' ' ')"
		return 0
	fi
	install_packages "$@"
}
