"""Loading: one request for the page, one for the data, no complaints."""

import json
import re

from past import stats

ROUTE = re.compile(r'^tracker_requests_total\{route="stats",status="200"\} (\d+)$', re.MULTILINE)
FIGURES = ("peers", "seeders", "torrents", "announces_per_second", "leechers", "completed", "scrapes_per_second")
MOST_BYTES = 120_000


def counted(visit):
    """How many answers of /stats and /stats.json the tracker counted."""
    return int(ROUTE.search(visit.tracker.get("/metrics")[1].decode()).group(1))


def check_requests(visit):
    """Two requests, by the browser's log, by the page's own entries, and by the tracker's count."""
    before = counted(visit)
    visit.page.open()
    asked = visit.page.network()
    after = counted(visit)
    base = visit.page.base
    urls = [request["url"] for request in asked]
    assert urls[:2] == [f"{base}/stats", f"{base}/stats.json?period=1d&group=minute"], urls
    # A refresh may have come since; nothing else.
    assert len(set(urls)) == 2 and len(urls) <= 3, urls
    assert after - before == len(urls), f"the tracker counted {after - before} requests, the browser {len(urls)}"
    entries = visit.session.script("return performance.getEntriesByType('resource').map((e) => e.name)")
    entries = [entry for entry in entries if not entry.startswith("data:")]
    assert set(entries) == {urls[1]}, entries
    size = len(visit.page.body(asked[0]).encode())
    assert size < MOST_BYTES, f"the page has {size} bytes"
    return f"{size} bytes"


def check_policy(visit):
    """No complaint of console or policy; and the policy is in force: a script put into the page is not run."""
    visit.page.open()
    found = visit.page.complaints()
    assert not found, found
    visit.session.script("""
        const script = document.createElement('script');
        script.textContent = 'window.intruder = 1';
        document.body.append(script);
    """)
    visit.page.wait("the policy's complaint", "return window.seen.violations.includes('script-src-elem')")
    assert visit.session.script("return window.intruder === undefined"), "an inline script ran"


def number(text):
    """A number as the page writes it."""
    return float(text.replace(",", "").replace("−", "-"))


def check_figures(visit):
    """The figures are those of the answer that the page got, and of one fetched beside it."""
    visit.page.open()
    got = json.loads(visit.page.body(visit.page.answers()[-1]))
    beside = stats(visit.tracker, "1d", "minute")
    for key in FIGURES:
        shown = visit.page.attribute(f"[data-figure={key}]", "data-value")
        text = visit.page.text(f"[data-figure={key}]")
        assert float(shown) == got[key], f"{key}: {shown}, not {got[key]}"
        if key.endswith("_per_second"):
            assert re.fullmatch(r"\d{1,2}\.\d\d", text), f"{key}: {text}"
            assert abs(number(text) - got[key]) < 0.00501, f"{key}: {text}, not {got[key]}"
        else:
            assert got[key] == beside[key], f"{key}: {got[key]} in the page, {beside[key]} beside it"
            assert text == f"{got[key]:,}", f"{key}: {text}, not {got[key]:,}"
    assert got["peers"] > 1000 and got["announces_per_second"] > 0, "the test's own tracker is idle"
    check_changes(visit, got)


def check_changes(visit, got):
    """The change over the period: from the first sample of it to now."""
    for kind in ("peers", "seeders", "torrents", "leechers", "completed"):
        first = next(value for value in got["history"][kind] if value is not None)
        change = got[kind] - first
        sign = "▲ +" if change > 0 else "▼ −"
        wanted = f"{sign}{abs(change):,} in 1 day" if change else "no change in 1 day"
        text = visit.page.text(f"[data-kind={kind}] .change")
        assert text == wanted, f"{kind}: {text}, not {wanted}"
