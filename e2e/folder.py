"""A run of checks with a folder of its own, which is kept for a look where one has failed."""

import os
import shutil
import signal
import tempfile

from process import kill_all
from report import Report


def run_in_folder(prefix, check):
    """Calls `check(folder, report)`; returns what the program is to end with."""
    folder, report = tempfile.mkdtemp(prefix=prefix), Report()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: end_early(number, folder))
    try:
        check(folder, report)
    finally:
        if report.sums["failed"]:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(report.summary())
    return 1 if report.sums["failed"] else 0


def end_early(number, folder):
    """Leaves none of the processes behind that were started here; what they wrote stays for a look."""
    kill_all()
    print(f"failed: {signal.Signals(number).name}; logs are in {folder}", flush=True)
    os._exit(1)
