"""One check's visit to the statistics page: the page, its tracker, and where screenshots go."""

import os

from past import stats
from stats_page import DESKTOP, StatsPage
from tracker import Tracker


class Visit:
    """`page` is open on nothing yet; `tracker` has a past."""

    def __init__(self, name, session, tracker, past, binary, folder, screenshots):
        self.page = StatsPage(session, tracker)
        self.session = session
        self.tracker = tracker
        self.past = past
        self._binary = binary
        self._folder = os.path.join(folder, name)
        self._screenshots = screenshots
        self._own = []

    def start(self, settings="()"):
        """Goes on with a new tracker: no past, no peers."""
        os.makedirs(self._folder, exist_ok=True)
        self._use(Tracker(self._binary, self._folder, ipv6=False, settings=settings))

    def start_with_past(self):
        """Goes on with a tracker that this visit may stop."""
        self._use(self.past.start(self._folder))

    def start_again(self):
        """Starts this visit's tracker again, on the port that it had."""
        port = int(self.tracker.urls[4].rsplit(":", 1)[1])
        tracker = Tracker(self._binary, self._folder, ipv6=False, settings="()", port=port)
        self._own.append(tracker)
        self.tracker = self.page.tracker = tracker

    def _use(self, tracker):
        self._own.append(tracker)
        self.tracker = self.page.tracker = tracker
        self.page.base = tracker.urls[4]

    def stats(self, period="1d", group="minute"):
        """What /stats.json says, fetched without the browser."""
        return stats(self.tracker, period, group)

    def keep(self, name, full=True, **metrics):
        """Keeps a screenshot of all of the page, or of what is in sight."""
        if self._screenshots:
            picture = self.page.full_screenshot(**{**DESKTOP, **metrics}) if full else self.session.screenshot()
            with open(os.path.join(self._screenshots, f"{name}.png"), "wb") as file:
                file.write(picture)

    def end(self):
        """Ends the trackers of this visit."""
        for tracker in self._own:
            tracker.kill()
