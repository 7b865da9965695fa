"""aria2c, as it comes, with every other way to find peers switched off."""

import os
import signal

from clients.client import Client, missing_program


class Aria2(Client):
    name = "aria2"
    package = "aria2"
    stop_signal = signal.SIGINT

    @classmethod
    def missing(cls):
        return missing_program("aria2c", cls.package)

    def command(self):
        with open(self._hook, "w", encoding="utf-8") as script:
            script.write(f"#!/bin/sh\n: > '{self._complete}'\n")
        os.chmod(self._hook, 0o755)
        return [
            "aria2c",
            "--no-conf=true",
            "--enable-dht=false",
            "--enable-dht6=false",
            "--bt-enable-lpd=false",
            "--enable-peer-exchange=false",
            "--bt-tracker-interval=2",  # sees peers that came later sooner than the tracker asks for
            "--check-integrity=true",  # with the next one: seed what is there
            "--seed-ratio=0.0",
            "--file-allocation=none",
            "--summary-interval=0",
            "--show-console-readout=false",
            "--console-log-level=info",
            f"--on-bt-download-complete={self._hook}",
            "--interface=127.0.0.1",
            f"--listen-port={self.port}",
            f"--dir={self.downloads}",
            self.torrent.path,
        ]

    def finished(self):
        return os.path.exists(self._complete)

    @property
    def _hook(self):
        return os.path.join(self.folder, "on-complete.sh")

    @property
    def _complete(self):
        return os.path.join(self.folder, "complete")
