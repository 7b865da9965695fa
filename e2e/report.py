"""What has passed, failed, and been skipped."""

import threading


class Report:
    """Lines as they come, from any thread, and the sums at the end."""

    def __init__(self):
        self._lock = threading.Lock()
        self.sums = {"passed": 0, "failed": 0, "skipped": 0}

    def add(self, verdict, name, detail):
        with self._lock:
            self.sums[verdict] += 1
            print(f"{verdict:<8}{name:<36}{detail}", flush=True)

    def summary(self):
        """The last line of a run."""
        return ", ".join(f"{count} {verdict}" for verdict, count in self.sums.items())
