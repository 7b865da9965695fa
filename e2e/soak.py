#!/usr/bin/python3
"""Clean and hostile load by turns, for as long as wanted, and in the end the tracker has what it had in the beginning.

    e2e/soak.py --tracker target/release/tracker --minutes 30

A round is a crowd that is looked at (simulate_peers), an attack in all its ways (attack) and good clients, all at the same time, and a
pause in which swarms expire. The first round is the warm-up. After each later one memory, descriptors and threads are compared with what they
were after the warm-up, and there must be no peers and no torrents; in the end there must be snapshots, and SIGTERM must end it with code 0.

Descriptors and threads are the same number exactly. Memory is not: the allocator keeps what it was given, in pieces and for a while, so that it
goes up and down by some 10 MiB from round to round; a worker's table of connections keeps its widest size, and tables of torrents keep a
part of theirs. So no round may end with 32 MiB more than the warm-up. And from eight rounds on, the least of the second half may be no more than
8 MiB above the least of the first: a leak of a byte for each announce, or of 40 for each connection, would take that within half an hour.

Needs Python 3, and the release builds of `attack` and `simulate_peers` beside the tracker.
"""

import argparse
import os
import sys
import time

from figures import Metrics, Usage
from folder import run_in_folder
from good import GoodClients, percentile
from process import Process, kill_all
from tracker import Tracker
from wait import TimedOut, wait_for

MEBIBYTE = 1 << 20
MORE_MEMORY = 32 * MEBIBYTE
GROWTH = 8 * MEBIBYTE
ROUNDS_THAT_TELL = 8
# swarms are gone a timeout and a sweep after the last announce
SETTINGS = """(
  http: (request_timeout: "3s", keep_alive: "5s", max_connections: 3000),
  swarm: (interval: "5s", min_interval: "1s", peer_timeout: "8s", full_scrape: true, remember_torrents: 1000),
  store: (sample_every: "1s", snapshot_every: "5s"),
  limits: (exempt: []),
)
"""
PAUSE = 25


