"""The mouse over the charts: hovering shows exact values, dragging zooms."""

from checks.choices import compare, opened
from clock import moment, plain
from served import COLUMNS, lengths_of_gaps
from stats_page import DESKTOP

SHARES = (0.12, 0.5, 0.83)
LEGEND = """
    const value = (key) => document.querySelector(`.legend [data-series=${key}] .value`);
    const at = document.querySelector(`[data-at=${arguments[0]}]`);
    return {
      values: arguments[1].map((key) => [value(key).dataset.value, value(key).innerText]),
      time: Number(at.dataset.time), said: at.innerText,
    };
"""
DOTS = """
    return [...window.tracker.charts[arguments[0]].root.querySelectorAll('.u-cursor-pt')].map((dot) => {
      const { left, top, width, height } = dot.getBoundingClientRect();
      return { left: left + width / 2, top: top + height / 2 };
    });
"""


def reads(text, value, is_rate):
    """Whether a text is a number exactly, or as exactly as rates are written."""
    if not is_rate:
        return text == f"{value:,}"
    return text.split(".")[-1].isdigit() and len(text.split(".")[-1]) == 2 and abs(float(text) - value) < 0.00501


def check_point(visit, key, index, served):
    """Moves the mouse over one point, and looks at the legends and cursors of both charts."""
    box = visit.page.box(f"#chart-{key} .u-over")
    times = served.times
    share = (times[index] - times[0]) / (times[-1] - times[0])
    left, top = box["left"] + share * box["width"], box["top"] + box["height"] / 2
    visit.session.move(left, top)
    visit.page.settle()
    place = f"point {index} of {key} by {served.step} s"
    for other, names in COLUMNS.items():
        seen = visit.session.script(LEGEND, other, names)
        assert seen["time"] == times[index], f"{place}: {other} shows {seen['time']}, not {times[index]}"
        assert plain(seen["said"]) == moment(times[index], served.step), f"{place}: {other} says {seen['said']}"
        for name, (shown, text), value in zip(names, seen["values"], served.at(other, index)):
            assert abs(float(shown) - value) < 1e-9, f"{place}: {name} is {shown}, not {value}"
            assert reads(text, value, other == "requests"), f"{place}: {name} reads {text}, not {value}"
    charts = {other: visit.page.chart(other) for other in COLUMNS}
    for other, chart in charts.items():
        cursor = f"{place}: the cursor of {other}"
        assert chart["cursor"] == index and chart["lineShown"], f"{cursor} is at {chart['cursor']}"
        assert abs(chart["line"] - left) <= 1.5, f"{cursor} is drawn at {chart['line']}, not {left}"
    check_dots(visit, key, charts[key], served.at(key, index), left, place)


def check_dots(visit, key, chart, values, left, place):
    """The dots stand on the lines."""
    dots = visit.session.script(DOTS, key)
    assert len(dots) == len(values), f"{place}: {len(dots)} dots"
    for name, dot, value in zip(COLUMNS[key], dots, values):
        scale = chart["right"] if name == "torrents" else chart["y"]
        top = chart["box"]["top"] + chart["box"]["height"] * (1 - value / scale[1])
        is_there = abs(dot["left"] - left) <= 1.5 and abs(dot["top"] - top) <= 1.5
        assert is_there, f"{place}: {name}'s dot is at {dot}, not {left} {top}"


def check_hover(visit):
    """Points of both charts, by minute and by hour; and away from them, the latest."""
    page = visit.page
    page.size(**{**DESKTOP, "height": 1400})  # both charts in sight
    for period, group in (("1h", "minute"), ("1d", "hour")):
        _, served = opened(visit, f"?period={period}&group={group}", period, group)
        for key in COLUMNS:
            for share in SHARES:
                check_point(visit, key, round(share * (len(served.times) - 1)), served)
        if group == "minute":
            visit.keep("hover", full=False)
    visit.session.move(1, 1)
    said = "return document.querySelector('[data-at=swarm]').innerText.startsWith('so far, ')"
    page.wait("the latest values", said)
    assert page.chart("requests")["cursor"] is None


def check_hover_gap(visit):
    """Where the tracker was off there are no values, and it says why."""
    page = visit.page
    charts, served = opened(visit, "?period=3d&group=minute", "3d", "minute")
    peers = charts["swarm"]["data"][1]
    gaps, _ = lengths_of_gaps(peers)
    first = next(i for i in range(1, len(peers)) if peers[i] is None and peers[i - 1] is not None)
    middle = first + max(gaps) // 2
    box = page.box("#chart-requests .u-over")
    share = middle / (len(served.times) - 1)
    visit.session.move(box["left"] + share * box["width"], box["top"] + box["height"] / 2)
    page.settle()
    for key, names in COLUMNS.items():
        seen = visit.session.script(LEGEND, key, names)
        assert all(value == ["", "–"] for value in seen["values"]), f"{key}: {seen}"
        assert seen["said"].endswith("tracker off"), f"{key}: {seen}"
        assert abs(seen["time"] - served.times[middle]) <= 120, f"{key}: {seen}"


def drag(visit, key, begin, end):
    """Drags over a share of a chart; the times dragged over, and how exact that is."""
    chart = visit.page.chart(key)
    box = visit.page.box(f"#chart-{key} .u-over")
    low, high = chart["x"]
    per_pixel = (high - low) / box["width"]
    lefts = [round(box["left"] + share * box["width"]) for share in (begin, end)]
    visit.session.drag(*lefts, box["top"] + box["height"] * 0.6)
    visit.page.settle()
    return [low + (left - box["left"]) * per_pixel for left in lefts], 2 * per_pixel


def check_range(visit, wanted, exact, when):
    """Both charts show the times wanted."""
    for key in COLUMNS:
        x = visit.page.chart(key)["x"]
        fits = all(abs(a - b) <= exact for a, b in zip(x, wanted))
        assert fits, f"{when}: {key} shows {x}, not {wanted} ± {exact:.0f}"


def check_zoom(visit):
    """Dragging narrows both charts; a refresh changes nothing about that; the button shows all again."""
    page = visit.page
    page.open("?period=1d&group=minute")
    assert not page.is_shown("#reset-zoom")
    wanted, exact = drag(visit, "swarm", 0.25, 0.6)
    check_range(visit, wanted, exact, "after dragging")
    assert page.is_shown("#reset-zoom") and "zoomed in" in page.text("#range"), page.text("#range")
    zoomed = page.chart("swarm")["x"]
    visit.keep("zoomed")
    page.next_refresh()
    check_range(visit, zoomed, 0, "after a refresh")
    wanted, exact = drag(visit, "requests", 0.7, 0.2)  # backwards, and within the zoom
    check_range(visit, sorted(wanted), exact, "after dragging again")
    page.click("#reset-zoom")
    page.settle()
    times = page.chart("swarm")["data"][0]
    check_range(visit, [times[0], times[-1]], 0, "after the reset")
    assert not page.is_shown("#reset-zoom") and "zoomed" not in page.text("#range")
    drag(visit, "swarm", 0.4, 0.5)
    charts, served = compare(visit, "5h", "minute", lambda: page.choose("period", "5h"))
    assert abs(charts["swarm"]["x"][0] - served.times[0]) <= 60, "another period kept the zoom of the last one"
