# SPDX-License-Identifier: Apache-2.0
"""pipeline.py - how long souk takes to place the stages of a pipeline, and how much it looks at

Prices are the seeds'; nothing is asserted.
"""
import os
import re
import statistics
import subprocess
import time

STAGES = (2, 10, 50)


def write(path, stages):
    """A pipeline whose stages ask in turn for CPUs and for a GPU, and hand 100 GB on."""
    kinds = ("{cpus: 8+}", "{accelerators: L4}", "{accelerators: A100:8}", "{cpus: 4}")
    with open(path, "w", encoding="ascii") as file:
        file.write("name: bench\n")
        for i in range(stages):
            file.write(f"---\nname: s{i}\nresources: {kinds[i % len(kinds)]}\n"
                       f"outputs: {{s3://between: 100}}\nrun: 'true'\n")


def bench(souk, home, rounds, env):
    """Print the whole process's time for pipelines over two clouds, and the work counted."""
    print(f"{'pipelines over two clouds (launch --dryrun)':46} {'median ms':>10} {'places':>8} {'pairs':>10}")
    for stages in STAGES:
        path = os.path.join(home, f"pipeline-{stages}.yaml")
        write(path, stages)
        argv = [souk, "launch", "--dryrun", "--providers", "aws,gcp", path]
        times = []
        for _ in range(max(3, rounds // 5)):
            begin = time.perf_counter_ns()
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, env=env, check=False)
            times.append((time.perf_counter_ns() - begin) / 1e6)
        if done.returncode != 0:
            print(f"# {stages} stages: exit status {done.returncode}, left out")
            continue
        done = subprocess.run(argv + ["--debug"], stdin=subprocess.DEVNULL, capture_output=True, env=env,
                              check=False)
        said = re.search(rb"pipeline: (\d+) places left, \d+ nodes, (\d+) pairs", done.stderr)
        places, pairs = (int(n) for n in said.groups()) if said else (0, 0)
        print(f"{stages:3} stages{'':36} {statistics.median(times):10.2f} {places:8} {pairs:10}")
    print()
