"""A child process with its own folder and log file, ended by its own process id."""

import os
import re
import signal
import subprocess
import threading

from wait import TimedOut, wait_for

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FIGURES = re.compile(r"[0-9.]+")

_running = set()
_lock = threading.RLock()  # between starting one and ending them all


def kill_all():
    """Ends every process that was started here, and lets none start any more."""
    _lock.acquire()  # never given back
    for process in list(_running):
        process.send(signal.SIGKILL)


class Process:
    """Starts `command` in `folder`; standard output and error go to `folder`/`name`.log."""

    def __init__(self, name, command, folder, env=None):
        self.name = name
        self.log_path = os.path.join(folder, f"{name}.log")
        with open(self.log_path, "wb") as log, _lock:
            self._child = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )
            _running.add(self)

    @property
    def pid(self):
        """The id by which the system knows it."""
        return self._child.pid

    @property
    def exit_code(self):
        """None while it runs; negative: the signal that ended it."""
        return self._child.poll()

    def log(self):
        """All that it wrote so far."""
        with open(self.log_path, "rb") as log:
            return log.read().decode(errors="replace")

    def log_tail(self, lines=25):
        """The end of its log, for people: of lines in a row that differ in figures only, the last."""
        kept, last_shape = [], None
        for line in self.log().replace("\r", "\n").splitlines():
            line = COLOUR.sub("", line).rstrip()
            shape = FIGURES.sub("0", line)
            if shape == last_shape:
                kept.pop()
            if line:
                kept.append(line)
                last_shape = shape
        kept = kept[-lines:]
        return "\n".join(f"    {self.name}| {line[:300]}" for line in kept)

    def send(self, number):
        """Sends it a signal, if it still runs."""
        if self.exit_code is None:
            self._child.send_signal(number)

    def stop(self, polite, seconds):
        """Sends the signal `polite`; True if it ended by itself within `seconds`, else it is killed."""
        self.send(polite)
        try:
            wait_for(f"the end of {self.name}", lambda: self.exit_code is not None, seconds)
            return True
        except TimedOut:
            self.kill()
            return False

    def kill(self):
        """Ends it at once, whatever it is doing, and reaps it."""
        self.send(signal.SIGKILL)
        self._child.wait()
        _running.discard(self)
