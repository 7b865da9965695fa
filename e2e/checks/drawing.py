"""What is drawn, pixel by pixel: the lines stand where values and scales say."""

import colour
from checks.choices import opened
from png import Picture
from served import lengths_of_gaps

COLUMNS = 20
EXACT = 3  # pixels
LIKE = 90  # so near to a series' colour is that series, not what lies under it or beside it
PALE = 30  # a grey has channels no further apart
COLOUR = "return getComputedStyle(document.documentElement).getPropertyValue(`--${arguments[0]}`).trim()"


def picture_of(visit, key):
    """The pixels of a chart's plot area, and where it really begins, in parts of a pixel."""
    box = visit.page.box(f"#chart-{key} .u-over")
    visit.session.move(1, 1)
    visit.page.settle()
    # Screenshots are of parts of the page, not of the window.
    left, top = box["left"] + box["scrolled"][0], box["top"] + box["scrolled"][1]
    shot = visit.session.screenshot(int(left), int(top), int(box["width"]) + 1, int(box["height"]) + 1)
    return Picture(shot), left - int(left), top - int(top)


def only(visit, key, name):
    """Hides the other series of a chart, by its legend."""
    others = visit.session.script("""
        return [...document.querySelectorAll('.legend [data-series]')].map((entry) => entry.dataset.series)
    """)
    for other in others:
        if other != name and visit.page.attribute(f".legend [data-series={other}]", "aria-pressed") == "true":
            visit.page.click(f".legend [data-series={other}]")
    if visit.page.attribute(f".legend [data-series={name}]", "aria-pressed") == "false":
        visit.page.click(f".legend [data-series={name}]")
    visit.page.settle()
    shown = visit.page.chart(key)["shown"][1:]
    assert sum(shown) == 1, f"{name} is not alone: {shown}"


def top_edge(picture, x, wanted):
    """How far below the top a column has a colour for the first time; None if nowhere."""
    for y in range(picture.height):
        if colour.distance(picture[x, y], wanted) < LIKE:
            return y
    return None


def time_at(times, share):
    """The time at a share of the plot's width."""
    return min(max(times[0] + share * (times[-1] - times[0]), times[0]), times[-1])


def between(times, values, time):
    """The value on the straight line at a time."""
    i = max(n for n in range(len(times) - 1) if times[n] <= time)
    share = (time - times[i]) / (times[i + 1] - times[i])
    return values[i] + share * (values[i + 1] - values[i])


def check_lines(visit):
    """At twenty places, the upper edge of each series is where it must be."""
    page = visit.page
    worst = 0
    for key, names in (("swarm", ("peers", "seeders", "torrents")), ("requests", ("announces", "scrapes"))):
        for number, name in enumerate(names):
            _, served = opened(visit, "?period=1h&group=minute", "1h", "minute")
            only(visit, key, name)
            picture, left, top = picture_of(visit, key)
            chart = page.chart(key)
            scale = chart["right"] if name == "torrents" else chart["y"]
            assert scale[0] == 0 and scale[1] > 0, f"{name}: the scale is {scale}"
            wanted = colour.parse(visit.session.script(COLOUR, name))
            values = [served.at(key, i)[number] for i in range(len(served.times))]
            misses = []
            for column in range(COLUMNS):
                x = round(left + (column + 0.5) / COLUMNS * chart["box"]["width"])
                x, y = dotted_edge(picture, x, wanted) if name == "torrents" else (x, top_edge(picture, x, wanted))
                # Where a line is steep, a pixel to the side is many up or down; and it has a width.
                sides = [(x + beside - left) / chart["box"]["width"] for beside in (-1.25, -0.4, 0.5, 1.4, 2.25)]
                shares = [1 - between(served.times, values, time_at(served.times, side)) / scale[1] for side in sides]
                place = [top + chart["box"]["height"] * share for share in (min(shares), max(shares))]
                off = EXACT + 1 if y is None else max(place[0] - y, y - place[1], 0)
                worst = max(worst, off)
                if off > EXACT:
                    misses.append(f"{y} instead of {place[0]:.1f} to {place[1]:.1f} at {x}")
            assert not misses, f"{name}: {len(misses)} of {COLUMNS} columns are wrong: {'; '.join(misses[:4])}"
    return f"within {worst:.1f} px"


