"""The tracker under test: started on ports picked by the kernel, asked over HTTP, stopped by a signal."""

import http.client
import os
import re
import signal
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import bencode
from process import Process
from wait import wait_for

# Clients that came first are told of later ones sooner by settings of their own. Announcing again more often would
# meet a trap of transmission: where a regular announce falls between its last piece and its `completed`, it has
# become a seeder already, and its completion is not counted.
INTERVAL = 20
PEER_TIMEOUT = 30
CONFIG = f"""(
  swarm: (interval: "{INTERVAL}s", min_interval: "2s", peer_timeout: "{PEER_TIMEOUT}s"),
)
"""
READY = re.compile(r"^listening on (http://\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Counts:
    """What a scrape says about one torrent."""

    complete: int
    incomplete: int
    downloaded: int

    def __str__(self):
        return f"complete {self.complete}, incomplete {self.incomplete}, downloaded {self.downloaded}"


class Tracker:
    """A running tracker; `urls` maps 4 and 6 to where it listens for that family."""

    def __init__(self, binary, folder, ipv6, settings=CONFIG, port=0, env=None):
        config = os.path.join(folder, "tracker.ron")
        with open(config, "w", encoding="utf-8") as file:
            file.write(settings)
        listen = [f"127.0.0.1:{port}"] + (["[::1]:0"] if ipv6 else [])
        command = [os.path.abspath(binary), "--config", config, "--data-dir", os.path.join(folder, "data")]
        for address in listen:
            command += ["--listen", address]
        self._process = Process("tracker", command, folder, env)
        try:
            self.urls = wait_for("the tracker's ready lines", lambda: self._ready(len(listen)), 10)
        except BaseException:
            self._process.kill()
            print(self.log_tail())
            raise

    def _ready(self, expected):
        if self._process.exit_code is not None:
            raise RuntimeError(f"the tracker ended with code {self._process.exit_code} before it was ready")
        found = READY.findall(self._process.log())
        return len(found) >= expected and {6 if "[" in url else 4: url for url in found}

    def announce_url(self, family):
        """What goes into a torrent file."""
        return f"{self.urls[family]}/announce"

    def get(self, path):
        """Status and body of GET `path`."""
        address = urlsplit(self.urls[4])
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def scrape(self, info_hash):
        """The counts of one torrent."""
        status, body = self.get(f"/scrape?info_hash={quote(info_hash)}")
        if status != 200:
            raise ValueError(f"scrape was answered with status {status}")
        entry = bencode.decode(body)[b"files"][info_hash]
        return Counts(entry[b"complete"], entry[b"incomplete"], entry[b"downloaded"])

    @property
    def pid(self):
        """Its process id."""
        return self._process.pid

    def log(self):
        """All that it wrote so far."""
        return self._process.log()

    def log_tail(self):
        """The end of its log, for people."""
        return self._process.log_tail()

    def stop(self):
        """Asks it to stop; the sentence that says what was wrong with how it ended, or None."""
        if self._process.exit_code is not None:
            return f"the tracker had ended by itself, with code {self._process.exit_code}"
        if not self._process.stop(signal.SIGTERM, 10):
            return "the tracker did not stop within 10 s of SIGTERM"
        if self._process.exit_code != 0:
            return f"the tracker stopped with code {self._process.exit_code}, not 0"
        if "panicked" in self._process.log():
            return "the tracker's log tells of a panic"
        return None

    def kill(self):
        """Ends it at once."""
        self._process.kill()
