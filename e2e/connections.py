#!/usr/bin/python3
"""As many connections as the limit of open files allows, and very many that come and go; then the tracker has what it had before.

    e2e/connections.py --tracker target/release/tracker

As many keep-alive connections as there is room for are opened, each with an announce answered. All are open at once, and all are answered again.
Others beyond that make room for themselves, at the cost of those that are idle longest and of nobody else. When all are closed, descriptors,
threads and counters are as before. Then connections are opened and closed in all the ways in which clients do that, twice as many as `--churn`
says: descriptors are the same number exactly, counters add up exactly, and the second half takes no memory. In the end as many as in the
beginning are held once more: limits per address leave each address just its share, so one that was lost in the accounts would keep another out.

The limit of open files is the hard one (`ulimit -Hn`), for the tracker and for this program, or what `--files` says: less, or, with the right to
raise it, more. Needs Python 3 and Linux, and some 800 MB of the kernel's memory for each 100,000 connections, both ends of which are here.
"""

import argparse
import re
import resource
import sys
import time
from collections import deque

from churn import AT_ONCE, Churn
from figures import Metrics, Usage
from folder import run_in_folder
from held import Held, Onlooker, address
from process import kill_all
from tracker import Tracker
from wait import TimedOut, wait_for
from wire import Closed, WrongAnswer, connect, read_answer

OF_ONE = 500  # connections of one address, held and permitted
BEYOND = 50
NETWORK, ANOTHER = "127.20", "127.30"
WARM_UP = 20_000
ACCEPTED = "tracker_connections_accepted_total"
LOOKS = 8  # in a row, with all steps of `wait_for` between them: the number of open ones may be a quarter of a second old
EACH = 512  # bytes of memory that a connection may take while it is open
# Memory goes up and down by a MiB with the snapshots, which are written every second here, so that none comes as news. Of 100,000 connections
# this bound is 21 bytes each; with more of them in `--churn` it is less.
SNAPSHOTS = 2 << 20
NO_HUGE_PAGES = {"MIMALLOC_ALLOW_THP": "0"}  # a thread's first page would be 2 MiB
MOST = 1_000_000_000  # lowered to what there is room for
SETTINGS = f"""(
  http: (max_connections: {MOST}, keep_alive: "1h", request_timeout: "1m"),
  swarm: (peer_ids: false),
  store: (snapshot_every: "1s"),
  limits: (burst: 0, connections: {OF_ONE}, exempt: []),
)
"""
LOWERED = re.compile(r"http\.max_connections is lowered from \d+ to (\d+): only (\d+) files can be open")


