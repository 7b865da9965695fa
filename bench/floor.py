#!/usr/bin/env python3
"""How far the tracker is from the floor: server CPU per request beside a server that does nothing, and memory.

    bench/floor.py --tracker target/release/tracker [--rounds 5] [--seconds 4] [--rows keep-alive,close,...]

Servers take turns within one run (A, B, C, A, B, C, ...) on a core of their own, the load comes from another one, and
medians are compared. Needs gcc, taskset and Python 3; opentracker is compared with where it is installed.
"""

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass

from servers import Bench, end_all, end_on_signals, scrape_peers

SOURCES = 16
USUAL = {"torrents": 10_000, "peers": 100_000}  # Zipf-distributed, a mix of events, numwant 50
BIG = {"torrents": 1, "peers": 100_000}
SPREAD = 64  # source addresses of the memory rows
CHUNK = 256_000  # requests that the load program prepares at once


@dataclass(frozen=True)
class CpuRow:
    """A row that compares CPU per request."""

    title: str
    first: float
    goal: float
    load: tuple
    null: tuple | None = ()  # the null server's arguments; None: an answer as long as the tracker's scrape
    swarms: tuple = tuple(USUAL.items())
    against: str = "null"


@dataclass(frozen=True)
class MemoryRow:
    """A row of bytes of resident memory for each of `count` things."""

    title: str
    first: int
    goal: int
    count: int
    torrents: int = 0  # 0: the things are connections
    peer_ids: bool = False


ROWS = {
    "keep-alive": CpuRow("keep-alive, 64 connections", 0.70, 0.90, ("--connections", 64)),
    "pipelined": CpuRow("pipelined 8 deep", 0.40, 0.60, ("--connections", 64, "--pipeline", 8)),
    "close": CpuRow("a connection each", 0.75, 0.92, ("--connections", 64, "--mode", "close"), ("--close",)),
    "opentracker": CpuRow(
        "a connection each, opentracker in place of the null server",
        1.15,
        1.30,
        ("--connections", 64, "--mode", "close"),
        against="opentracker",
    ),
    "big-swarm": CpuRow(
        "one swarm of 100,000, numwant 200, keep-alive",
        0.60,
        0.80,
        ("--connections", 64, "--numwant", 200),
        ("--peers", "200"),
        tuple(BIG.items()),
    ),
    "scrape": CpuRow(
        "scrape of one, keep-alive",
        0.70,
        0.88,
        ("--connections", 64, "--scrape-ratio", 1, "--scrape-hashes", 1),
        null=None,
    ),
    "peer": MemoryRow("per peer, 20 a torrent, ids dropped", 20, 14, 1_000_000, 50_000),
    "peer-ids": MemoryRow("per peer, 20 a torrent, ids kept", 42, 36, 1_000_000, 50_000, peer_ids=True),
    "torrent": MemoryRow("per torrent of one peer, ids dropped", 110, 75, 1_000_000, 1_000_000),
    "connection": MemoryRow("per idle connection, user space", 512, 256, 15_000),
}


def swarm_arguments(swarms):
    return [word for key, value in swarms.items() for word in (f"--{key}", value)] + ["--source-ips", SOURCES]


def fill(bench, server, swarms):
    """Every peer of the row's swarms announces once, so that nothing is measured on an empty tracker."""
    requests = ("--enumerate", "--torrents", swarms["torrents"], "--requests", swarms["peers"])
    bench.load(server, *requests, "--source-ips", SOURCES, "--connections", 64, seconds=120)


