"""Debian's Chromium without a screen, and the driver that moves it. Both are ended by their own process ids."""

import os
import re
import shutil
import signal

from process import Process
from wait import wait_for
from webdriver import Session

PROGRAMS = {"chromium": "chromium", "chromedriver": "chromium-driver"}
# Nothing but loopback is reached, and nothing else is asked for.
FLAGS = """
    --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --no-default-browser-check
    --disable-background-networking --disable-component-update --disable-sync --disable-extensions
    --disable-breakpad --disable-dev-shm-usage --password-store=basic --lang=en-GB --window-size=1280,900
    --force-color-profile=srgb --font-render-hinting=none --remote-debugging-port=0
""".split()
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
DRIVER_READY = re.compile(r"started successfully on port (\d+)")
DEBUGGER_READY = re.compile(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/")
START_SECONDS = 30
PROFILE = "profile"


def missing():
    """The sentence that says what is not installed, or None."""
    lacking = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    return f"not installed: {' '.join(lacking)}" if lacking else None


class Chromium:
    """A running browser with a profile of its own, and the session in it."""

    def __init__(self, folder):
        profile = os.path.join(folder, PROFILE)
        os.mkdir(profile)
        flags = [*FLAGS, NO_OTHER_HOST, f"--user-data-dir={profile}", "about:blank"]
        home = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"), profile)
        self._processes = []
        try:
            self._browser = self._start("chromium", flags, folder, home)
            self._driver = self._start("chromedriver", ["--port=0"], folder, home)
            debugger = self._port(self._browser, DEBUGGER_READY)
            self.session = Session(self._port(self._driver, DRIVER_READY), capabilities(debugger))
        except BaseException:
            print("\n".join(process.log_tail() for process in self._processes))
            self.kill()
            raise

    def _start(self, name, arguments, folder, env):
        process = Process(name, [shutil.which(name), *arguments], folder, env)
        self._processes.append(process)
        return process

    @staticmethod
    def _port(process, ready):
        def said():
            if process.exit_code is not None:
                raise RuntimeError(f"{process.name} ended with code {process.exit_code} before it was ready")
            return ready.search(process.log())

        return int(wait_for(f"the ready line of {process.name}", said, START_SECONDS).group(1))

    def stop(self):
        """Ends both, politely at first."""
        self.session.close()
        for process in reversed(self._processes):
            process.stop(signal.SIGTERM, 5)

    def kill(self):
        """Ends both at once."""
        for process in self._processes:
            process.kill()


def capabilities(debugger):
    """What is asked of the driver: the browser that runs already, and its logs."""
    return {
        "browserName": "chrome",
        "goog:chromeOptions": {"debuggerAddress": f"127.0.0.1:{debugger}"},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        "unhandledPromptBehavior": "dismiss",
    }
