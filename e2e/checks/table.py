"""The table: the same numbers, newest first."""

from clock import full_moment, plain

COLUMNS = ("torrents", "peers", "seeders", "leechers", "completed", "announces", "scrapes")
ROWS = """
    return [...document.querySelectorAll('#table tbody tr')]
      .map((row) => [...row.cells].map((cell) => cell.textContent));
"""


def check_table(visit):
    """Opened by a click, it has a row for each bucket; where the tracker was off, it says so."""
    page = visit.page
    for period, group in (("1h", "minute"), ("7d", "hour")):
        page.open(f"?period={period}&group={group}")
        page.click("#table summary")
        page.wait("rows in the table", "return document.querySelectorAll('#table tbody tr').length > 0")
        check_rows(visit.session.script(ROWS), visit.stats(period, group))


def check_rows(rows, stats):
    """Every cell, but those of the bucket that runs."""
    history = stats["history"]
    wanted = {}
    for i, time in enumerate(history["time"]):
        off = history["peers"][i] is None
        wanted[time] = ["tracker off"] if off else [f"{history[name][i]:,}" for name in COLUMNS]
    first = next(i for i, value in enumerate(history["peers"]) if value is not None)
    times = history["time"][first:][::-1]
    # Where a minute began in between, the newest row is not there yet.
    if len(rows) == len(times) - 1:
        times = times[1:]
    assert len(rows) == len(times), f"{len(rows)} rows, not {len(times)}"
    assert rows[0][0].endswith(", so far"), f"the newest is not first: {rows[0]}"
    for row, time in zip(rows, times):
        assert plain(row[0]).startswith(full_moment(time)), f"{row[0]}, not {full_moment(time)}"
        assert row[1:] == wanted[time] or time >= times[0] - history["step"], f"{row}, not {wanted[time]}"
    totals = [int(row[5].replace(",", "")) for row in rows if len(row) > 2]
    assert totals == sorted(totals, reverse=True) and totals[0] > totals[-1], "not newest first"
