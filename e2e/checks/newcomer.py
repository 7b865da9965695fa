"""A new tracker: it says what to do; then the first peer comes, also one with a strange name."""

from urllib.parse import quote

HOSTILE = "<script>alert(1)</script>"
SHORT = "<script>alert(1)</sc"  # as long as a peer id
SHOWN = "return Number(document.querySelector('[data-figure=peers]').dataset.value) === arguments[0]"
ELEMENTS = "return [...document.querySelectorAll('*')].map((e) => e.localName).sort().join()"


def check_empty(visit):
    """The announce URL, ready to be copied, and no figures but zeros; one announce turns it into figures."""
    page = visit.page
    visit.start()
    page.open()
    assert page.is_shown("#empty")
    url = visit.session.script("return document.getElementById('announce-url').value")
    assert url == visit.tracker.announce_url(4), url
    assert page.text("[data-figure=peers]") == "0" and page.text("[data-figure=torrents]") == "0"
    visit.keep("empty")
    page.click("#copy")
    page.wait("the button to say so", "return document.getElementById('copy').textContent === 'Copied'")
    path = url.split("/announce", 1)[1]
    status, _ = visit.tracker.get(f"/announce{path}?info_hash={'a' * 20}&peer_id={'b' * 20}&port=1000&left=1")
    assert status == 200, status
    page.wait("the first peer", SHOWN, 1)
    page.wait("the empty state to go", "return document.getElementById('empty').hidden")
    page.settle()
    chart = page.chart("swarm")["data"]
    # or two, where a minute has just begun
    assert chart[1][-1] == 1 and not any(chart[1][:-2]), f"not one point: {chart[1][-5:]}"
    visit.keep("one-point")


def check_hostile(visit):
    """A peer that calls itself a script is one more peer, and nothing else on the page."""
    page = visit.page
    visit.start()
    visit.tracker.get(f"/announce?info_hash={'a' * 20}&peer_id={'b' * 20}&port=1000&left=1")
    page.open()
    elements = visit.session.script(ELEMENTS)
    for peer_id, status in ((SHORT, 200), (HOSTILE, None)):
        path = f"/announce?info_hash={quote(SHORT)}&peer_id={quote(peer_id)}&port=1001&left=0&key={quote(HOSTILE)}"
        answered, _ = visit.tracker.get(path)
        assert status in (None, answered), answered
    visit.tracker.get(f"/{quote(HOSTILE)}?{quote(HOSTILE)}")
    page.choose("period", "5h")  # asks for data at once
    page.wait("the second peer", SHOWN, 2)
    page.settle()
    now = visit.session.script(ELEMENTS)
    assert now == elements, "there are other elements than before"
    page.click("#table summary")
    assert "alert(1)" not in visit.session.script("return document.body.textContent.replace(/script>/g, '')")
    page.open(f"?period={quote(HOSTILE)}&{quote(HOSTILE)}=1#{quote(HOSTILE)}")
    assert visit.session.script(ELEMENTS).count("script") == elements.count("script")
    found = visit.page.complaints()
    assert not found, found
