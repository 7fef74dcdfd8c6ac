# SPDX-License-Identifier: Apache-2.0
"""market.py - the market's part of the benchmark: time beside ssh -V, memory, work, and growth

Real price lists are used if SOUK_TEST_CATALOG names a folder of them or one stands beside the source
tree; else made-up ones. Nothing is asserted.
"""
import csv
import ctypes
import glob
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

NULL = os.open(os.devnull, os.O_RDWR)
QUIET = [(os.POSIX_SPAWN_DUP2, NULL, fd) for fd in (0, 1, 2)]
CLOUDS = ["aws", "gcp", "azure", "runpod", "lambda"]

# Three alternatives, each with five accelerators.
TASK = {"resources": {
    "accelerators": {name: None for name in ("H100:8", "A100-80GB:8", "A100:8", "H200:8", "L40S:8")},
    "any_of": [{"use_spot": True}, {"infra": "*/us-*"}, {"max_hourly_cost": 60}]}, "run": "true"}


def milliseconds(argv, env):
    path = shutil.which(argv[0])
    begin = time.perf_counter_ns()
    pid = os.posix_spawn(path, argv, env, file_actions=QUIET)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise RuntimeError(f"'{' '.join(argv)}': status {status}")
    return (time.perf_counter_ns() - begin) / 1e6


# ---- Memory: the most that was resident, read when the process is about to end ---------------------

PTRACE_TRACEME, PTRACE_CONT, PTRACE_SETOPTIONS, PTRACE_O_TRACEEXIT = 0, 7, 0x4200, 0x40
PTRACE_EVENT_EXIT = 6


def peak_kib(argv, env):
    """VmHWM of a program. What wait4() tells would count what this process has before exec, too.
    None where processes cannot be traced."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    ptrace.restype = ctypes.c_long
    path = shutil.which(argv[0])
    pid = os.fork()
    if pid == 0:
        for fd in (0, 1, 2):
            os.dup2(NULL, fd)
        if ptrace(PTRACE_TRACEME, 0, None, None) != 0:
            os._exit(127)
        os.execve(path, argv, env)
    peak = None
    _, status = os.waitpid(pid, 0)
    if os.WIFSTOPPED(status):
        ptrace(PTRACE_SETOPTIONS, pid, None, PTRACE_O_TRACEEXIT)
    while os.WIFSTOPPED(status):
        event, sent = status >> 16, os.WSTOPSIG(status)
        if event == PTRACE_EVENT_EXIT:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                peak = next((int(line.split()[1]) for line in file if line.startswith("VmHWM")), None)
        ptrace(PTRACE_CONT, pid, None, 0 if sent == signal.SIGTRAP else sent)
        _, status = os.waitpid(pid, 0)
    return peak


def work(argv, env):
    """(rows, types, bytes) that a command says it has read, in its debug log."""
    done = subprocess.run(argv + ["--debug"], stdin=NULL, stdout=NULL, stderr=subprocess.PIPE, env=env,
                          check=True)
    said = re.search(rb"of (\d+) rows and (\d+) types read, (\d+) bytes", done.stderr)
    return tuple(int(number) for number in said.groups()) if said else (0, 0, 0)


# ---- Price lists -----------------------------------------------------------------------------------


def lists(source, folder):
    """The folder of the price lists, and what they are."""
    real = os.environ.get("SOUK_TEST_CATALOG", os.path.join(source, "../shared/catalog"))
    if glob.glob(os.path.join(real, "*.csv")):
        return real, "real price lists"
    made_up = os.path.join(folder, "lists")
    os.makedirs(made_up, exist_ok=True)
    subprocess.run([sys.executable, os.path.join(source, "tests/market/oracle.py"), made_up,
                    "--generate", ",".join(CLOUDS + ["bazaar", "northwind"])], check=True)
    return made_up, "price lists that are made up"


def csvs(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.csv"))):
        with open(path, encoding="utf-8") as file:
            if "gpu_name" in file.readline():
                yield path


def importing(souk, path, name):
    return [souk, "catalog", "import", path, "--provider", name, "--date", time.strftime("%Y-%m-%d")]


def import_all(souk, folder, env):
    rows = 0
    for path in csvs(folder):
        name = os.path.splitext(os.path.basename(path))[0]
        done = subprocess.run(importing(souk, path, name) + ["--json"], stdin=NULL,
                              capture_output=True, env=env, check=False)
        if done.returncode != 0:
            print(f"# {path}: not imported: {done.stderr.decode(errors='replace').strip()}")
            continue
        with open(path, "rb") as file:
            rows += sum(1 for _ in file) - 1
    return rows


# ---- Queries beside ssh -V -------------------------------------------------------------------------


def medians(commands, rounds, env):
    """All commands in turns, so that a busy moment hits them all alike."""
    times = {name: [] for name in commands}
    for _ in range(rounds):
        for name, argv in commands.items():
            times[name].append(milliseconds(argv, env))
    return {name: statistics.median(values) for name, values in times.items()}


def bench_queries(souk, home, rounds, env):
    task = os.path.join(home, "task.yaml")
    with open(task, "w", encoding="utf-8") as file:
        json.dump(TASK, file)
    listed = subprocess.run([souk, "provider", "list", "--json"], stdin=NULL, capture_output=True,
                            env=env, check=True)
    installed = [row["name"] for row in json.loads(listed.stdout)["providers"]]
    clouds = [name for name in CLOUDS if name in installed]
    commands = {"ssh -V": ["ssh", "-V"],
                "souk offers": [souk, "offers"],
                "souk offers H100 --json": [souk, "offers", "H100", "--json"],
                "souk offers --cpus 4+ --limit 20": [souk, "offers", "--cpus", "4+", "--limit", "20"]}
    targets = {"souk offers": 1.0, "souk offers H100 --json": 1.0}
    if clouds:
        name = "souk launch --dryrun, 3 any_of, 5 GPUs"
        commands[name] = [souk, "launch", "--dryrun", "-y", "--providers", ",".join(clouds), task]
        targets[name] = 1.0
    for argv in commands.values():  # warm caches, stamps of modules, what is said once a day
        milliseconds(argv, env)
    found = medians(commands, rounds, env)
    print(f"{'':42} {'x ssh -V':>9}  {'target':13} {'peak MiB':>8} {'rows':>8} {'types':>7} {'KiB':>7}")
    for name, argv in commands.items():
        ratio = found[name] / found["ssh -V"]
        target = targets.get(name)
        verdict = "" if target is None else f"{target:.1f} x {'met' if ratio <= target else 'MISSED'}"
        peak = peak_kib(argv, env)
        memory = "?" if peak is None else f"{peak / 1024:.1f}"
        rows, types, checked = work(argv, env) if argv[0] == souk else (0, 0, 0)
        print(f"{name:42} {ratio:9.2f}  {verdict:13} {memory:>8} {rows:8} {types:7} {checked // 1024:7}")
    print()


# ---- Importing ---------------------------------------------------------------------------------------


def bench_import(souk, folder, rounds, env):
    largest = max(csvs(folder), key=os.path.getsize)
    name = os.path.splitext(os.path.basename(largest))[0]
    commands = {"import": importing(souk, largest, name), "wc": ["wc", "-l", largest],
                "sort": ["sort", largest]}
    found = medians(commands, max(3, rounds // 10), env)
    both = found["wc"] + found["sort"]
    ratio = found["import"] / both
    print(f"import of {os.path.basename(largest)}, {os.path.getsize(largest) / 1e6:.1f} MB: "
          f"{ratio:.2f} x (wc -l + sort)  10.0 x {'met' if ratio <= 10 else 'MISSED'}\n")


# ---- Growth ------------------------------------------------------------------------------------------

STAYS, GROWS = "H100", "L4"
BASE_ROWS = 10000


def base_rows(folder):
    """Rows with either accelerator, and machines without any, BASE_ROWS in all."""
    rows, bare = [], []
    for path in csvs(folder):
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["gpu_name"] in (STAYS, GROWS):
                    rows.append(row)
                elif not row["gpu_name"] and len(bare) < BASE_ROWS:
                    bare.append(row)
    rows = rows[:BASE_ROWS // 2]
    while len(rows) + len(bare) < BASE_ROWS and bare:
        bare += bare[:BASE_ROWS - len(rows) - len(bare)]
    return rows + bare[:BASE_ROWS - len(rows)]


def write_copies(path, rows, copies):
    """The same offers again and again, in other regions, of other types; copies of STAYS are of
    accelerators of their own, so that who asks for it gets the same answer in a larger market."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        for copy in range(copies):
            for number, row in enumerate(rows):
                changed = dict(row, provider="growth")
                changed["instance_type"] = f"{row['provider']}.{row['instance_type']}.{number % 7}"
                changed["region"] = f"{row['region'] or 'any'}-{number // 700}"
                if copy:
                    changed["instance_type"] += f"-{copy}"
                    changed["region"] += f"-{copy}"
                    if row["gpu_name"] == STAYS:
                        changed["gpu_name"] = f"{STAYS}-copy-{copy}"
                writer.writerow(changed)


