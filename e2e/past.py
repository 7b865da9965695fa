"""Trackers with a past: a made-up week in the data directory, and as many peers now as its last minute had."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from urllib.parse import quote, urlsplit

from tracker import Tracker
from wait import wait_for

PEERS = 2400
SEED = 1
SETTINGS = '(http: (workers: 1, keep_alive: "30s"), log: (level: "warn"))'
HISTORY = ("history.ron", "history-hourly.ron")
BREATH = 0.8  # seconds between two visits


def info_hash(number):
    """The torrent of that number, percent-encoded."""
    return quote(number.to_bytes(2, "big") * 10)


def announce(number, torrents, left):
    """The path of an announce by the peer of that number: each has a torrent and a port of its own."""
    peer_id = f"-MU0001-{number:012d}"
    torrent = info_hash(number % torrents + 1)
    return f"/announce?info_hash={torrent}&peer_id={peer_id}&port={1024 + number}&left={left}&numwant=0&compact=1"


def send(address, paths):
    """Requests many paths on one connection, without waiting for an answer before the next is asked for."""
    requests = [f"GET {path} HTTP/1.1\r\nHost: {address[0]}\r\n\r\n" for path in paths]
    last = len(requests) - 1
    requests[last] = requests[last].replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    with socket.create_connection(address, timeout=10) as connection:
        thread = threading.Thread(target=connection.sendall, args=("".join(requests).encode(),))
        thread.start()
        answers = b""
        while received := connection.recv(65536):
            answers += received
        thread.join()
    answered = answers.count(b"HTTP/1.1 200")
    if answered != len(requests):
        raise RuntimeError(f"{answered} of {len(requests)} announces were answered with 200")


class Past:
    """A data directory with a made-up week up to this minute and with peers; trackers are started on copies of it."""

    def __init__(self, binary, made_up_history, folder):
        self._binary = binary
        self._folder = os.path.join(folder, "past")
        data = os.path.join(self._folder, "data")
        os.makedirs(self._folder)
        command = [made_up_history, data, "--peers", str(PEERS), "--seed", str(SEED), "--end", str(int(time.time()))]
        subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
        for name in HISTORY:
            shutil.copy(os.path.join(data, name), self._folder)
        self._fill()
        # The announces of all peers in one minute are none of this history.
        for name in HISTORY:
            os.replace(os.path.join(self._folder, name), os.path.join(data, name))

    def _fill(self):
        """Lets as many peers announce as there were in the last minute; the tracker keeps them when it stops."""
        tracker = Tracker(self._binary, self._folder, ipv6=False, settings=SETTINGS)
        try:
            history = stats(tracker, "1h", "minute")["history"]
            last = max(i for i, peers in enumerate(history["peers"][:-1]) if peers is not None)
            self.peers, self.seeders = history["peers"][last], history["seeders"][last]
            self.torrents = history["torrents"][last]
            paths = [announce(n, self.torrents, int(n >= self.seeders)) for n in range(self.peers)]
            send(address_of(tracker), paths)
            wrong = tracker.stop()
            if wrong:
                raise RuntimeError(wrong)
        finally:
            tracker.kill()

    def start(self, folder):
        """A tracker on a copy of it in `folder`."""
        os.makedirs(folder, exist_ok=True)
        shutil.copytree(os.path.join(self._folder, "data"), os.path.join(folder, "data"))
        tracker = Tracker(self._binary, folder, ipv6=False, settings=SETTINGS)
        now = wait_for("the peers to be there again", lambda: stats(tracker, "1h", "minute"), 10)
        if (now["peers"], now["torrents"]) != (self.peers, self.torrents):
            raise RuntimeError(f"{now['peers']} peers in {now['torrents']} torrents after a restart, not "
                               f"{self.peers} in {self.torrents}")
        return tracker


class Visitors:
    """Peers that announce and scrape again, so that the tracker is not idle; how many there are does not change."""

    def __init__(self, tracker, past):
        self._address = address_of(tracker)
        self._past = past
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self._thread.start()

    def _visit(self):
        for number in range(self._past.peers):
            left = int(number >= self._past.seeders)
            paths = [announce(number, self._past.torrents, left)]
            if number % 9 == 0:
                paths.append(f"/scrape?info_hash={info_hash(1)}")
            try:
                send(self._address, paths)
            except OSError:
                return  # the tracker has ended
            if self._is_over.wait(BREATH):
                return

    def stop(self):
        """No more of them."""
        self._is_over.set()
        self._thread.join()


def address_of(tracker):
    """Its host and port."""
    url = urlsplit(tracker.urls[4])
    return url.hostname, url.port


def stats(tracker, period, group):
    """What /stats.json says."""
    status, body = tracker.get(f"/stats.json?period={period}&group={group}")
    if status != 200:
        raise ValueError(f"/stats.json was answered with status {status}")
    return json.loads(body)
