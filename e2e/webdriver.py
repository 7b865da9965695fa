"""A browser driven by the W3C WebDriver protocol, as far as it is needed here, over plain HTTP.

Where WebDriver has no word for something, Chromium's own protocol is spoken through the driver.
"""

import base64
import http.client
import json

TAB, ENTER, ESCAPE, SHIFT = "\ue004", "\ue007", "\ue00c", "\ue008"
END, HOME, LEFT, UP, RIGHT, DOWN = "\ue010", "\ue011", "\ue012", "\ue013", "\ue014", "\ue015"
ANSWER_SECONDS = 30


class WebDriverError(Exception):
    """The driver could not do what it was told."""


class Session:
    """One browser window, for as long as the driver runs. Places are in CSS pixels of the viewport."""

    def __init__(self, port, capabilities):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        self._path = ""
        opened = self._command("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._path = f"/session/{opened['sessionId']}"

    def _command(self, method, path, body=None):
        text = json.dumps(body) if body is not None else None
        self._connection.request(method, self._path + path, text, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        value = json.loads(answer.read())["value"]
        if answer.status != 200:
            raise WebDriverError(f"{value['error']}: {value['message'].splitlines()[0]}")
        return value

    def close(self):
        """Ends the session; the browser goes on if it was there before."""
        self._command("DELETE", "")
        self._connection.close()

    def go(self, url):
        """Opens an address and waits until it is loaded."""
        self._command("POST", "/url", {"url": url})

    @property
    def url(self):
        """The address shown."""
        return self._command("GET", "/url")

    def script(self, text, *arguments):
        """What the body of a function returns in the page; a promise is waited for."""
        return self._command("POST", "/execute/sync", {"script": text, "args": list(arguments)})

    def devtools(self, name, **parameters):
        """The answer to a command of Chromium's own protocol."""
        return self._command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def log(self, kind):
        """What was added to the log `browser` or `performance` since it was asked for the last time."""
        return self._command("POST", "/se/log", {"type": kind})

    def screenshot(self, left=0, top=0, width=0, height=0):
        """A PNG file of the viewport, or of a part of the page."""
        clip = {"x": left, "y": top, "width": width, "height": height, "scale": 1}
        asked = {"clip": clip} if width else {}
        return base64.b64decode(self.devtools("Page.captureScreenshot", format="png", **asked)["data"])

    def keys(self, *keys, held=None):
        """Presses keys, one after the other, while another may be held."""
        presses = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        if held:
            presses = [{"type": "keyDown", "value": held}, *presses, {"type": "keyUp", "value": held}]
        self._act({"type": "key", "id": "keyboard", "actions": presses})

    def move(self, left, top):
        """Moves the mouse."""
        self._mouse(self._to(left, top))

    def click(self, left, top):
        """Clicks with the mouse."""
        self._mouse(self._to(left, top), {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})

    def drag(self, left, right, top):
        """Drags the mouse from one place to another of the same height, in some steps."""
        way = [self._to(left + (right - left) * step / 5, top) for step in range(1, 6)]
        press, release = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        self._mouse(self._to(left, top), press, *way, release)

    def touch(self, *places):
        """Puts a finger down, moves it on to the other places, and lifts it."""
        first, *others = [self._to(left, top) for left, top in places]
        way = [first, {"type": "pointerDown", "button": 0}, *others, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "finger", "parameters": {"pointerType": "touch"}, "actions": way})

    @staticmethod
    def _to(left, top):
        return {"type": "pointerMove", "duration": 0, "x": round(left), "y": round(top)}

    def _mouse(self, *actions):
        kind = {"pointerType": "mouse"}
        self._act({"type": "pointer", "id": "mouse", "parameters": kind, "actions": list(actions)})

    def _act(self, source):
        self._command("POST", "/actions", {"actions": [source]})
