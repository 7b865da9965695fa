"""Trouble: the tracker goes away and comes back; the page is not for everyone."""

import re

from checks.loading import number

GONE = "return !!document.getElementById('retry').getClientRects().length"
LIVE = "return document.body.dataset.state === 'live' && !document.getElementById('error').getClientRects().length"


def stop(visit):
    """Ends the tracker and waits until the page has noticed."""
    wrong = visit.tracker.stop()
    assert not wrong, wrong
    visit.page.wait("the page to say that the tracker is gone", GONE)


def check_gone(visit):
    """It says so plainly and when it tries again, keeps what it had, and goes on by itself when it can."""
    page = visit.page
    visit.start_with_past()
    page.open()
    peers = page.text("[data-figure=peers]")
    points = len(page.chart("swarm")["data"][0])
    assert number(peers) == visit.past.peers
    stop(visit)
    what, when = page.text("#error-what"), page.text("#error-when")
    address = visit.page.base.split("//", 1)[1]
    assert what == f"The tracker at {address} does not answer.", what
    assert re.fullmatch(r"Trying again (in \d+ s|now)\. What you see is of \d\d:\d\d:\d\d\.", when), when
    page.wait("a countdown", "return document.getElementById('error-when').textContent !== arguments[0]", when)
    status = page.text("#status")
    assert re.fullmatch(r"unreachable since \d\d:\d\d:\d\d", status), status
    assert page.text("[data-figure=peers]") == peers, "the old figures are gone"
    assert len(page.chart("swarm")["data"][0]) == points, "the old data are gone"
    visit.keep("error", full=False)
    visit.start_again()
    page.wait("the page to go on by itself", LIVE)
    assert page.text("#status") == "live", page.text("#status")
    assert number(page.text("[data-figure=peers]")) == visit.past.peers, "not all peers have come back"


def check_retry(visit):
    """The button tries at once; another choice does too."""
    page = visit.page
    visit.start_with_past()
    page.open()
    visit.tracker.stop()
    page.choose("period", "5h")
    page.wait("the page to say that the tracker is gone", GONE)
    page.click("#retry")
    page.wait("the page to say so again", GONE)
    visit.start_again()
    page.network()
    page.click("#retry")
    page.wait("the page to go on at once", LIVE, seconds=3)
    period = page.chart("swarm")["data"][0]
    assert 290 * 60 <= period[-1] - period[0] <= 310 * 60, "not what was chosen meanwhile"


def check_not_public(visit):
    """Where statistics are not for everyone, there is no page and there are no data."""
    visit.start(settings='(stats: (public: false, allow: ["10.0.0.0/8"]))')
    for path in ("/stats", "/stats.json", "/metrics"):
        status, body = visit.tracker.get(path)
        assert status == 403, f"{path}: {status}"
        assert b"peers" not in body and len(body) < 500, f"{path}: {body[:100]}"
    visit.session.go(f"{visit.page.base}/stats")
    asked = visit.page.network()
    assert [request["status"] for request in asked if request["url"].endswith("/stats")] == [403], asked
    assert not any("stats.json" in request["url"] for request in asked), asked
    said = visit.session.script("return document.body.innerText").strip()
    parts = visit.session.script("return document.querySelectorAll('canvas, select, script').length")
    assert said and parts == 0, f"{parts} parts of the page, and {said}"
    return f'says "{said}"'
