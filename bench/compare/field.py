"""Where it all happens: programs, folders and cores, and the load program's way to speak."""

import json
import os
import subprocess
import sys

from servers import Bench
from trackers import Missing

LONGEST = 600  # seconds, for any run of the load program


class Failed(Exception):
    """A measurement that came to nothing; says why."""


class Field(Bench):
    """A bench whose load program is this repository's example `load`."""

    def __init__(self, folder, tracker, load, tools, installs, cores):
        super().__init__(folder, tracker, *cores)
        self.loader = os.path.abspath(load)
        self.tools = os.path.abspath(tools)
        self.installs = installs

    def write_hashes(self, file, torrents):
        """The info hashes of a set, one a line."""
        path = os.path.join(self.folder, f"hashes-{torrents.seed}-{torrents.torrents}")
        command = [self.loader, "--hashes", path, "--torrents", str(torrents.torrents), "--seed", str(torrents.seed)]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=60)
        with open(path, "rb") as written:
            file.write(written.read())

    def ask(self, server, torrents, *more, core=None):
        """What the load program says about `server` under a load on `torrents`."""
        core = self.load_core if core is None else core
        command = ["taskset", "-c", str(core), self.loader, f"http://127.0.0.1:{server.port}/announce", "--json"]
        command += ["--pid", str(server.pid), *map(str, (*torrents.arguments(), *more))]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST, check=False)
        except subprocess.TimeoutExpired as problem:
            raise Failed("the load did not end") from problem
        if done.stdout:
            return json.loads(done.stdout)
        raise Failed(done.stderr.decode(errors="replace").strip() or "the load program said nothing")

    def fill(self, server, torrents, connections, core=None, more=()):
        """Every peer announces once, or twice if the first time something was lost."""
        arguments = ["--fill", "only", "--connections", connections, "--timeout", 20, "--plain", *more]
        if not server.keep_alive:
            arguments += ["--mode", "one-shot"]
        said = self.ask(server, torrents, *arguments, core=core)
        if complaint(said):
            # a stall on a busy machine is no reason to leave a tracker out; who was there is not counted twice
            said = self.ask(server, torrents, *arguments, core=core)
        wrong = complaint(said)
        if wrong:
            raise Failed(f"it could not be filled: {wrong}")
        return said

    def start(self, tracker, torrents):
        """A running one of them, or `Missing`."""
        try:
            return tracker.start(self, torrents)
        except (OSError, RuntimeError, subprocess.SubprocessError) as problem:
            raise Missing(str(problem)) from problem


def complaint(said):
    """What is wrong with a run, if anything is."""
    errors = {name: count for name, count in said["errors"].items() if count}
    if not said["answers"]:
        return "no answers" if not errors else f"no answers ({names(errors)})"
    if set(errors) == {"bad_body"}:
        which = "all" if errors["bad_body"] == said["answers"] else "some"
        return f"{which} of its answers are not as they should be: {said['example']}"
    if errors:
        total = said["answers"] + sum(count for name, count in errors.items() if name in LOST)
        return f"{sum(errors.values()):,} of {total:,} requests went wrong ({names(errors)})"
    return "the load program gave up" if said["gave_up"] else None


LOST = ("not_connected", "closed", "timed_out", "not_http")


def names(errors):
    return ", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in errors.items())


def tell(text):
    """Progress, on the standard error."""
    print(text, file=sys.stderr, flush=True)
