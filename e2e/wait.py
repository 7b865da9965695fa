"""Waiting for events with a bound, in short steps."""

import time

STEP = 0.05


class TimedOut(Exception):
    """What was waited for did not happen in time."""


def wait_for(what, condition, seconds):
    """The first true value of `condition()`, or TimedOut after `seconds` with `what` in its text."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise TimedOut(f"waited {seconds:g} s for {what}")
        time.sleep(STEP)