class Soak:
    """A tracker and what is done to it."""

    def __init__(self, arguments, folder, report):
        self._arguments, self._folder, self._report = arguments, folder, report
        self._beside = os.path.dirname(os.path.abspath(arguments.tracker))
        self._tracker = Tracker(arguments.tracker, folder, ipv6=False, settings=SETTINGS)
        self._url = self._tracker.announce_url(4)
        self._usages = []
        self._times = []

    def run(self):
        """All rounds, and what is left in the end."""
        end = time.monotonic() + 60 * self._arguments.minutes
        nth = 0
        try:
            while nth < 2 or time.monotonic() + self._arguments.round < end:
                self._round(nth)
                nth += 1
            self._in_the_end()
        finally:
            self._tracker.kill()
            kill_all()

    def _round(self, nth):
        seconds = self._arguments.round - PAUSE
        hostile = ["nice", "-n", "19", os.path.join(self._beside, "attack"), self._url, "--seed", str(nth)]
        hostile += ["--seconds", str(seconds - 1), "--rate", str(self._arguments.rate)]
        crowd = [os.path.join(self._beside, "simulate_peers"), self._url, "--seed", str(nth), "--peers", "2000"]
        crowd += ["--seconds", str(seconds), "--peer-timeout", "8s", "--patience", "20"]
        begin = time.monotonic()
        with GoodClients(self._url, rate=20) as good:
            runs = [Process(f"attack-{nth}", hostile, self._folder), Process(f"crowd-{nth}", crowd, self._folder)]
            for process in runs:
                wait_for(f"the end of {process.name}", lambda: process.exit_code is not None, seconds + 120)
            times = good.take()
        self._times += times
        wrong = [f"{process.name}: code {process.exit_code}\n{process.log_tail()}" for process in runs if process.exit_code]
        wrong += [f"{len(good.wrong)} wrong answers, such as {good.wrong[0]}"] if good.wrong else []
        metrics = Metrics.of(self._tracker)
        wrong += [f"{count} panics" for count in [metrics.sum("tracker_panics_total")] if count]
        try:
            wait_for("swarms and connections to go", self._is_empty, 4 * PAUSE)
        except TimedOut as late:
            metrics = Metrics.of(self._tracker)
            wrong.append(f"{late}: {metrics.sum('tracker_peers')} peers of {metrics.sum('tracker_torrents')} torrents, "
                         f"{metrics.sum('tracker_connections')} connections")
        usage = Usage.settled(self._tracker.pid)
        self._usages.append(usage)
        wrong += self._changed(usage)
        p99 = f"good clients' p99 {percentile(times, 0.99):.1f} ms of {len(times)}" if times else "no good answer"
        name = f"round {nth}" if nth else "warm-up"
        self._report.add("failed" if wrong else "passed", name,
                         f"{time.monotonic() - begin:.0f} s: {usage}; {p99}" + "".join(f"\n  {text}" for text in wrong))

    def _is_empty(self):
        metrics = Metrics.of(self._tracker)
        # the one that asks is there
        return (metrics.sum("tracker_peers"), metrics.sum("tracker_torrents"), metrics.sum("tracker_connections")) == (0, 0, 1)

    def _changed(self, usage):
        first = self._usages[0]
        wrong = []
        for name in ("descriptors", "threads"):
            if getattr(usage, name) != getattr(first, name):
                wrong.append(f"{getattr(usage, name)} {name}, after the warm-up {getattr(first, name)}")
        if usage.resident > first.resident + MORE_MEMORY:
            wrong.append(f"{usage}, after the warm-up {first}")
        return wrong

    def _in_the_end(self):
        taken = [usage.resident for usage in self._usages]
        half = len(taken) // 2
        first, second = (min(part) / MEBIBYTE for part in (taken[:half], taken[half:]))
        has_grown = len(taken) >= ROUNDS_THAT_TELL and second > first + GROWTH / MEBIBYTE
        self._report.add("failed" if has_grown else "passed", "memory",
                         f"{len(taken)} rounds, at least {first:.1f} MiB in the first half and {second:.1f} in the second, "
                         f"{max(taken) / MEBIBYTE:.1f} at the most")
        times = sorted(self._times)
        self._report.add("passed", "good clients", f"p50 {percentile(times, 0.5):.2f} ms, p99 {percentile(times, 0.99):.1f} ms, "
                                                   f"longest {times[-1]:.0f} ms of {len(times)}")
        metrics = Metrics.of(self._tracker)
        counted = {name: metrics.sum(f"tracker_{name}_total") for name in ("announces", "scrapes", "failures", "connections_accepted")}
        self._report.add("passed", "counted", str(counted))
        data = os.path.join(self._folder, "data")
        there = sorted(os.listdir(data))
        has_all = {"history.ron", "swarms.ron", "swarms.ron.1"} <= set(there)
        self._report.add("passed" if has_all else "failed", "files", ", ".join(there))
        wrong = self._tracker.stop()
        self._report.add("failed" if wrong else "passed", "tracker-stops", wrong or "on SIGTERM, with code 0")


def main():
    parser = argparse.ArgumentParser(description="clean and hostile load, and what is left of it")
    parser.add_argument("--tracker", required=True, help="the tracker's binary")
    parser.add_argument("--minutes", type=float, default=30, help="how long it takes; two rounds at least")
    parser.add_argument("--round", type=int, default=90, metavar="S", help=f"how long a round takes, {PAUSE} s of pause in it")
    parser.add_argument("--rate", type=int, default=200, help="requests of each mode of the attack a second")
    arguments = parser.parse_args()
    return run_in_folder("tracker-soak-", lambda folder, report: Soak(arguments, folder, report).run())


if __name__ == "__main__":
    sys.exit(main())
