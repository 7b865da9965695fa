"""The statistics page in the browser, as a reader sees it and moves in it."""

import json

from clock import ZONE
from wait import wait_for
from webdriver import DOWN, ENTER, UP

SECONDS = 12  # more than the page waits between two refreshes
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}

# Before the page's own scripts: what must not happen is counted.
WATCH = """
    window.seen = {violations: [], alerts: 0, errors: []};
    window.alert = () => { window.seen.alerts += 1; };
    document.addEventListener('securitypolicyviolation', (e) => window.seen.violations.push(e.violatedDirective));
    window.addEventListener('error', (e) => window.seen.errors.push(e.message));
    window.addEventListener('unhandledrejection', (e) => window.seen.errors.push(String(e.reason)));
"""
DRAWN = "return !!window.tracker?.charts.swarm.data[0].length && !document.body.classList.contains('loading')"
FRAMES = "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
CHART = """
    const u = window.tracker.charts[arguments[0]];
    const box = u.over.getBoundingClientRect();
    const range = (key) => u.scales[key] && [u.scales[key].min, u.scales[key].max];
    return {
      data: u.data, x: range('x'), y: range('y'), right: range('right'),
      box: {left: box.left, top: box.top, width: box.width, height: box.height},
      shown: u.series.map((s) => s.show), cursor: u.cursor.left >= 0 ? u.cursor.idx : null, at: u.cursor.left,
      line: u.root.querySelector('.u-cursor-x').getBoundingClientRect().left,
      lineShown: !u.root.querySelector('.u-cursor-x').classList.contains('u-off'),
    };
"""
PLACES = """
    const select = document.querySelector(`select[name=${arguments[0]}]`);
    return [select.selectedIndex, [...select.options].findIndex((o) => o.value === arguments[1])];
"""
BOX = """
    const element = document.querySelector(arguments[0]);
    const before = scrollY;
    element.scrollIntoView({block: 'center', behavior: 'instant'});
    const {left, top, width, height} = element.getBoundingClientRect();
    const answer = {left, top, width, height, scrolled: [scrollX, scrollY]};
    // Fingers feel what is painted.
    if (scrollY === before) return answer;
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(answer))));
"""