def bench_growth(souk, folder, home, rounds, env):
    rows = base_rows(folder)
    if len(rows) < BASE_ROWS:
        print("# too few rows to multiply: growth is not measured")
        return
    env = dict(env, SOUK_HOME=os.path.join(home, "growth"))
    first = {}
    print(f"{'rows':>9} {'import':>8}   {'by accelerator, the same answer':^40} {'its answer grows':^38}")
    print(f"{'':9} {'s':>8}   {'x 10 k':>8} {'x ssh -V':>9} {'rows':>8} {'KiB':>8} {'':5}"
          f" {'x 10 k':>8} {'x ssh -V':>9} {'rows':>8} {'KiB':>8}")
    for copies in (1, 10, 100):
        path = os.path.join(home, "copies.csv")
        write_copies(path, rows, copies)
        took = milliseconds(importing(souk, path, "growth"), env) / 1000
        os.unlink(path)
        commands = {"ssh": ["ssh", "-V"]}
        for name in (STAYS, GROWS):
            commands[name] = [souk, "offers", name, "--infra", "growth", "--zones", "--csv"]
            milliseconds(commands[name], env)
        found = medians(commands, max(3, rounds // 4), env)
        line = f"{copies * len(rows):9} {took:8.2f}   "
        for name in (STAYS, GROWS):
            first.setdefault(name, found[name])
            read, _, checked = work(commands[name], env)
            line += (f"{found[name] / first[name]:8.2f} {found[name] / found['ssh']:9.2f} {read:8} "
                     f"{checked // 1024:8}       ")
        print(line.rstrip())
    print()


def bench(souk, source, home, rounds, env):
    env = dict(env, SOUK_HOME=os.path.join(home, "market"))
    folder, what = lists(source, home)
    rows = import_all(souk, folder, env)
    print(f"The market: {what}, {rows} rows, {rounds} runs of each, in turns")
    bench_queries(souk, home, rounds, env)
    bench_import(souk, folder, rounds, env)
    bench_growth(souk, folder, home, rounds, env)
