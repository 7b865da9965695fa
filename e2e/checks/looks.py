"""Light and dark, and contrast."""

import colour
from checks.drawing import COLOUR, only, picture_of, top_edge

TEXT, LINE = 4.5, 3.0
SERIES = ("peers", "seeders", "torrents", "announces", "scrapes")
# Every element with text of its own: its colour, and the colours behind it, from the nearest.
TEXTS = """
    const found = [];
    for (const e of document.querySelectorAll('body *')) {
      const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join('');
      const isSeen = e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!text || !isSeen || e.closest('.unseen, option')) continue;
      const grounds = [];
      for (let up = e; up; up = up.parentElement) grounds.push(getComputedStyle(up).backgroundColor);
      found.push([`${e.localName} "${text.slice(0, 30)}"`, getComputedStyle(e).color, grounds]);
    }
    return found;
"""
EDGES = """
    return ['select[name=period]', 'select[name=group]', '.segments'].map((selector) => {
      const style = getComputedStyle(document.querySelector(selector));
      return [selector, style.borderTopColor];
    });
"""
GROUND = "return getComputedStyle(document.body.parentElement).backgroundColor"
DARK = "return document.documentElement.dataset.theme === 'dark'"


def ground_of(grounds):
    """The colour behind an element, seen through what is transparent."""
    seen = (255.0, 255.0, 255.0, 1.0)
    for ground in reversed(grounds):
        seen = colour.over(colour.parse(ground), seen)
    return seen


def check_contrast(visit):
    """Text 4.5:1, lines and edges of controls 3:1; in both themes, with bars and the table in sight."""
    lowest = []
    for scheme in ("light", "dark"):
        visit.page.scheme(scheme)
        visit.page.open("?period=1d&group=hour&style=bar")
        visit.page.click("#table summary")
        only(visit, "swarm", "peers")
        texts = visit.session.script(TEXTS)
        assert len(texts) > 100, f"only {len(texts)} texts"
        for name, front, grounds in texts:
            ground = ground_of(grounds)
            ratio = colour.contrast(colour.over(colour.parse(front), ground), ground)
            assert ratio >= TEXT, f"{scheme}: {name} has {ratio:.2f}:1"
            lowest.append(ratio)
        panel = colour.parse(visit.session.script(COLOUR, "panel"))
        for name in SERIES:
            ratio = colour.contrast(colour.parse(visit.session.script(COLOUR, name)), panel)
            assert ratio >= LINE, f"{scheme}: the line of {name} has {ratio:.2f}:1"
        page_ground = colour.parse(visit.session.script(GROUND))
        for name, edge in visit.session.script(EDGES):
            for ground in (panel, page_ground):
                ratio = colour.contrast(colour.parse(edge), ground)
                assert ratio >= LINE, f"{scheme}: the edge of {name} has {ratio:.2f}:1"
    return f"text at least {min(lowest):.2f}:1"


def check_drawn_in(visit, is_dark):
    """The page is of a theme, and the chart is painted in the colours of that theme."""
    visit.page.wait("the theme", "return (document.documentElement.dataset.theme === 'dark') === arguments[0]", is_dark)
    visit.page.settle()
    ground = colour.parse(visit.session.script(GROUND))
    assert (colour.luminance(ground) < 0.1) == is_dark, f"the page's ground is {ground}"
    only(visit, "swarm", "seeders")
    picture, _, _ = picture_of(visit, "swarm")
    wanted = colour.parse(visit.session.script(COLOUR, "seeders"))
    columns = range(20, picture.width - 20, 60)
    seen = sum(top_edge(picture, x, wanted) is not None for x in columns)
    assert seen == len(columns), f"the line has the theme's colour in {seen} of {len(columns)} columns"


def check_themes(visit):
    """Follows the system, until the reader switches; that is remembered, and taken back by switching again."""
    page = visit.page
    page.open("?period=5h")
    check_drawn_in(visit, False)
    page.scheme("dark")
    check_drawn_in(visit, True)
    page.scheme("light")
    check_drawn_in(visit, False)
    page.click("#theme")
    check_drawn_in(visit, True)
    page.open("?period=5h")
    check_drawn_in(visit, True)
    label = page.attribute("#theme", "aria-label")
    assert label == "Switch to the light theme", label
    page.click("#theme")
    check_drawn_in(visit, False)
    page.open("?period=5h")
    check_drawn_in(visit, False)
    page.scheme("dark")
    page.open("?period=5h")
    check_drawn_in(visit, True)


def check_steady(visit):
    """Nothing shifts while it loads, nor at a refresh."""
    page = visit.page
    visit.session.devtools("Page.bringToFront")
    page.open()
    shift = """
        return new Promise((done) => {
          let sum = 0;
          const watch = new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.value; });
          watch.observe({ type: 'layout-shift', buffered: true });
          requestAnimationFrame(() => setTimeout(() => { watch.disconnect(); done(sum); }));
        });
    """
    loaded = visit.session.script(shift)
    assert loaded < 0.01, f"the page shifts by {loaded:.3f} while it loads"
    page.next_refresh()
    refreshed = visit.session.script(shift)
    assert refreshed < 0.01, f"the page has shifted by {refreshed:.3f} after a refresh"
    for name, query in (("light", ""), ("week", "?period=7d&group=hour")):
        page.open(query)
        visit.keep(name)
    page.scheme("dark")
    page.open()
    visit.keep("dark")
