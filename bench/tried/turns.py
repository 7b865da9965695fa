#!/usr/bin/env python3
"""Server CPU per request of any variants of a server, in turns, as ratios to the first of them.

    bench/tried/turns.py [--rounds 15] [--requests 30000] [--mode keepalive|pipelined|close]
        'null=nullserver --port {port}' 'uring=null-uring --port {port}' 'ours=TRACKER ... --listen 127.0.0.1:{port}' ...

A variant is a name and a command, which may begin with settings of the environment (NAME=value); `{port}` stands for a
free port, `{data}` for a folder of its own; `nullserver` is compiled here. One core has the servers, another the load. CPU is what
the scheduler counted, in nanoseconds, for all threads of the process, those of the kernel that work for it included.
Each round gives a ratio to the first variant in the same round; their median is printed, and the middle half of them.
"""

import argparse
import os
import shlex
import shutil
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from servers import Bench, Server, end_all, end_on_signals, free_port  # noqa: E402

CHUNK = 256_000  # requests that the load program prepares at once
MODES = {"keepalive": (), "pipelined": ("--pipeline", 8), "close": ("--mode", "close")}


def cpu(pid):
    """Nanoseconds of CPU that the threads of a process have used."""
    total, folder = 0, f"/proc/{pid}/task"
    for thread in os.listdir(folder):
        try:
            with open(f"{folder}/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            pass
    return total


def memory(pid):
    """Resident megabytes of a process, and how many of them are huge pages."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        sizes = dict(line.split()[:2] for line in file if line.endswith("kB\n"))
    return int(sizes["Rss:"]) // 1024, int(sizes["AnonHugePages:"]) // 1024


def fill(bench, server, swarms, peers):
    """Every peer announces once."""
    for first in range(0, peers, CHUNK):
        requests = ("--enumerate", "--first-id", first, "--requests", min(CHUNK, peers - first), "--pipeline", 8)
        bench.load(server, *swarms, *requests, seconds=120)


def start(bench, variant):
    name, command = variant.split("=", 1)
    port = free_port()
    data = os.path.join(bench.folder, f"data-{name}")
    words = shlex.split(command.format(port=port, data=data))
    environment = {}
    while "=" in words[0]:
        key, value = words.pop(0).split("=", 1)
        environment[key] = value
    if words[0] == "nullserver":
        words[0] = os.path.join(bench.folder, "nullserver")
    return Server(name, words, bench.server_core, bench.folder, port, environment=environment)


def main():
    parser = argparse.ArgumentParser(description="CPU per request of variants of a server, in turns")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=30_000, help="in a round, for each")
    parser.add_argument("--mode", choices=MODES, default="keepalive")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--torrents", type=int, default=10_000)
    parser.add_argument("--peers", type=int, default=100_000)
    parser.add_argument("--numwant", type=int, default=50)
    parser.add_argument("--zipf", type=float, default=1, help="0: every torrent alike")
    parser.add_argument("--ring", type=int, default=65536, help="different requests")
    parser.add_argument("--fill", action="store_true", help="let every peer announce once before")
    parser.add_argument("variants", nargs="+", metavar="NAME=COMMAND")
    arguments = parser.parse_args()
    end_on_signals()
    folder = tempfile.mkdtemp(prefix="tracker-bench-")
    try:
        bench = Bench(folder, "tracker", 0, 1)
        servers = [start(bench, variant) for variant in arguments.variants]
        swarms = ("--torrents", arguments.torrents, "--source-ips", 16, "--connections", arguments.connections)
        load = (*swarms, "--peers", arguments.peers, "--numwant", arguments.numwant, "--zipf", arguments.zipf)
        load += ("--ring", arguments.ring, *MODES[arguments.mode])
        for server in servers:
            if arguments.fill:
                fill(bench, server, swarms, arguments.peers)
            bench.load(server, *load, "--requests", arguments.requests // 4)
        costs, errors, foreign = {server.name: [] for server in servers}, 0, []
        for round_ in range(arguments.rounds):
            turn = round_ % len(servers)
            for server in servers[turn:] + servers[:turn]:
                before = cpu(server.pid)
                seed = ("--seed", 1000 + round_)
                answer = bench.load(server, *load, *seed, "--requests", arguments.requests)
                costs[server.name].append((cpu(server.pid) - before) / 1000 / max(1, answer["requests"]))
                errors += answer["errors"]
                foreign.append(answer["foreign_cpu_pct"])
        base = costs[servers[0].name]
        print(f"{arguments.mode}: {arguments.rounds} rounds of {arguments.requests} requests, {errors} errors,", end=" ")
        print(f"others took {statistics.median(foreign):.0f} % of a core")
        for server in servers:
            mine = costs[server.name]
            ratios = sorted(one / other for one, other in zip(mine, base))
            quarter = len(ratios) // 4
            middle = f"{ratios[quarter]:.3f}–{ratios[-1 - quarter]:.3f}"
            resident, huge = memory(server.pid)
            print(f"  {server.name:20} {statistics.median(mine):7.2f} µs  {statistics.median(ratios):.3f} ({middle})", end="  ")
            print(f"{resident} MB resident, {huge} of it huge pages")
        return 0
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
