"""What a running tracker says of itself in /metrics, and what the system says of its process."""

import os
import re
import time
from dataclasses import dataclass

LINE = re.compile(r"^(tracker_\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'="([^"]*)"')


class Metrics:
    """One look at /metrics."""

    def __init__(self, text):
        self._values = [
            (name, set(LABEL.findall(labels)), float(value)) for name, labels, value in LINE.findall(text)
        ]

    @classmethod
    def of(cls, tracker):
        """What it says now."""
        status, body = tracker.get("/metrics")
        if status != 200:
            raise ValueError(f"/metrics was answered with status {status}")
        return cls(body.decode())

    def sum(self, name):
        """All values of a metric together."""
        found = [value for known, _, value in self._values if known == name]
        if not found:
            raise KeyError(name)
        return int(sum(found))

    def labelled(self, label):
        """The values that have this among the values of their labels, together; None if there are none."""
        found = [value for _, labels, value in self._values if label in labels]
        return int(sum(found)) if found else None


@dataclass(frozen=True)
class Usage:
    """What a process has of the system."""

    resident: int  # bytes of memory that are its own: anonymous, not pages of files
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid):
        """What it has now."""
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.split(":", 1) for line in file.read().splitlines())
        resident = 1024 * int(status["RssAnon"].split()[0])
        return cls(resident, len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"]))

    @classmethod
    def settled(cls, pid):
        """What it has when that is the same twice: a snapshot that is being written has a descriptor of its own."""
        last = None
        for _ in range(100):
            usage = cls.of(pid)
            if last and (usage.descriptors, usage.threads) == (last.descriptors, last.threads):
                break
            last = usage
            time.sleep(0.3)
        return usage

    def __str__(self):
        return f"{self.resident / (1 << 20):.1f} MiB, {self.descriptors} descriptors, {self.threads} threads"
