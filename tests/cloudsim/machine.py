#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""machine.py - a simulated machine that is real: an sshd of its own, with its own home and end

The server starts one supervisor for each machine. The supervisor is the parent of sshd and
adopts whatever its sessions leave behind, so that ending the machine ends every process of it
and no other. It ends the machine when its stdin closes: a server that dies takes them along.
"""

import ctypes
import os
import pwd
import re
import selectors
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading

from cloudconfig import CloudConfigError, ssh_settings

PR_SET_CHILD_SUBREAPER = 36
END_SECONDS = 60
EVENTS = {"userauth-request for user": "auth", "Failed ": "auth", "Postponed ": "auth",
          "Accepted publickey": "accept", "Connection from ": "connection"}


# ---- The supervisor -----------------------------------------------------------------------


def _descendants(root):
    """Every process below root, by the parents that /proc tells of."""
    children = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry))
    out, todo = [], [root]
    while todo:
        for child in children.get(todo.pop(), []):
            out.append(child)
            todo.append(child)
    return out


def _kill_all():
    """Kill and reap until there is no child left; what a dead one leaves behind becomes ours."""
    while True:
        for pid in _descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _say(word):
    try:
        os.write(1, (word + "\n").encode())
    except OSError:
        pass


class _Lines:
    """Whole lines from a descriptor that is read in pieces."""

    def __init__(self, fd):
        self.fd = fd
        self.rest = b""

    def read(self):
        """The lines that have come, or None at the end."""
        data = os.read(self.fd, 65536)
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.rest = self.rest[-65536:]
        return [line.decode("utf-8", "replace").strip() for line in lines]


def supervise(folder):
    """Run the machine in 'folder' until stdin closes."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    control = os.open(os.path.join(folder, "control"), os.O_RDWR | os.O_CLOEXEC)
    log_read, log_write = os.pipe2(os.O_CLOEXEC)
    sshd = subprocess.Popen(
        [os.environ["SOUK_SIM_SSHD"], "-D", "-e", "-f", os.path.join(folder, "sshd_config")],
        stdin=subprocess.DEVNULL, stdout=log_write, stderr=log_write,
        cwd=os.path.join(folder, "home"), start_new_session=True)
    os.close(log_write)
    with open(os.path.join(folder, "sshd.log"), "a", encoding="utf-8") as log:
        _serve(sshd.pid, control, log_read, wake_read, log)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _kill_all()


def _serve(sshd, control, log_read, wake_read, log):
    selector = selectors.DefaultSelector()
    for fd in (0, control, log_read, wake_read):
        selector.register(fd, selectors.EVENT_READ)
    orders, words = _Lines(control), _Lines(log_read)
    while True:
        for key, _ in selector.select():
            if key.fd == 0:
                if not os.read(0, 4096):
                    return
            elif key.fd == control:
                for line in orders.read() or []:
                    _say(line if line == "shutdown" else "unknown")
            elif key.fd == log_read:
                lines = words.read()
                if lines is None:
                    selector.unregister(log_read)
                for line in lines or []:
                    _note(line, log)
            else:
                os.read(wake_read, 4096)
                if sshd in _reap():
                    _say("died")


def _note(line, log):
    log.write(line + "\n")
    log.flush()
    if line.startswith("Server listening on "):
        _say("ready")
    for text, event in EVENTS.items():
        if text in line:
            _say("event " + event)


def _reap():
    dead = set()
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return dead
        if pid == 0:
            return dead
        dead.add(pid)


# ---- The server's side --------------------------------------------------------------------

_LOGIN = """#!/bin/sh
# every session of this machine begins here
HOME={home}
PATH={bin}:$PATH
export HOME PATH{more}
cd "$HOME" || exit 1
if [ -n "$SSH_ORIGINAL_COMMAND" ]; then
	exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
fi
exec /bin/sh -l
"""

# how often souk's runtime looks whether it is idle: tests have less patience
_HANDED_ON = ("SOUK_WATCHDOG_INTERVAL",)

