"""What /stats.json serves, as the charts are to show it."""

COLUMNS = {"swarm": ("peers", "seeders", "torrents"), "requests": ("announces", "scrapes")}


class Served:
    """The history by an answer from before the page got its own, and one from after that: what was true of either, or
    in between while a bucket runs, may be shown."""

    def __init__(self, before, after):
        self.step = after["history"]["step"]
        self.times = after["history"]["time"]
        self._grids = [answer["history"]["time"] for answer in (before, after)]
        self._running = before["history"]["time"][-1]
        self._before, self._after = Buckets(before), Buckets(after)

    @property
    def is_one_grid(self):
        """Whether no bucket began between the two answers."""
        return self._grids[0] == self._grids[1]

    def wrong(self, key, data):
        """What a chart shows that was not served, in words; nothing if all is right."""
        times, *columns = data
        found = []
        if times not in self._grids:
            found.append(f"{len(times)} times from {times[:1]} to {times[-1:]}, not {len(self.times)} from "
                         f"{self.times[:1]} to {self.times[-1:]}")
        for time, *values in zip(times, *columns):
            fits = self._fits_running if time >= self._running else self._fits_closed
            if not fits(key, time, values):
                found.append(f"{values} at {time}, not {self._after.values(key, time)}")
        return found

    def _fits_closed(self, key, time, values):
        allowed = [buckets.values(key, time) for buckets in (self._before, self._after)]
        return any(a is not None and same(values, a) for a in allowed)

    def _fits_running(self, key, time, values):
        """Counts have only grown, and time has only passed."""
        for name, value in zip(COLUMNS[key], values):
            before, after = self._before.count(name, time) or 0, self._after.count(name, time)
            if value is None or after is None:
                if value is not after:
                    return False
            elif key == "requests":
                least, most = before / self._after.length(time), after / self._before.length(time)
                if not least - 1e-9 <= value <= most + 1e-9:
                    return False
            elif value not in (before, after):
                return False
        return True

    def at(self, key, index):
        """The values at an index of the later answer."""
        return self._after.values(key, self.times[index])


class Buckets:
    """One answer, by the start of its buckets."""

    def __init__(self, stats):
        self._history = stats["history"]
        self._index = {time: i for i, time in enumerate(self._history["time"])}

    def count(self, name, time):
        """What the column says; None in gaps and outside."""
        i = self._index.get(time)
        return None if i is None else self._history[name][i]

    def length(self, time):
        """The seconds of a bucket that were sampled."""
        i = self._index.get(time)
        return max(1, (self._history["covered"][i] or 0) if i is not None else 0)

    def values(self, key, time):
        """What a chart is to show, counts as rates; None outside."""
        if time not in self._index:
            return None
        counts = [self.count(name, time) for name in COLUMNS[key]]
        if key == "swarm":
            return counts
        return [None if count is None else count / self.length(time) for count in counts]


def same(one, other):
    """Equal, but for the last bits of a division."""
    return all(a is b if a is None or b is None else abs(a - b) <= 1e-9 * max(1, abs(b)) for a, b in zip(one, other))


def lengths_of_gaps(column):
    """How long the runs of nulls between values are; and how many nulls stand before the first value."""
    known = [i for i, value in enumerate(column) if value is not None]
    return [b - a - 1 for a, b in zip(known, known[1:]) if b > a + 1], known[0] if known else len(column)