class StatsPage:
    """Opened afresh for each test, in a window that remembers nothing."""

    def __init__(self, session, tracker):
        self.session = session
        self.tracker = tracker
        self.base = tracker.urls[4]
        self.requests = []  # [{id, url, status}], in order

    def reset(self, spoil=""):
        """A desktop window, light, with nothing stored; `spoil` is a script that runs before the page's own."""
        devtools = self.session.devtools
        self.session.go("about:blank")
        devtools("Storage.clearDataForOrigin", origin=self.base, storageTypes="all")
        devtools("Network.clearBrowserCache")
        devtools("Emulation.setTouchEmulationEnabled", enabled=False)
        devtools("Emulation.setFocusEmulationEnabled", enabled=True)
        devtools("Emulation.setTimezoneOverride", timezoneId=ZONE)
        self.scheme("light")
        self.size(**DESKTOP)
        self._watch = devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH + spoil)["identifier"]
        self.session.log("browser")
        self.session.log("performance")
        self.requests.clear()

    def close(self):
        """Leaves the page."""
        self.session.devtools("Page.removeScriptToEvaluateOnNewDocument", identifier=self._watch)
        self.session.go("about:blank")
        self.session.devtools("Emulation.setTimezoneOverride", timezoneId="")

    def size(self, **metrics):
        """Another window or screen."""
        self.session.devtools("Emulation.setDeviceMetricsOverride", **metrics)

    def scheme(self, name):
        """What the system prefers: light or dark."""
        wishes = {"prefers-color-scheme": name, "prefers-reduced-motion": "reduce"}
        features = [{"name": wish, "value": value} for wish, value in wishes.items()]
        self.session.devtools("Emulation.setEmulatedMedia", media="", features=features)

    def open(self, query=""):
        """Loads the page, with its data."""
        self.session.move(1, 1)
        self.session.go(f"{self.base}/stats{query}")
        self.wait("the page to be drawn", DRAWN)
        self.settle()

    def wait(self, what, script, *arguments, seconds=SECONDS):
        """The first true value of a script."""
        return wait_for(what, lambda: self.session.script(script, *arguments), seconds)

    def settle(self):
        """Waits until what has changed is painted."""
        self.session.script(FRAMES)

    def chart(self, key):
        """Data, scales, places and cursor of a chart."""
        return self.session.script(CHART, key)

    def text(self, selector):
        """The text of an element, as it is shown."""
        return self.session.script("return document.querySelector(arguments[0]).innerText", selector)

    def attribute(self, selector, name):
        """An attribute of an element."""
        script = "return document.querySelector(arguments[0]).getAttribute(arguments[1])"
        return self.session.script(script, selector, name)

    def is_shown(self, selector):
        """Whether an element takes up room."""
        return self.session.script("return !!document.querySelector(arguments[0])?.getClientRects().length", selector)

    def box(self, selector):
        """Where an element is, after scrolling there."""
        return self.session.script(BOX, selector)

    def click(self, selector):
        """Clicks on the middle of an element with the mouse."""
        box = self.box(selector)
        self.session.click(box["left"] + box["width"] / 2, box["top"] + box["height"] / 2)

    def choose(self, name, value):
        """Chooses from a drop-down: by clicking on it, going through it with the arrow keys, and Enter."""
        now, wanted = self.session.script(PLACES, name, value)
        self.click(f"select[name={name}]")
        arrows = [DOWN if wanted > now else UP] * abs(wanted - now)
        self.session.keys(*arrows, ENTER)

        def is_chosen():
            now, wanted = self.session.script(PLACES, name, value)
            return now == wanted

        wait_for(f"{name} to be {value}", is_chosen, SECONDS)

    def network(self):
        """The requests over HTTP so far."""
        for entry in self.session.log("performance"):
            message = json.loads(entry["message"])["message"]
            kind, about = message["method"], message["params"]
            if kind == "Network.requestWillBeSent" and not about["request"]["url"].startswith(("data:", "about:")):
                self.requests.append({"id": about["requestId"], "url": about["request"]["url"], "status": None})
            elif kind in ("Network.responseReceived", "Network.loadingFinished", "Network.loadingFailed"):
                for request in self.requests:
                    if request["id"] == about["requestId"]:
                        request["done"] = kind != "Network.responseReceived"
                        if kind == "Network.responseReceived":
                            request["status"] = about["response"]["status"]
                            request["headers"] = about["response"]["headers"]
        return self.requests

    def body(self, request):
        """What a request of the page was answered with."""
        answer = self.session.devtools("Network.getResponseBody", requestId=request["id"])
        assert not answer["base64Encoded"]
        return answer["body"]

    def answers(self):
        """The requests for data that were answered."""
        return [r for r in self.network() if "/stats.json" in r["url"] and r["status"] and r.get("done")]

    def next_refresh(self):
        """Waits for the next answer that the page asks for by itself, and until it is painted."""
        before = len(self.answers())
        wait_for("the page's own refresh", lambda: len(self.answers()) > before, SECONDS)
        self.settle()

    def complaints(self):
        """What the console, the policy and the page's scripts complain of."""
        seen = self.session.script("return window.seen")
        entries = [entry for entry in self.session.log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        console = [f"{entry['level']}: {entry['message']}" for entry in entries]
        return console + seen["violations"] + seen["errors"] + ["an alert"] * seen["alerts"]

    def full_screenshot(self, **metrics):
        """A PNG file of all of the page: the window is made as high as it."""
        self.session.script("scrollTo(0, 0)")
        height = self.session.script("return document.documentElement.scrollHeight")
        self.size(**{**metrics, "height": height})
        self.settle()
        picture = self.session.screenshot()
        self.size(**metrics)
        self.settle()
        return picture
