"""libtorrent (rasterbar), driven by libtorrent_peer.py in a process of its own."""

import os
import signal
import subprocess

from clients.client import Client, loopback

# The package is visible to Debian's own Python only, whichever comes first on PATH.
PYTHON = "/usr/bin/python3"


class Libtorrent(Client):
    name = "libtorrent"
    package = "python3-libtorrent"
    stop_signal = signal.SIGTERM

    @classmethod
    def missing(cls):
        probe = [PYTHON, "-I", "-c", "import libtorrent"]
        try:
            found = subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True, timeout=20).returncode == 0
        except OSError:
            found = False
        return None if found else f"{PYTHON} cannot import libtorrent (Debian package {cls.package})"

    def command(self):
        host = f"[{loopback(6)}]" if self.family == 6 else loopback(4)
        script = os.path.join(os.path.dirname(__file__), "peers", "libtorrent_peer.py")
        return [PYTHON, "-u", script, self.torrent.path, self.downloads, f"{host}:{self.port}"]

    def finished(self):
        return "\nfinished\n" in "\n" + self.process.log()
