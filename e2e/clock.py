"""The reader's clock: times as the page writes them, in the zone that the browser is told to be in."""

from datetime import datetime, timedelta, timezone

ZONE = "Asia/Kolkata"  # five and a half hours ahead: what is not in the reader's zone shows
_READER = timezone(timedelta(hours=5, minutes=30))


def _start(seconds):
    return datetime.fromtimestamp(seconds, _READER)


def moment(seconds, step=60):
    """`Tue 24 Nov, 17:21`, and until when, if it is an hour."""
    start = _start(seconds)
    text = f"{start:%a} {start.day} {start:%b}, {start:%H:%M}"
    return f"{text} – {start + timedelta(hours=1):%H:%M}" if step == 3600 else text


def full_moment(seconds):
    """`Tue 24 Nov 2026, 17:21`."""
    start = _start(seconds)
    return f"{start:%a} {start.day} {start:%b} {start.year}, {start:%H:%M}"


def plain(text):
    """A text of the page with `Sept` as `Sep`: Chromium's word depends on its age."""
    return text.replace("Sept", "Sep")