def cpu(bench, row, rounds, seconds, notes):
    """One line of the table of CPU."""
    swarms = dict(row.swarms)
    arguments = (*row.load, *swarm_arguments(swarms))
    servers = [bench.ours()]
    if row.against == "null":
        null = row.null
        if null is None:
            peers, length = scrape_peers(servers[0])
            null = ("--peers", str(peers))
            notes.append(f"scrape: the body has {length} bytes; the null server answers {peers} peers to match")
        servers.insert(0, bench.null(*null))
    else:
        servers.insert(0, bench.opentracker(swarms["torrents"]))
    for server in servers:
        if server.name != "null":
            fill(bench, server, swarms)
        bench.load(server, *arguments, "--seconds", 1)
    results = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            results[server.name].append(bench.load(server, *arguments, "--seconds", seconds, seconds=seconds + 60))

    for name, answers in results.items():
        errors = sum(answer["errors"] + answer["failures"] for answer in answers)
        if errors:
            notes.append(f"{row.title}: {errors} errors or failures from {name}: the figure is worth nothing")
    foreign = statistics.median(answer["foreign_cpu_pct"] for answers in results.values() for answer in answers)
    if foreign > 10:
        notes.append(f"{row.title}: other programs used {foreign:.0f} % of a core meanwhile")

    def median(name, key="server_cpu_us_per_req"):
        return statistics.median(answer[key] for answer in results[name])

    ratio = median(row.against) / median("ours")
    spread = [
        theirs["server_cpu_us_per_req"] / ours["server_cpu_us_per_req"]
        for theirs, ours in zip(results[row.against], results["ours"])
    ]
    return (
        f"| {row.title} | {median(row.against):.2f} | {median('ours'):.2f} "
        f"| {median('ours', 'server_user_us_per_req'):.2f} | {median('ours', 'peers_avg'):.1f} "
        f"| {ratio:.2f} ({min(spread):.2f}–{max(spread):.2f}) "
        f"| {row.first:.2f} | {row.goal:.2f} | {verdict(ratio >= row.first, ratio >= row.goal)} |"
    )


def memory(bench, row, notes):
    """One line of the table of memory."""
    server = bench.ours(row.peer_ids)
    value = announced(bench, server, row) if row.torrents else connected(bench, server, row, notes)
    return f"| {row.title} | {value:.1f} | {row.first} | {row.goal} | {verdict(value <= row.first, value <= row.goal)} |"


def announced(bench, server, row):
    """Bytes for each of `row.count` peers that announce once."""
    before = server.resident()
    for start in range(0, row.count, CHUNK):
        requests = ("--enumerate", "--first-id", start, "--requests", min(CHUNK, row.count - start))
        spread = ("--torrents", row.torrents, "--source-ips", SPREAD, "--connections", 64)
        answer = bench.load(server, *requests, *spread, seconds=120)
        if answer["errors"] or answer["failures"]:
            raise RuntimeError(f"errors while filling the tracker: {answer}")
    return (server.resident() - before) / row.count


def connected(bench, server, row, notes):
    """Bytes for each of `row.count` connections that asked once, by a scrape, which leaves nothing in the swarms."""
    scrape = ("--scrape-ratio", 1, "--scrape-hashes", 1, "--source-ips", SOURCES)
    count = min(row.count, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000)
    bench.load(server, *scrape, "--connections", 256, "--seconds", 1)
    before = server.resident()
    answer = bench.load(server, *scrape, "--connections", count, "--idle", 1, seconds=120)
    if answer["still_open"] != count:
        notes.append(f"{row.title}: {answer['still_open']} of {count} connections stayed open")
    return (answer["rss_after_kb"] * 1024 - before) / max(1, answer["still_open"])


def verdict(first, goal):
    return "goal" if goal else "first" if first else "missed"


def measure(bench, arguments, names):
    notes, cpu_lines, memory_lines, wrong = [], [], [], 0
    for name in names:
        row = ROWS[name]
        if name == "opentracker" and not shutil.which("opentracker"):
            notes.append("opentracker is not installed (Debian package opentracker): its row is left out")
            continue
        print(f"measuring: {row.title}", file=sys.stderr, flush=True)
        try:
            if isinstance(row, CpuRow):
                cpu_lines.append(cpu(bench, row, arguments.rounds, arguments.seconds, notes))
            else:
                memory_lines.append(memory(bench, row, notes))
        except Exception as error:
            wrong = 1
            notes.append(f"{row.title}: not measured: {error}")
        finally:
            end_all()
    if cpu_lines:
        print(
            "| µs of server CPU per request | null | ours | ours, user | peers an answer "
            "| null ÷ ours (rounds) | first | goal | |"
        )
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |", *cpu_lines, sep="\n", end="\n\n")
    if memory_lines:
        print("| bytes of resident memory | ours | first | goal | |")
        print("| --- | ---: | ---: | ---: | --- |", *memory_lines, sep="\n", end="\n\n")
    for note in notes:
        print(f"- {note}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description="CPU and memory of the tracker beside the floor")
    parser.add_argument("--tracker", default="target/release/tracker", help="the release binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rows", default=",".join(ROWS), help="default: %(default)s")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    arguments = parser.parse_args()
    names = arguments.rows.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}")
    end_on_signals()
    folder = tempfile.mkdtemp(prefix="tracker-bench-")
    try:
        return measure(Bench(folder, arguments.tracker, arguments.server_core, arguments.load_core), arguments, names)
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