_SHUTDOWN = """#!/bin/sh
# ends this machine, and not the computer that it is simulated on
case "$*" in
*-c*) exit 0 ;;
*+0*) ;;
*+*) echo "shutdown: this machine can only shut down now" >&2; exit 1 ;;
esac
echo shutdown >{control}
"""

_SUDO = """#!/bin/sh
# the user of this machine is its root
while :; do
	case "$1" in
	--) shift; break ;;
	-*) shift ;;
	*) break ;;
	esac
done
exec "$@"
"""

_CONFIG = """ListenAddress {address}:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys {home}/.ssh/authorized_keys
ForceCommand {folder}/login
SetEnv HOME={home}
AllowUsers {user}
Subsystem sftp {sftp}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AcceptEnv LANG LC_*
PrintMotd no
MaxStartups 200
MaxSessions 200
LogLevel {log_level}
"""


def _write(path, text, mode=0o600):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def _find(name, *folders):
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *folders]))
    if not path:
        raise OSError(f"{name} is not installed")
    return path


class Machine:
    """One machine that runs. Its folder outlives it when it is only stopped."""

    def __init__(self, folder, address, port, on_shutdown, sshd):
        self.folder, self.address, self.port = folder, address, port
        self.ready = False
        self.error = None
        self.counts = {"connection": 0, "auth": 0, "accept": 0}
        self._on_shutdown = on_shutdown
        self._ending = False
        self._process = subprocess.Popen(
            [sys.executable, "-B", os.path.abspath(__file__), "supervise", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=dict(os.environ, SOUK_SIM_SSHD=sshd), start_new_session=True)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        for raw in self._process.stdout:
            word = raw.decode().strip()
            if word == "ready":
                self.ready = True
            elif word.startswith("event "):
                self.counts[word[6:]] += 1
            elif word == "shutdown" and not self._ending:
                # ending waits for this thread's source, so it happens in another one
                threading.Thread(target=self._on_shutdown, daemon=True).start()
            elif word == "died" and not self._ending:
                self.error = "sshd has ended; see " + os.path.join(self.folder, "sshd.log")
                print(f"machine: {self.error}", file=sys.stderr, flush=True)

    def up(self):
        return self.ready

    def host_keys(self):
        with open(os.path.join(self.folder, "host_key.pub"), encoding="utf-8") as file:
            return [file.read().strip()]

    def end(self, keep):
        if not self._ending:
            self._ending = True
            self.ready = False
            self._process.stdin.close()
            self._process.wait(END_SECONDS)
            self._process.stdout.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def report(self):
        return {"address": self.address, "port": self.port, "folder": self.folder,
                "ready": self.ready, "error": self.error, "connections": self.counts["connection"],
                "auth_attempts": self.counts["auth"], "logins": self.counts["accept"],
                "running": not self._ending}


class Builder:
    """Makes the folder of a machine: its keys, its home, its programs, its sshd_config."""

    def __init__(self, folder, impostor=False):
        self.sshd = _find("sshd", "/usr/sbin", "/usr/local/sbin")
        self.keygen = _find("ssh-keygen")
        self.sftp = next((p for p in ("/usr/lib/openssh/sftp-server",
                                      "/usr/libexec/openssh/sftp-server",
                                      "/usr/lib/ssh/sftp-server",
                                      "/usr/libexec/sftp-server") if os.path.exists(p)),
                         "internal-sftp")
        self.impostor = impostor
        self.folder = folder
        if any(c.isspace() or c in "\"'%\\" for c in self.folder):
            raise OSError(f"TMPDIR: '{self.folder}' has characters that sshd_config cannot take")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", 0o755, exist_ok=True)

    def first_boot(self, folder, instance):
        home, programs = os.path.join(folder, "home"), os.path.join(folder, "bin")
        for path in (folder, home, programs):
            os.mkdir(path, 0o700)
        try:
            private, public, keys = ssh_settings(instance.user_data)
        except CloudConfigError as error:
            print(f"machine: {instance.id}: user data: {error}", file=sys.stderr, flush=True)
            private, public, keys = None, None, []
        self._host_key(folder, private, public)
        _write(os.path.join(folder, "authorized_keys"),
               "".join(k.strip() + "\n" for k in [*instance.authorized, *keys]))
        control = os.path.join(folder, "control")
        os.mkfifo(control, 0o600)
        _write(os.path.join(folder, "login"), _LOGIN.format(
            home=shlex.quote(home), bin=shlex.quote(programs), more="".join(
                f" {name}={shlex.quote(os.environ[name])}" for name in _HANDED_ON
                if name in os.environ)), 0o700)
        for name in ("shutdown", "poweroff", "halt"):
            _write(os.path.join(programs, name), _SHUTDOWN.format(control=shlex.quote(control)),
                   0o700)
        _write(os.path.join(programs, "sudo"), _SUDO, 0o700)
        # a login shell resets PATH from /etc/profile: the real shutdown must stay out of reach
        for name in (".profile", ".bashrc"):
            _write(os.path.join(home, name), f"PATH={shlex.quote(programs)}:$PATH\nexport PATH\n")

    def _host_key(self, folder, private, public):
        path = os.path.join(folder, "host_key")
        if private and not self.impostor:
            _write(path, private if private.endswith("\n") else private + "\n")
            if not public:
                public = subprocess.run([self.keygen, "-y", "-f", path], check=True, text=True,
                                        stdin=subprocess.DEVNULL, capture_output=True).stdout
            _write(path + ".pub", public.strip() + "\n", 0o644)
            return
        subprocess.run([self.keygen, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def configure(self, folder, address, port):
        _write(os.path.join(folder, "sshd_config"), _CONFIG.format(
            address=address, port=port, folder=folder, home=os.path.join(folder, "home"),
            sftp=self.sftp, user=pwd.getpwuid(os.getuid()).pw_name,
            # DEBUG1 tells of every attempt to log in, but also chatters on the session's stderr
            log_level="DEBUG1" if self.impostor else "VERBOSE"))


class Machines(Builder):
    """Runs machines on loopback addresses that belong to this server alone."""

    def __init__(self, server_port, ssh_port=None, impostor=False):
        super().__init__(tempfile.mkdtemp(prefix="souk-sim-"), impostor)
        self.net = f"127.{server_port >> 8}.{server_port & 255}"
        self.last = 0
        self.machines = {}
        self.port = ssh_port or (22 if self._can_bind(22) else 2222)

    def _can_bind(self, port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((f"{self.net}.1", port))
            except OSError:
                return False
        return True

    def start(self, instance, on_shutdown):
        """Boot an instance, for the first time or again; it is up when sshd listens."""
        name = getattr(instance, "folder", None) or instance.id
        folder = os.path.join(self.folder, re.sub(r"[^A-Za-z0-9_-]", "_", name))
        self.last = self.last % 253 + 1
        address = f"{self.net}.{self.last}"
        if not os.path.isdir(folder):
            self.first_boot(folder, instance)
        self.configure(folder, address, self.port)
        machine = Machine(folder, address, self.port, lambda: on_shutdown(instance), self.sshd)
        self.machines[instance.id] = machine
        return machine

    def end_all(self):
        for machine in self.machines.values():
            machine.end(keep=False)
        self.machines.clear()

    def close(self):
        self.end_all()
        shutil.rmtree(self.folder, ignore_errors=True)


# ---- Reaching a machine whose port is not 22 ------------------------------------------------


def connect(host, port):
    """Copy stdin and stdout to a TCP connection: for proxy_command, where 22 could not be had."""
    with socket.create_connection((host, port)) as sock:
        selector = selectors.DefaultSelector()
        selector.register(sock, selectors.EVENT_READ)
        mode = os.fstat(0).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode):
            selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                data = sock.recv(65536) if key.fileobj is sock else os.read(0, 65536)
                if key.fileobj is sock:
                    if not data:
                        return
                    while data:
                        data = data[os.write(1, data):]
                elif data:
                    sock.sendall(data)
                else:
                    selector.unregister(0)
                    sock.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "supervise":
        supervise(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "connect":
        connect(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit("usage: machine.py connect HOST PORT")
