"""The keyboard alone: everything is reached, in order, and seen to be reached."""

from checks.choices import opened
from webdriver import END, ESCAPE, HOME, LEFT, RIGHT, SHIFT, TAB

ORDER = [
    "theme", "select period", "select group", "input style", "series peers", "series seeders", "series torrents",
    "chart-swarm", "series announces", "series scrapes", "chart-requests", "summary", "json", "link /metrics",
]
FOCUSED = """
    const e = document.activeElement;
    const shown = e.matches('input[type=radio]') ? e.nextElementSibling : e;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(shown);
    const { top, bottom } = shown.getBoundingClientRect();
    const covered = document.getElementById('controls').getBoundingClientRect().bottom;
    const name = e.id || (e.dataset.series && `series ${e.dataset.series}`) || (e.name && `${e.localName} ${e.name}`)
      || (e.localName === 'a' ? `link ${e.getAttribute('href')}` : e.localName);
    return {
      name, outline: outlineStyle === 'none' ? 0 : parseFloat(outlineWidth), colour: outlineColor,
      seen: bottom > 0 && top < innerHeight,
      under: !e.closest('#controls') && top < covered && bottom <= covered + 1 && scrollY > 0,
    };
"""
READING = "return document.getElementById('reading').textContent"


def check_order(visit):
    """Tab goes to every control, each with an outline that it does not have otherwise, in sight."""
    page = visit.page
    page.open("?period=1d&group=hour")
    bare = visit.session.script("""
        return [...document.querySelectorAll('button, select, .segments span, .plot, summary, a')]
          .filter((e) => getComputedStyle(e).outlineStyle !== 'none').length;
    """)
    assert bare == 0, f"{bare} controls have an outline without focus"
    for wanted in ORDER:
        visit.session.keys(TAB)
        page.settle()
        focused = visit.session.script(FOCUSED)
        assert focused["name"] == wanted, f"the focus goes to {focused['name']}, not {wanted}"
        assert focused["outline"] >= 2, f"{focused['name']} has no outline of 2 px or more: {focused}"
        assert focused["seen"] and not focused["under"], f"{focused['name']} has the focus out of sight: {focused}"
    visit.session.keys(TAB)
    after = visit.session.script(FOCUSED)["name"]
    assert after in ("body", "html", ORDER[0]), f"one more: {after}"


def check_controls(visit):
    """Arrows switch line and bar; Space hides a series; Enter on the theme's button switches."""
    page = visit.page
    page.open("?period=1d&group=hour")
    visit.session.script("document.querySelector('select[name=group]').focus()")
    visit.session.keys(TAB, RIGHT)
    page.wait("bars", "return location.search.includes('style=bar')")
    visit.session.keys(TAB, " ")
    page.wait("the peers to be hidden", "return !window.tracker.charts.swarm.series[1].show")
    visit.session.keys(" ")
    page.wait("the peers to be shown", "return window.tracker.charts.swarm.series[1].show")


def check_cursor(visit):
    """Arrows on a chart move the cursor of both, and the words for those who hear it; Escape shows all again."""
    page = visit.page
    _, served = opened(visit, "?period=1d&group=hour", "1d", "hour")
    last = len(served.times) - 1
    visit.session.script("document.getElementById('chart-swarm').focus()")
    for keys, held, wanted in (
        ([LEFT], None, last), ([LEFT, LEFT], None, last - 2), ([LEFT], SHIFT, last - 12), ([RIGHT], None, last - 11),
        ([HOME], None, 0), ([RIGHT], SHIFT, 10), ([END], None, last),
    ):
        visit.session.keys(*keys, held=held)
        page.settle()
        cursors = [page.chart(key)["cursor"] for key in ("swarm", "requests")]
        assert cursors == [wanted, wanted], f"the cursors are at {cursors}, not {wanted}"
        peers = served.at("swarm", wanted)[0]
        said = visit.session.script(READING)
        assert f"Peers {peers:,}, " in said or wanted == last, f"{said}, not Peers {peers:,}"
    visit.session.keys("+")
    page.settle()
    low, high = page.chart("swarm")["x"]
    whole = served.times[-1] - served.times[0]
    assert abs((high - low) / whole - 0.5) < 0.1, f"+ shows {high - low} s of {whole} s"
    assert page.chart("requests")["x"] == [low, high], f"+ shows {page.chart('requests')['x']} of requests"
    assert page.is_shown("#reset-zoom"), "no button to show all again"
    visit.session.keys(ESCAPE)
    page.settle()
    x = page.chart("swarm")["x"]
    assert x == [served.times[0], served.times[-1]], f"Escape does not show all again: {x}"
    assert not page.is_shown("#reset-zoom"), "Escape leaves the button"
    focused = visit.session.script("return document.activeElement.id")
    assert focused == "chart-swarm", f"the focus went to {focused}"
