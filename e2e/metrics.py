#!/usr/bin/python3
"""/metrics is what Prometheus reads, and has every metric that documents and dashboard speak of.

    e2e/metrics.py --tracker target/release/tracker

Needs Python 3, and for the first check Debian's `promtool` (package prometheus); without it that check is skipped, and
says so.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

from report import Report
from tracker import Tracker
from wait import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAME = re.compile(r"\btracker_[a-z_0-9]+\b")
ANNOUNCE = "/announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-XX0001-abcdefghijkl&port=1000&left=0&event=completed"


def check_format(text, report):
    """What promtool says of it: nothing."""
    promtool = shutil.which("promtool")
    if not promtool:
        report.add("skipped", "promtool", "promtool is not installed")
        return
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    said = (done.stdout + done.stderr).strip()
    report.add("passed" if done.returncode == 0 and not said else "failed", "promtool", said or "finds nothing to say")


def named_in(path):
    """The metrics that a document speaks of, abbreviations such as `_bytes` left out."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return set(NAME.findall(file.read()))


def check_names(text, path, report):
    """Every metric in a document is there."""
    there = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    missing = sorted(named_in(path) - there)
    if missing:
        report.add("failed", path, f"not served: {', '.join(missing)}")
    else:
        report.add("passed", path, f"{len(named_in(path))} metrics")


def main():
    parser = argparse.ArgumentParser(description="checks /metrics")
    parser.add_argument("--tracker", required=True, help="the tracker's binary")
    arguments = parser.parse_args()
    report = Report()
    folder = tempfile.mkdtemp(prefix="tracker-metrics-")
    tracker = Tracker(arguments.tracker, folder, ipv6=False, settings='(store: (snapshot_every: "1s"))')
    try:
        tracker.get(ANNOUNCE)
        tracker.get("/scrape?info_hash=aaaaaaaaaaaaaaaaaaaa")
        tracker.get("/nothing")

        def ready():
            text = tracker.get("/metrics")[1].decode()
            return "tracker_snapshot_peers 1\n" in text and text

        text = wait_for("a snapshot with the peer in it", ready, 30)
        check_format(text, report)
        for path in ("docs/operating.md", "docs/grafana.json"):
            check_names(text, path, report)
    finally:
        tracker.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print(report.summary())
    return 1 if report.sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
