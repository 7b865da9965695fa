#!/usr/bin/python3
"""The tracker is attacked in every way that the program `attack` knows, and nobody else notices.

    e2e/attack.py --tracker target/release/tracker [--seconds 25] [--rate 300] [--p99 50]

While the attack goes on, simulate_peers must not get one wrong answer, and the 99th percentile of what good clients wait must
stay under a bound. The attackers share this machine's cores with the tracker, the good clients and the simulation: they run at
nice 19 and at a bounded rate, so that what is measured is the tracker and not the lack of a second machine.

The limits are in force for everybody here (`exempt: []`): the attackers come from 127.0.0.2 and on and 127.1.x.x, the good clients
from 127.200.0.x, the simulated peers from 127.10.x.x, each an address of its own.

Needs Python 3, and the release builds of `attack` and `simulate_peers` beside the tracker.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile

from figures import Metrics
from good import GoodClients, percentile
from process import Process, kill_all
from report import Report
from tracker import Tracker
from wait import wait_for

SETTINGS = """(
  http: (request_timeout: "5s", max_connections: 4000),
  swarm: (interval: "5s", min_interval: "1s", peer_timeout: "8s", full_scrape: true),
  limits: (
    requests_per_second: 50, burst: 200, connections: 150, peers_per_torrent: 50, peers: 1000,
    exempt: [],
  ),
)
"""
# where an address goes beyond its limits: what was answered or refused, and why connections were closed
COUNTED = ("slowed", "refused_requests", "refused_by_address")
CLOSED = ("over_rate", "over_connections")
CALM = 5


def attacker(folder, beside, url, arguments):
    """Starts `attack` with what is left over of the processor."""
    command = ["nice", "-n", "19", os.path.join(beside, "attack"), url, "--json", "--seed", str(arguments.seed)]
    command += ["--seconds", str(arguments.seconds), "--rate", str(arguments.rate)]
    command += ["--only", arguments.only] if arguments.only else []
    return Process("attack", command, folder)


def simulation(folder, beside, url, seconds):
    """Starts a crowd that looks at every answer."""
    command = [os.path.join(beside, "simulate_peers"), url, "--peers", "2000", "--arrivals", "flash", "--seed", "1"]
    return Process("simulate_peers", [*command, "--seconds", str(seconds), "--peer-timeout", "8s"], folder)


def times(found):
    """p50, p99 and the longest, for people."""
    if not found:
        return "nobody was answered"
    p50, p99 = percentile(found, 0.5), percentile(found, 0.99)
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {found[-1]:.2f} ms of {len(found)} announces"


def check_attack(process, report):
    """The attack has been carried out, and the tracker has said nothing that it should not; returns what it counted."""
    if process.exit_code != 0:
        report.add("failed", "attack", f"code {process.exit_code}\n{process.log_tail()}")
        return None
    text = process.log()
    said = json.loads(text[text.index("{"):])
    modes = said["modes"]
    sums = {name: sum(mode[name] for mode in modes.values()) for name in ("requests", "connections", "odd", "echoed", "believed")}
    idle = [name for name, mode in modes.items() if mode["connections"] == 0]
    good = not idle and sums["odd"] + sums["echoed"] + sums["believed"] == 0
    report.add("passed" if good else "failed", "attack", f"{len(modes)} modes, seed {said['seed']}: {sums}{idle or ''}")
    return said


def check_counters(tracker, report):
    """Nothing panicked, and each of the limits was met."""
    metrics = Metrics.of(tracker)
    panics = metrics.sum("tracker_panics_total")
    report.add("passed" if panics == 0 else "failed", "no panic", f"{panics} were counted")
    found = {name: metrics.sum(f"tracker_{name}_total") for name in COUNTED}
    found |= {reason: metrics.labelled(reason) for reason in CLOSED}
    report.add("passed" if all(found.values()) else "failed", "limits", str(found))


def run(arguments, folder, report):
    beside = os.path.dirname(os.path.abspath(arguments.tracker))
    tracker = Tracker(arguments.tracker, folder, ipv6=False, settings=SETTINGS)
    try:
        url = tracker.announce_url(4)
        load, cores = os.getloadavg()[0], os.cpu_count()
        with GoodClients(url) as good:
            wait_for("a calm beginning", lambda: len(good.times) >= 50 * CALM, 4 * CALM)
            report.add("passed" if not good.wrong else "failed", "before", times(good.take()))
            crowd = simulation(folder, beside, url, arguments.seconds + 2)
            attack = attacker(folder, beside, url, arguments)
            wait_for("the end of the attack", lambda: attack.exit_code is not None, arguments.seconds + 60)
            under = good.take()
            wait_for("the end of the simulation", lambda: crowd.exit_code is not None, 60)
        verdict = "passed" if under and percentile(under, 0.99) < arguments.p99 else "failed"
        others = f"; others use this machine: load {load:.1f} on {cores} cores" if load > cores else ""
        report.add(verdict, "good clients under attack", f"{times(under)}; p99 is to stay under {arguments.p99} ms{others}")
        wrong = f"{len(good.wrong)} wrong, such as {good.wrong[0]}" if good.wrong else "every answer was right"
        report.add("failed" if good.wrong else "passed", "what good clients were told", wrong)
        simulated = f"code {crowd.exit_code}" if crowd.exit_code == 0 else f"code {crowd.exit_code}\n{crowd.log_tail(40)}"
        report.add("passed" if crowd.exit_code == 0 else "failed", "simulate_peers", simulated)
        check_attack(attack, report)
        check_counters(tracker, report)
        wrong = tracker.stop()
        report.add("failed" if wrong else "passed", "tracker-stops", wrong or "on SIGTERM, with code 0")
    finally:
        tracker.kill()
        kill_all()
    print(report.summary())
    return 1 if report.sums["failed"] else 0


def main():
    parser = argparse.ArgumentParser(description="attacks the tracker, and looks after its good clients")
    parser.add_argument("--tracker", required=True, help="the tracker's binary")
    parser.add_argument("--seconds", type=int, default=25, help="how long the attack goes on")
    parser.add_argument("--rate", type=int, default=300, help="requests of each mode a second; 0: all that it can")
    parser.add_argument("--p99", type=float, default=50.0, help="milliseconds that 99 of 100 good announces may take")
    parser.add_argument("--seed", type=int, default=1, help="where the attackers' chance begins")
    parser.add_argument("--only", metavar="MODES", help="only these modes of the attack, separated by commas")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="tracker-attack-")
    try:
        return run(arguments, folder, Report())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
