"""transmission-cli with a settings file of its own."""

import json
import os
import signal

from clients.client import Client, missing_program


class Transmission(Client):
    """It calls no peer in 127/8: the other side calls it, having heard of it from the tracker."""

    name = "transmission"
    package = "transmission-cli"
    stop_signal = signal.SIGINT  # the only one it handles
    stop_seconds = 3
    always_sends_stopped = False  # 3.00 may hang at its end without

    @classmethod
    def missing(cls):
        return missing_program("transmission-cli", cls.package)

    def command(self):
        config = os.path.join(self.folder, "config")
        os.makedirs(config)
        settings = {
            "bind-address-ipv4": "127.0.0.1",
            "dht-enabled": False,
            "download-dir": self.downloads,
            "encryption": 0,
            "lpd-enabled": False,
            "message-level": 2,
            "peer-port": self.port,
            "pex-enabled": False,
            "port-forwarding-enabled": False,
            "rename-partial-files": True,
            "rpc-enabled": False,
            "utp-enabled": False,
        }
        with open(os.path.join(config, "settings.json"), "w", encoding="utf-8") as file:
            json.dump(settings, file)
        verify = ["-v"] if self.role == "seed" else []
        folders = ["-g", config, "-w", self.downloads]
        return ["transmission-cli", *folders, "-p", str(self.port), *verify, self.torrent.path]

    def finished(self):
        # It writes to NAME.part until the download is complete.
        return os.path.exists(self.file)
