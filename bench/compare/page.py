"""Writes the figures down as Markdown tables, and the page that they are part of."""

import os
import statistics
from dataclasses import asdict

from plot import bars
from rows import CALLS, MEMORY, ROWS
from trackers import TRACKERS

HERE = os.path.dirname(os.path.abspath(__file__))
SHORT = 30  # characters that fit into a cell
BUSY = 0.95  # of a core
DISTURBED = 0.05  # of the time


class Notes:
    """What does not fit into a cell: numbered, each once."""

    def __init__(self):
        self.texts = []

    def mark(self, text):
        text = text[0].upper() + text[1:].rstrip(".") + "."
        if text not in self.texts:
            self.texts.append(text)
        return f"[{self.texts.index(text) + 1}]"

    def __str__(self):
        return "\n".join(f"{number}. {text}" for number, text in enumerate(self.texts, 1))


def number(value):
    """Three digits of it, or all that it has before the point."""
    if value >= 10_000:
        return f"{round(value, -len(str(int(value))) + 3):,.0f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def median(result, read):
    return statistics.median(read(said) for said in result["rounds"])


def table(head, lines):
    """A Markdown table, figures to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines))


class Page:
    """The figures of one run, as text."""

    def __init__(self, data):
        self.data = data
        self.notes = Notes()
        self.keys = list(data["versions"])

    def title(self, key):
        return TRACKERS[key].title

    def refused(self, result):
        """Why there is no figure."""
        if result is None:
            return "–"
        reason = result["cannot"]
        return reason if len(reason) <= SHORT else f"fails {self.notes.mark(reason)}"

    def cell(self, result, text):
        """A figure, and a mark if something is wrong with it."""
        if result is None or not result.get("rounds"):
            return self.refused(result if result and "cannot" in result else None)
        wrong = result.get("wrong")
        return text(result) + (f" {self.notes.mark(wrong)}" if wrong else "")

    def rows(self, names, text, keys=None):
        """A table of one figure by row and tracker."""
        keys = keys or self.keys
        names = [name for name in names if name in self.data["loads"]]
        if not names:
            return ""
        lines = []
        for name in names:
            cells = [self.cell(self.data["loads"][name].get(key), lambda result: text(name, result)) for key in keys]
            lines.append([self.row_title(name), *cells])
        return table(["", *map(self.title, keys)], lines)

    def row_title(self, name):
        if ROWS[name].rate:
            return f"announce, {ROWS[name].title}, {self.data['size']['rate']:,} a second"
        return ROWS[name].title

    def cpu(self):
        return self.rows(ROWS, self.cpu_cell)

    def cpu_cell(self, _name, result):
        each = [said["server_cpu_us"] for said in result["rounds"]]
        spread = f" ({number(min(each))}–{number(max(each))})" if len(each) > 1 else ""
        return f"{number(statistics.median(each))}{spread}"

    def ratios(self):
        def ratio(name, result):
            null = self.data["loads"][name].get("null")
            if not null or not null.get("rounds"):
                return "–"
            return f"{median(result, cpu) / median(null, cpu):.2f}"

        names = [name for name in ROWS if not ROWS[name].compressed]
        return self.rows(names, ratio, [key for key in self.keys if key != "null"])

    def throughput(self):
        return self.rows([name for name in ROWS if not ROWS[name].rate], self.throughput_cell)

    def throughput_cell(self, _name, result):
        served = median(result, lambda said: said["answers_per_second"])
        share = median(result, lambda said: said["server_share_of_core"] + said["server_waited_for_core"])
        is_bound = median(result, lambda said: said["own_share_of_time"]) >= BUSY and share < BUSY
        return number(served) + ("+" if is_bound else "")

    def peers(self):
        others = [name for name in ROWS if ROWS[name].rate or ROWS[name].compressed or "--scrape" in ROWS[name].load]
        return self.rows([name for name in ROWS if name not in others], lambda _name, result: f"{result['check']['peers_per_answer']:.1f}")

    def latency(self):
        """Percentiles at a fixed rate, one line for each tracker."""
        lines = []
        for name in [name for name in ROWS if ROWS[name].rate and name in self.data["loads"]]:
            for key in self.keys:
                result = self.data["loads"][name].get(key)
                if not result or not result.get("rounds"):
                    continue
                at = [self.percentile(result, percentile) for percentile in ("p50", "p90", "p99", "p99.9")]
                behind = max(said["overdue"] for said in result["rounds"])
                # as many as there are connections may be on their way when the time is over
                is_behind = behind > self.data["size"]["connections"]
                text = f"It did not keep up: at the end {behind:,} requests were due and found no free connection."
                mark = f" {self.notes.mark(text)}" if is_behind else ""
                lines.append([f"{ROWS[name].title}: {self.title(key)}{mark}", *at])
        return table(["µs", "p50", "p90", "p99", "p99.9"], lines) if lines else ""

    def percentile(self, result, name):
        each = [said["latency_us"][name] for said in result["rounds"]]
        spread = f" ({number(min(each))}–{number(max(each))})" if len(each) > 1 else ""
        return f"{number(statistics.median(each))}{spread}"

    def calls(self):
        lines, often = [], []
        for name in [name for name in CALLS if name in self.data["loads"]]:
            cells = []
            for key in self.keys:
                result = self.data["loads"][name].get(key)
                if result and "calls" in result:
                    cells.append(f"{result['calls']['all']:.2f}")
                    each = ", ".join(f"{call} {count}" for call, count in result["calls"]["often"].items())
                    often.append([ROWS[CALLS[name]].title, self.title(key), each])
                else:
                    cells.append(self.refused(result))
            lines.append([ROWS[CALLS[name]].title, *cells])
        if not lines:
            return ""
        first = table(["", *map(self.title, self.keys)], lines)
        return f"{first}\n\n" + table(["", "", "each"], often).replace("---: | ---:", "--- | ---")

    def memory(self):
        keys = [key for key in self.keys if key != "null"]
        lines = []
        for name in [name for name in MEMORY if name in self.data["memory"]]:
            results = self.data["memory"][name]
            cells = [self.weight(results.get(key)) for key in keys]
            lines.append([f"{MEMORY[name]}{self.count(results)}", *cells])
            if "ours without ids" in results:
                cells = [self.weight(results["ours without ids"]) if key == "ours" else "" for key in keys]
                lines.append(["… without peer ids (`peer_ids: false`)", *cells])
        return table(["bytes", *map(self.title, keys)], lines) if lines else ""

    def weight(self, result):
        return number(max(0, result["bytes"])) if result and "bytes" in result else self.refused(result)

    def count(self, results):
        counts = sorted({result["count"] for result in results.values() if "count" in result})
        if not counts:
            return ""
        return f", {counts[0]:,}" + (f" to {counts[-1]:,}" if len(counts) > 1 else "") + " of them"

    def disturbed(self):
        """Whether other programs were in the way, in words."""
        shares = [
            said["server_waited_for_core"]
            for results in self.data["loads"].values()
            for result in results.values()
            for said in result.get("rounds", ())
        ]
        share = statistics.median(shares) if shares else 0
        if share < DISTURBED:
            return "The machine did nothing else meanwhile."
        return (
            f"**Other programs were at work meanwhile**: of the time, the servers waited {share:.0%} (median) for a core "
            "that others had. Latency and throughput are theirs more than the trackers' then, and CPU per request is "
            "higher by what the caches lost."
        )

    def versions(self):
        return table(["", "version"], [[self.title(key), version] for key, version in self.data["versions"].items()])

    def settings(self):
        parts = []
        for key in self.keys:
            tracker = TRACKERS[key]
            block = "\n".join(f"    {line}".rstrip() for line in tracker.settings.strip().split("\n"))
            parts.append("\n\n".join([f"### {tracker.title}", *tracker.notes, block]))
        return "\n\n".join(parts)

    def left_out(self):
        return "\n".join(f"- {note.rstrip('.')}." for note in self.data["notes"]) or "Nothing."

    def text(self):
        """The whole page."""
        with open(os.path.join(HERE, "page.md.in"), encoding="utf-8") as file:
            text = file.read()
        size, machine = self.data["size"], self.data["machine"]
        parts = {name: getattr(self, name)() for name in PARTS}
        parts |= {
            **machine,
            "notes": str(self.notes) or "None.",  # behind all that makes notes
            "rounds": size["rounds"],
            "seconds": size["seconds"],
            "connections": size["connections"],
            "rate": f"{size['rate']:,}",
            "checked": f"{size['checked']:,}",
            "counted": f"{size['counted']:,}",
            "usual": described(size["usual"]),
            "big": f"{size['big']['peers']:,}",
        }
        for name, value in parts.items():
            text = text.replace("{{" + name + "}}", str(value) if value != "" else "Not measured in this run.")
        return text

    def tables(self):
        """The tables alone."""
        parts = [self.cpu(), self.throughput(), self.peers(), self.latency(), self.calls(), self.memory()]
        texts = [*parts, str(self.notes), self.left_out() if self.data["notes"] else ""]
        return "\n\n".join(part for part in texts if part)

    def plot(self):
        """The bars."""
        panels = []
        for name in ("keep-alive", "pipelined", "one-shot", "scrape-one-shot"):
            results = self.data["loads"].get(name, {})
            values = [self.bar(key, results.get(key)) for key in self.keys if key in results]
            if values:
                panels.append((f"{ROWS[name].title}: µs of CPU each", values))
        for name in [name for name in MEMORY if name in self.data["memory"]]:
            results = self.data["memory"][name]
            values = []
            for key in [key for key in self.keys if key in results]:
                result = results[key]
                values.append((self.title(key), result.get("bytes"), None, result.get("cannot")))
            panels.append((f"bytes {MEMORY[name]}", values))
        return bars(panels)

    def bar(self, key, result):
        if not result.get("rounds"):
            return self.title(key), None, None, result.get("cannot", "not measured")
        each = [cpu(said) for said in result["rounds"]]
        return self.title(key), statistics.median(each), (min(each), max(each)), None


PARTS = (
    *("cpu", "ratios", "throughput", "peers", "latency", "calls", "memory"),
    *("disturbed", "versions", "settings", "left_out"),
)


def cpu(said):
    return said["server_cpu_us"]


def described(torrents):
    return f"{torrents['peers']:,} peers in {torrents['torrents']:,} torrents"


def sizes(size):
    """For the file of figures."""
    return asdict(size)
