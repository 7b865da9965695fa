#!/usr/bin/python3
"""The statistics page in a real browser: what it shows is what the tracker serves, and it works for everyone.

    e2e/browser.py --tracker target/release/tracker --history target/release/examples/made_up_history
                   [--only TEXT] [--keep DIR] [--screenshots DIR] [--prove]

`--history` is the program that makes a history up: `cargo build --release -p tracker-store --example made_up_history`.
`--prove` spoils the page in many ways, and sees to it that the checks notice (see spoils.py). Needs Python 3 and
nothing else; the browser is Debian's chromium, with chromium-driver. Without them everything is skipped, and says so.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

import chromium
import process
import spoils
from checks import choices, drawing, keyboard, loading, looks, newcomer, phone, pointer, table, trouble
from past import Past, Visitors
from report import Report
from visit import Visit
from wait import TimedOut

WHOLE_SECONDS = 180
CHECKS = {
    "two-requests": loading.check_requests,
    "no-complaints": loading.check_policy,
    "figures": loading.check_figures,
    "choices": choices.check_pairs,
    "choices-by-keyboard": choices.check_keyboard,
    "choices-in-the-address": choices.check_address,
    "hours-for-long-periods": choices.check_hours_only,
    "hover": pointer.check_hover,
    "hover-where-it-was-off": pointer.check_hover_gap,
    "drawn-lines": drawing.check_lines,
    "drawn-gap": drawing.check_gap,
    "drawn-bars": drawing.check_bars,
    "zoom": pointer.check_zoom,
    "legend-hides": drawing.check_legend,
    "keyboard-order": keyboard.check_order,
    "keyboard-controls": keyboard.check_controls,
    "keyboard-cursor": keyboard.check_cursor,
    "phone": phone.check_phone,
    "phone-touch": phone.check_touch,
    "every-width": phone.check_widths,
    "themes": looks.check_themes,
    "contrast": looks.check_contrast,
    "nothing-shifts": looks.check_steady,
    "table": table.check_table,
    "new-tracker": newcomer.check_empty,
    "hostile-peer": newcomer.check_hostile,
    "tracker-gone": trouble.check_gone,
    "tracker-gone-retry": trouble.check_retry,
    "not-public": trouble.check_not_public,
}


class Bench:
    """A browser, a tracker with a past, and what each check needs of them."""

    def __init__(self, arguments, folder):
        self._arguments = arguments
        self._folder = folder
        self._past = Past(arguments.tracker, os.path.abspath(arguments.history), folder)
        self._tracker = self._past.start(os.path.join(folder, "main"))
        self._visitors = Visitors(self._tracker, self._past)
        self._browser = chromium.Chromium(folder)

    def run(self, name, label, spoil=""):
        """Runs one check: what it says, and what was wrong, or None."""
        visit = Visit(
            label, self._browser.session, self._tracker, self._past, self._arguments.tracker, self._folder,
            None if spoil else self._arguments.screenshots,
        )
        wrong = None
        try:
            visit.page.reset(f"{{ {spoil} }}")
            return CHECKS[name](visit) or "", None
        except (AssertionError, TimedOut) as failure:
            wrong = str(failure)
        except Exception:  # a mistake in the test itself must not look like a pass
            wrong = traceback.format_exc(limit=-4)
        finally:
            self._leave(visit, label if wrong else None)
        return "", wrong

    def _leave(self, visit, label):
        """Ends a visit; of one that failed, a picture is kept."""
        try:
            if label:
                with open(os.path.join(self._folder, f"failed-{label}.png"), "wb") as file:
                    file.write(visit.session.screenshot())
            visit.page.close()
        finally:
            visit.end()

    def end(self):
        """Ends everything; what was wrong with how the tracker ended, or None."""
        self._visitors.stop()
        self._browser.stop()
        return self._tracker.stop()


def run_checks(bench, only, report):
    for name in CHECKS:
        if only not in name:
            continue
        begin = time.monotonic()
        said, wrong = bench.run(name, name)
        spent = f"{time.monotonic() - begin:.1f} s"
        if wrong is None:
            report.add("passed", name, f"{spent}  {said}".rstrip())
        else:
            report.add("failed", name, f"{spent}\n  {wrong}")


def prove(bench, only, report):
    """Each spoilt page fails the check that is for that, with the complaint that is for that."""
    for number, (what, name, words, script) in enumerate(spoils.SPOILS):
        if only not in name:
            continue
        begin = time.monotonic()
        _, wrong = bench.run(name, f"spoilt-{number}", script)
        noticed = wrong is not None and words in wrong and "Traceback" not in wrong
        said = " ".join((wrong or "nobody noticed").split())[:160]
        detail = f"{time.monotonic() - begin:.1f} s  {what}: {said}"
        report.add("passed" if noticed else "failed", f"spoilt: {name}", detail)


def run(arguments, folder):
    report = Report()
    reason = chromium.missing()
    if reason:
        report.add("skipped", "browser", reason)
    else:
        bench = Bench(arguments, folder)
        try:
            (prove if arguments.prove else run_checks)(bench, arguments.only, report)
        finally:
            wrong = bench.end()
        report.add("failed" if wrong else "passed", "tracker-stops", wrong or "on SIGTERM, with code 0")
    print(report.summary(), flush=True)
    return 1 if report.sums["failed"] else 0


def end_early(number, folder, seconds):
    """Leaves none of the processes behind that were started here; what they wrote stays for a look."""
    process.kill_all()
    why = f"took longer than {seconds} s" if number == signal.SIGALRM else signal.Signals(number).name
    print(f"failed: {why}; logs are in {folder}", flush=True)
    os._exit(1)


def main():
    parser = argparse.ArgumentParser(description="the statistics page in a real browser")
    parser.add_argument("--tracker", required=True, help="the tracker's binary")
    parser.add_argument("--history", required=True, help="the program made_up_history")
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks with TEXT in their names")
    parser.add_argument("--keep", metavar="DIR", help="keep logs there, and pictures of what failed")
    parser.add_argument("--screenshots", metavar="DIR", help="put screenshots there")
    parser.add_argument("--prove", action="store_true", help="spoil the page, and see the checks fail")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="tracker-browser-")
    if arguments.screenshots:
        os.makedirs(arguments.screenshots, exist_ok=True)
    seconds = WHOLE_SECONDS * (3 if arguments.prove else 1)
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: end_early(number, folder, seconds))
    signal.alarm(seconds)
    try:
        return run(arguments, folder)
    finally:
        if arguments.keep:
            leave_out = shutil.ignore_patterns(chromium.PROFILE, "data")
            shutil.copytree(folder, arguments.keep, ignore=leave_out, dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
