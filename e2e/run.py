#!/usr/bin/python3
"""Real BitTorrent clients find each other through the tracker and transfer a file.

    e2e/run.py --tracker target/release/tracker [--only TEXT] [--keep]

Each pair of clients gets folders, ports and processes of its own, and a private torrent, so that the tracker is the
only way to meet. Needs Python 3 and nothing else; the clients are Debian's python3-libtorrent, aria2 and
transmission-cli. A pair whose client is not installed is skipped, and says so.
"""

import argparse
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import process
from pair import Pair, PairFailed
from report import Report
from tracker import Tracker

AT_A_TIME = 2
WHOLE_SECONDS = 240
PAIRS = [
    Pair("libtorrent", "transmission"),
    Pair("transmission", "libtorrent"),
    Pair("aria2", "transmission"),
    Pair("transmission", "aria2"),
    Pair("libtorrent", "aria2"),
    Pair("aria2", "libtorrent"),
    Pair("libtorrent", "libtorrent", family=6),
]


def run_pair(pair, tracker, folder, report):
    """Runs one pair to its verdict; never raises."""
    begin = time.monotonic()
    try:
        pair.run(tracker, os.path.join(folder, pair.name))
        report.add("passed", pair.name, f"{time.monotonic() - begin:.1f} s")
    except PairFailed as failure:
        report.add("failed", pair.name, f"{time.monotonic() - begin:.1f} s\n  {failure}")
    except Exception as error:  # a mistake in the test itself must not look like a pass
        report.add("failed", pair.name, f"{type(error).__name__}: {error}")


def has_ipv6():
    """Whether ::1 can be bound here."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def run(arguments, folder):
    report = Report()
    ipv6 = has_ipv6()
    runnable = []
    for pair in PAIRS:
        if arguments.only not in pair.name:
            continue
        reason = pair.missing() or (None if pair.family == 4 or ipv6 else "this machine has no IPv6 on ::1")
        if reason:
            report.add("skipped", pair.name, reason)
        else:
            runnable.append(pair)

    tracker = Tracker(arguments.tracker, folder, ipv6)
    try:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            for pair in runnable:
                pool.submit(run_pair, pair, tracker, folder, report)
        wrong = tracker.stop()
        if wrong:
            report.add("failed", "tracker-stops", f"{wrong}\n{tracker.log_tail()}")
        else:
            report.add("passed", "tracker-stops", "on SIGTERM, with code 0")
    finally:
        tracker.kill()

    print(report.summary())
    return 1 if report.sums["failed"] else 0


def end_early(number, folder):
    """Leaves none of the processes behind that were started here; what they wrote stays for a look."""
    process.kill_all()
    why = f"took longer than {WHOLE_SECONDS} s" if number == signal.SIGALRM else signal.Signals(number).name
    print(f"failed: {why}; logs are in {folder}", flush=True)
    os._exit(1)


def main():
    parser = argparse.ArgumentParser(description="real clients transfer files through the tracker")
    parser.add_argument("--tracker", required=True, help="the tracker's binary")
    parser.add_argument("--only", default="", metavar="TEXT", help="only pairs with TEXT in their names")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and files")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="tracker-e2e-")
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: end_early(number, folder))
    signal.alarm(WHOLE_SECONDS)
    try:
        return run(arguments, folder)
    finally:
        if arguments.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
