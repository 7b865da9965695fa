"""The drop-downs: what is chosen is fetched and drawn, and stands in the address."""

from served import COLUMNS, Served, lengths_of_gaps
from webdriver import DOWN, TAB

# By the keyboard or by the mouse, so that each choice is made once, and most pairs are met.
PAIRS = [
    ("1h", "minute"), ("5h", "minute"), ("5h", "hour"), ("1d", "hour"), ("3d", "hour"), ("3d", "minute"),
    ("7d", "hour"), ("30d", "hour"), ("all", "hour"), ("1d", "minute"),
]
GRID = """
    const [key, first, step, rows] = arguments;
    const time = window.tracker.charts[key].data[0];
    return time[1] - time[0] === step && Math.abs(time[0] - first) <= step && Math.abs(time.length - rows) <= 1;
"""


def compare(visit, period, group, act):
    """Does what leads to a choice, waits until it is drawn, and compares the charts' own data with what the tracker
    served before and after, point by point."""
    before = visit.stats(period, group)
    act()
    history = before["history"]
    for key in COLUMNS:
        what = f"{period} by {group} in the chart {key}"
        visit.page.wait(what, GRID, key, history["time"][0], history["step"], len(history["time"]))
    visit.page.settle()
    charts = {key: visit.page.chart(key) for key in COLUMNS}
    served = Served(before, visit.stats(period, group))
    for key, chart in charts.items():
        wrong = served.wrong(key, chart["data"])
        assert not wrong, f"{period} by {group}, {key}: {len(wrong)} points are wrong, the first: {wrong[0]}"
    return charts, served


def opened(visit, query, period="1d", group="minute"):
    """Opens the page and compares; once more, should a bucket have begun meanwhile."""
    charts, served = compare(visit, period, group, lambda: visit.page.open(query))
    return (charts, served) if served.is_one_grid else opened(visit, query, period, group)


def check_pairs(visit):
    """Both drop-downs by mouse and arrow keys; every point is what the tracker serves."""
    page = visit.page
    opened(visit, "?period=1d&group=minute")
    now = {"period": "1d", "group": "minute"}
    points = 0
    for pair in PAIRS:
        wanted = dict(zip(now, pair))

        def choose():
            for name, value in wanted.items():
                if now[name] != value:
                    page.choose(name, value)

        charts, served = compare(visit, *pair, choose)
        now = wanted
        points += sum(len(column) for chart in charts.values() for column in chart["data"][1:])
        period, group = pair
        assert f"?period={period}&group={group}&" in visit.session.url, visit.session.url
        gaps, leading = lengths_of_gaps(charts["swarm"]["data"][1])
        if period in ("3d", "7d"):
            assert max(gaps, default=0) * served.step >= 7200, f"{period}: no gap where the tracker was off: {gaps}"
        assert (leading > 0) == (period == "30d"), f"{period}: {leading} nulls before the first sample"
        x, ends = charts["swarm"]["x"], (served.times[0], served.times[-1])
        is_whole = all(abs(a - b) <= served.step for a, b in zip(x, ends))
        assert is_whole, f"{period}: drawn from {x[0]} to {x[1]}, not {ends}"
    return f"{points} points"


def check_keyboard(visit):
    """The drop-downs by keyboard alone."""
    visit.page.open()
    visit.session.script("document.getElementById('theme').focus()")
    compare(visit, "3d", "minute", lambda: visit.session.keys(TAB, DOWN))
    compare(visit, "3d", "hour", lambda: visit.session.keys(TAB, DOWN))


def check_address(visit):
    """An address that was left is a view that can be shared; nonsense in it is ignored."""
    page = visit.page
    page.open()
    page.choose("period", "7d")
    page.choose("group", "hour")
    page.click("label:has(input[value=bar])")
    page.wait("the style in the address", "return location.search.includes('style=bar')")
    query = visit.session.url.split("/stats", 1)[1]
    assert query == "?period=7d&group=hour&style=bar", query
    for asked, wanted in (
        (query, ["7d", "hour", "bar"]),
        ("?group=hour", ["1d", "hour", "line"]),
        ("?period=3d&nonsense=1", ["3d", "minute", "line"]),
        ("?period=9d&group=week&style=pie", ["1d", "minute", "line"]),
    ):
        opened(visit, asked, *wanted[:2])
        chosen = visit.session.script("""
            const { period, group, style } = document.getElementById('controls').elements;
            return [period.value, group.value, style.value];
        """)
        assert chosen == wanted, f"{asked}: {chosen}"


def check_hours_only(visit):
    """Where minutes are not kept for so long, it says that it shows hours."""
    page = visit.page
    charts, _ = opened(visit, "?period=30d&group=minute", "30d", "minute")
    times = charts["swarm"]["data"][0]
    assert times[1] - times[0] == 3600
    said = page.text("#range")
    assert "by hour: minutes are kept for 7 days only" in said, said
    page.open("?period=1d&group=hour")
    said = page.text("#range")
    assert said.endswith("by hour"), said