class Connections:
    """A tracker, and what is checked of it."""

    def __init__(self, arguments, folder, report):
        self._arguments, self._report = arguments, report
        self._tracker = Tracker(arguments.tracker, folder, ipv6=False, settings=SETTINGS, env=NO_HUGE_PAGES)
        self._look = Onlooker(self._tracker.urls[4])
        self._before = None

    def run(self):
        """All checks, one after the other."""
        try:
            room = self._room()
            # who comes and goes has the addresses of those that are held, of which each may have just as many as are held
            sources = [address(NETWORK, nth) for nth in range(max(1, (room - 1) // OF_ONE))]
            churn = Churn(self._look.server, sources, self._arguments.seed)
            churn.run(WARM_UP)
            self._until(1, 1 + WARM_UP)
            self._before = self._usage(snapshots=6)
            self._hold(room, "held")
            self._churn(churn)
            self._hold(room, "held again")
            self._look.close()
            wrong = self._tracker.stop()
            self._say("tracker-stops", wrong, "on SIGTERM, with code 0")
        finally:
            self._tracker.kill()
            kill_all()

    def _say(self, name, wrong, right):
        self._report.add("failed" if wrong else "passed", name, wrong or right)

    def _metrics(self):
        return Metrics.of(self._look)

    def _usage(self, snapshots):
        """The least that the tracker has while so many snapshots are written."""
        taken, written = [], set()

        def over():
            taken.append(Usage.of(self._tracker.pid))
            written.add(self._metrics().sum("tracker_snapshot_timestamp_seconds"))
            return len(written) > snapshots

        wait_for("snapshots", over, 30)
        return Usage(*(min(getattr(usage, name) for usage in taken) for name in ("resident", "descriptors", "threads")))

    def _room(self):
        """How many connections the tracker says that it has room for."""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        said = wait_for("the tracker's word that it has lowered max_connections", lambda: LOWERED.search(self._tracker.log()), 10)
        room, limit = int(said[1]), int(said[2])
        wrong = limit != files and f"{files} files can be open, and the tracker says {limit}"
        self._say("limit of open files", wrong, f"{files}: room for {room} connections")
        return room

    def _until(self, open_now, accepted=0):
        """Waits until so many are open, the onlooker's among them, and have been accepted since the start; the complaint if that
        does not happen."""
        looks = deque(maxlen=LOOKS)

        def there():
            metrics = self._metrics()
            looks.append((metrics.sum("tracker_connections"), metrics.sum(ACCEPTED) >= accepted))
            return list(looks) == [(open_now, True)] * LOOKS

        try:
            wait_for(f"{open_now} connections to be open", there, 20)
        except TimedOut as late:
            metrics = self._metrics()
            return f"{late}: {metrics.sum('tracker_connections')} are, {metrics.sum(ACCEPTED)} were accepted"
        return None

    def _hold(self, room, name):
        """As many as there is room for, one of them the onlooker."""
        begin = time.monotonic()
        accepted = self._metrics().sum(ACCEPTED)
        with Held(self._look.server, NETWORK, OF_ONE) as held:
            held.open(room - 1)
            usage = self._usage(snapshots=1)
            self._all_open(held, room, usage, name, begin)
            begin = time.monotonic()
            held.ask()
            gone = held.ended()
            self._say(f"{name}: answered again", gone and f"{len(gone)} were closed", f"all {room - 1}, {time.monotonic() - begin:.1f} s")
            opened = room - 1 + self._one_too_many(held, name) + self._beyond(held, room, name)
        wrong = self._until(1, accepted + opened) or self._same()
        came = self._metrics().sum(ACCEPTED) - accepted
        wrong = wrong or (came != opened and f"{opened} were opened, and {came} accepted")
        self._say(f"{name}: closed", wrong, f"{opened} accepted and closed; {Usage.of(self._tracker.pid)}")

    def _all_open(self, held, room, usage, name, begin):
        wrong = self._until(room)
        files = usage.descriptors - self._before.descriptors
        gone = len(held.ended())
        if (gone, files) != (0, room - 1):
            wrong = wrong or f"{room - 1} were opened beside the onlooker: {files} more descriptors, {gone} closed"
        each = (usage.resident - self._before.resident) / (room - 1)
        wrong = wrong or (each > EACH and f"{each:.0f} bytes each, and {EACH} are permitted")
        self._say(f"{name}: open at once", wrong, f"{room}, {each:.0f} bytes each, {time.monotonic() - begin:.1f} s")

    def _one_too_many(self, held, name):
        """An address that has all that it may have gets no more, and nobody makes room for it. Returns how many were opened."""
        before = self._metrics().labelled("over_connections")
        connection = connect(self._look.server, address(NETWORK, 0))
        try:
            wrong = "it was sent something" if connection.recv(1) else None
        except ConnectionResetError:
            wrong = None
        except TimeoutError:
            wrong = "it stays open"
        connection.close()
        count = self._metrics().labelled("over_connections") - before
        wrong = wrong or (count != 1 and f"{count} were counted") or (held.ended() and "others were closed")
        self._say(f"{name}: one more of an address", wrong, f"closed at once: it has {OF_ONE}")
        return 1

    def _beyond(self, held, room, name):
        """More than there is room for. Returns how many were opened."""
        # workers tell each other at the ends of their turns who is idle longest, so it may be the next one
        oldest = set(held.connections[:2 * BEYOND])
        made = self._metrics().labelled("made_room")
        closed, wrong = [], None
        with Held(self._look.server, ANOTHER, OF_ONE) as new:
            for _ in range(BEYOND):
                new.open(1)
                seen = len(closed)
                wait_for("an idle one to be closed", lambda: closed.extend(held.ended()) or len(closed) > seen, 10)
            wrong = self._until(room)
            metrics = self._metrics()
            strangers = sum(connection not in oldest for connection in closed)
            for connection in closed:
                wrong = "it was sent something" if connection.recv(1) else wrong
                connection.close()
            counted = (metrics.labelled("made_room") - made, metrics.labelled("no_room"))
            if (len(closed), strangers, counted) != (BEYOND, 0, (BEYOND, 0)):
                wrong = f"{len(closed)} were closed, {strangers} of them not of the oldest; made room, no room: {counted}"
            held.ask()
            new.ask()
            wrong = wrong or ((held.ended() or new.ended()) and "one that had asked of late was closed")
            self._say(f"{name}: beyond the limit", wrong, f"{BEYOND} more, the {BEYOND} idle longest closed, all others answer")
        return BEYOND

    def _same(self):
        """The complaint if descriptors or threads do not become what they were."""
        def now():
            return {name: getattr(Usage.of(self._tracker.pid), name) for name in ("descriptors", "threads")}

        before = {name: getattr(self._before, name) for name in ("descriptors", "threads")}
        try:
            wait_for("descriptors and threads to be as before", lambda: now() == before, 10)
        except TimedOut as late:
            return f"{late}: {now()}, before {before}"
        return None

    def _churn(self, churn):
        usages = []
        for half in ("first", "second"):
            begin, before = time.monotonic(), self._metrics()
            opened, announces = churn.opened, list(churn.announces)
            churn.run(self._arguments.churn)
            wrong = self._until(1, before.sum(ACCEPTED) + churn.opened - opened) or self._same()
            wrong = wrong or self._adds_up(before, churn.opened - opened, [now - then for now, then in zip(churn.announces, announces)])
            usages.append(self._usage(snapshots=2))
            self._say(f"come and go: the {half}", wrong, f"{churn.opened - opened}, {AT_ONCE} at a time, seed {self._arguments.seed}: "
                                                         f"{usages[-1]}, {time.monotonic() - begin:.1f} s")
        print("        " + ", ".join(f"{count} {name}" for name, count in churn.ways.items()), flush=True)
        more = usages[1].resident - usages[0].resident
        text = f"{more / 1024:+.0f} KiB in the second half, of {SNAPSHOTS / 1024:.0f} that may be"
        self._say("come and go: memory", more > SNAPSHOTS and text, text)

    def _adds_up(self, before, opened, announces):
        """The complaint if counters do not say what has been done."""
        after = self._metrics()
        names = (ACCEPTED, "tracker_connections_closed_total", "tracker_accept_errors_total",
                 "tracker_panics_total", "tracker_failures_total")
        counted = [after.sum(name) - before.sum(name) for name in names]
        if counted != [opened, 0, 0, 0, 0]:
            return f"{opened} were opened; " + ", ".join(f"{name}: {count}" for name, count in zip(names, counted))
        answered = after.sum("tracker_announces_total") - before.sum("tracker_announces_total")
        if not announces[0] <= answered <= announces[1]:
            return f"{answered} announces were counted, and {announces[0]} to {announces[1]} made"
        return None


def set_limit(files):
    """Sets the limit of open files, for this program and for the tracker that it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files or hard, files or hard))
    except (ValueError, OSError):  # it may not be raised
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main():
    parser = argparse.ArgumentParser(description="as many connections as are possible, and very many that come and go")
    parser.add_argument("--tracker", required=True, help="the tracker's binary")
    parser.add_argument("--files", type=int, metavar="N", help="limit of open files; if it may not be raised to that, and by default, it is the hard one")
    parser.add_argument("--churn", type=int, default=100_000, metavar="N", help="connections opened and closed, and again as many")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins")
    arguments = parser.parse_args()
    set_limit(arguments.files)

    def check(folder, report):
        try:
            Connections(arguments, folder, report).run()
        except (OSError, TimedOut, WrongAnswer) as error:
            report.add("failed", "as far as it came", f"{type(error).__name__}: {error}")

    return run_in_folder("tracker-connections-", check)


if __name__ == "__main__":
    sys.exit(main())