def dotted_edge(picture, x, wanted):
    """The edge at the nearest column that has a dot."""
    for near in sorted(range(max(0, x - 6), min(picture.width, x + 7)), key=lambda n: abs(n - x)):
        y = top_edge(picture, near, wanted)
        if y is not None:
            return near, y
    return x, None


def check_gap(visit):
    """Where the tracker was off there is a grey band, and nothing of the series: no line, no dot, no area."""
    charts, _ = opened(visit, "?period=3d&group=minute", "3d", "minute")
    for key, chart in charts.items():
        values = chart["data"][1]
        gaps, _ = lengths_of_gaps(values)
        length = max(gaps)
        first = next(i for i in range(len(values)) if values[i] is None and values[i : i + length] == [None] * length)
        picture, left, top = picture_of(visit, key)
        place = lambda i: left + i / (len(values) - 1) * chart["box"]["width"]
        begin, end = round(place(first)) + 2, round(place(first + length - 1)) - 2
        assert end - begin > 20, f"{key}: a gap of {end - begin} pixels is too narrow to look at"
        for x in range(begin, end):
            for y in range(picture.height):
                seen = picture[x, y]
                assert max(seen) - min(seen) < PALE, f"{key}: {seen} in the gap at {x}, {y}"
        # Below the words: the band, and the lines of the grid over or under it.
        low = {picture[x, y] for x in range(begin, end) for y in range(round(top) + 140, picture.height - 4)}
        assert len(low) <= 3, f"{key}: {len(low)} colours in the gap"
        beside = picture[begin - 12, picture.height - 40]
        assert beside not in low, f"{key}: the band looks like what is beside it"


def check_bars(visit):
    """Bars are bars: level, as high as the values; and the address says so."""
    page = visit.page
    _, served = opened(visit, "?period=1h&group=minute", "1h", "minute")
    lines, _, _ = picture_of(visit, "swarm")
    page.click("label:has(input[value=bar])")
    page.wait("bars in the address", "return location.search.includes('style=bar')")
    only(visit, "swarm", "peers")
    chart = page.chart("swarm")
    picture, left, top = picture_of(visit, "swarm")
    wanted = colour.parse(visit.session.script(COLOUR, "peers"))
    whole = served.times[-1] + served.step - served.times[0]
    for i in range(0, len(served.times), 3):
        middle = left + (i + 0.5) * served.step / whole * chart["box"]["width"]
        place = top + chart["box"]["height"] * (1 - served.at("swarm", i)[0] / chart["y"][1])
        tops = [top_edge(picture, round(middle) + offset, wanted) for offset in (-4, 0, 4)]
        assert all(y is not None and abs(y - place) <= EXACT for y in tops), f"bar {i}: {tops} instead of {place:.1f}"
        assert max(tops) - min(tops) == 0, f"bar {i} is not level: {tops}"
        low = round(top + chart["box"]["height"] - 6)
        assert colour.distance(picture[round(middle), low], wanted) < LIKE, f"bar {i} is not filled"
        after = round(left + (i + 1) * served.step / whole * chart["box"]["width"] - 1)
        assert colour.distance(picture[after, low], wanted) > LIKE, f"bar {i} touches the next one"
    differ = sum(lines[x, y] != picture[x, y] for x in range(0, lines.width, 7) for y in range(0, lines.height, 7))
    assert differ > 100, f"{differ} pixels differ between lines and bars"
    page.open("?period=1d&group=hour&style=bar")
    visit.keep("bars")


def check_legend(visit):
    """A press on a legend's entry hides its series, through a refresh; another shows it again."""
    page = visit.page
    page.open("?period=1h&group=minute")
    wanted = colour.parse(visit.session.script(COLOUR, "seeders"))

    def pixels():
        picture, _, _ = picture_of(visit, "swarm")
        columns = range(20, picture.width - 20, 40)
        return sum(top_edge(picture, x, wanted) is not None for x in columns), len(columns)

    seen, columns = pixels()
    assert seen == columns, f"seeders in {seen} of {columns} columns"
    page.click(".legend [data-series=seeders]")
    page.settle()
    assert page.attribute(".legend [data-series=seeders]", "aria-pressed") == "false"
    assert pixels()[0] == 0, "seeders are drawn though hidden"
    page.next_refresh()
    assert pixels()[0] == 0, "seeders are drawn again after a refresh"
    assert page.attribute(".legend [data-series=seeders]", "aria-pressed") == "false"
    page.click(".legend [data-series=seeders]")
    page.settle()
    assert pixels()[0] == columns, "seeders do not come back"
