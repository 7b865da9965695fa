"""A phone: one column, nothing to scroll sideways, room for fingers."""

from checks.choices import opened

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
NARROW = {**PHONE, "width": 320, "height": 640}
LEAST_TOUCH, LEAST_CHART = 40, 220
LAYOUT = """
    const box = (e) => e.getBoundingClientRect();
    const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.unseen');
    const targets = [...document.querySelectorAll('button, select, input, summary, a')].filter(shown);
    const texts = [...document.querySelectorAll('main *, header *, footer *')].filter((e) => shown(e)
      && !e.closest('.scroll, option') && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
    // As wide as the word chosen needs it.
    const wanted = (e) => {
      const copy = e.cloneNode(true);
      [...copy.options].forEach((o) => o.text !== e.selectedOptions[0].text && o.remove());
      Object.assign(copy.style, { position: 'absolute', width: 'max-content' });
      e.after(copy);
      const { width } = box(copy);
      copy.remove();
      return width;
    };
    const tight = [...document.querySelectorAll('select')].filter((e) => box(e).width < wanted(e));
    const name = (e) => e.id || e.dataset.series || (e.type === 'radio' ? e.value : e.name) || e.innerText.slice(0, 30);
    return {
      wide: document.scrollingElement.scrollWidth,
      columns: [...new Set(['.figure', '.chart'].flatMap((kind) => [...document.querySelectorAll(kind)]
        .map((e) => `${kind} from ${Math.round(box(e).left)}`)))],
      small: targets.filter((e) => box(e).height < arguments[0] || box(e).width < arguments[0])
        .map((e) => `${name(e)} ${Math.round(box(e).width)}x${Math.round(box(e).height)}`),
      charts: [...document.querySelectorAll('.plot')].map((e) => box(e).height),
      outside: texts.filter((e) => box(e).right > arguments[1] + 0.5 || box(e).left < -0.5).map(name),
      cut: texts.filter((e) => getComputedStyle(e).overflowX === 'hidden' && e.scrollWidth > e.clientWidth)
        .concat(tight).map(name),
    };
"""

WIDTHS = """
    return Object.entries(window.tracker.charts)
      .map(([key, u]) => [u.width, document.getElementById(`chart-${key}`).clientWidth]);
"""


def on_phone(visit, **metrics):
    """A screen with fingers."""
    visit.page.size(**metrics)
    visit.session.devtools("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)


def faults(visit, width, least_touch, what):
    """What does not fit, in words. (What the page says of its window is not asked: on phones that grows with it.)"""
    layout = visit.session.script(LAYOUT, least_touch, width)
    found = []
    if layout["wide"] > width:
        found.append(f"{what}: {layout['wide']} px wide")
    for key, word in (("outside", "outside of the window"), ("cut", "cut off"), ("small", "too small to touch")):
        if layout[key]:
            found.append(f"{what}: {word}: {', '.join(layout[key])}")
    if any(height < LEAST_CHART for height in layout["charts"]):
        found.append(f"{what}: charts {layout['charts']} px high")
    if least_touch and len(layout["columns"]) != 2:
        found.append(f"{what}: more than one column: {layout['columns']}")
    return found


def check_phone(visit):
    """390 and 320 px wide, light and dark; also with a zoom, and the table open."""
    page, found = visit.page, []
    for metrics in (PHONE, NARROW):
        on_phone(visit, **metrics)
        width = metrics["width"]
        for query in ("?period=1d", "?period=30d&style=bar"):
            page.open(query)
            found += faults(visit, width, LEAST_TOUCH, f"{width} px, {query}")
        page.click("#table summary")
        visit.session.script("document.getElementById('chart-swarm').focus()")
        visit.session.keys("+")
        page.wait("the zoom", "return !document.getElementById('reset-zoom').hidden")
        page.settle()
        found += faults(visit, width, LEAST_TOUCH, f"{width} px, zoomed, with the table")
    on_phone(visit, **PHONE)
    page.open()
    visit.keep("phone-light", **PHONE)
    page.scheme("dark")
    page.settle()
    visit.keep("phone-dark", **PHONE)
    on_phone(visit, **NARROW)
    visit.keep("phone-narrow", **NARROW)
    assert not found, "\n  ".join(found)


def check_touch(visit):
    """A tap switches to bars; a finger that moves over a chart shows the values under it, and they stay."""
    page = visit.page
    on_phone(visit, **PHONE)
    _, served = opened(visit, "?period=1h&group=minute", "1h", "minute")
    # The tap first: a browser takes one that follows a swift move for the end of it.
    box = page.box("label:has(input[value=bar])")
    visit.session.touch((box["left"] + box["width"] / 2, box["top"] + box["height"] / 2))
    page.wait("bars", "return location.search.includes('style=bar')")
    page.settle()
    box = page.box("#chart-swarm .u-over")
    index = 20
    left, top = box["left"] + (index + 0.5) / len(served.times) * box["width"], box["top"] + 90
    visit.session.touch((left - 30, top), (left - 10, top), (left, top))
    page.settle()
    shown = page.attribute("[data-at=swarm]", "data-time")
    near = [served.times[i] for i in (index - 1, index, index + 1)]  # bars are as narrow as a finger is exact
    assert int(shown) in near, f"{shown} under the finger, not {near[1]}"
    peers = page.attribute(".legend [data-series=peers] .value", "data-value")
    assert int(peers) == served.at("swarm", served.times.index(int(shown)))[0], f"{peers} peers at {shown}"


def check_widths(visit):
    """Between phone and desktop nothing overflows either, and the charts follow."""
    page, found = visit.page, []
    page.open("?period=30d&group=minute")
    for width in (360, 480, 639, 640, 767, 768, 900, 1023, 1024, 1100, 1600):
        page.size(width=width, height=900, deviceScaleFactor=1, mobile=width < 640)
        page.settle()
        page.settle()
        found += faults(visit, width, 0, f"{width} px")
        wide = visit.session.script(WIDTHS)
        if any(chart != holder for chart, holder in wide):
            found.append(f"{width} px: charts and their places are {wide} px wide")
    assert not found, "\n  ".join(found)
