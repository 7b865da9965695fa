"""What the driver asks of a client, whoever made it."""

import os
import random
import shutil
import socket

from process import Process


class Client:
    """One running client of one torrent, with a folder, a port and a process of its own."""

    name = ""  # as in a pair's name
    package = ""  # the Debian package it comes in
    stop_signal = None
    stop_seconds = 10
    always_sends_stopped = True

    def __init__(self, role, torrent, folder, family):
        self.role = role
        self.torrent = torrent
        self.folder = folder
        self.family = family
        self.port = free_port(family)
        os.makedirs(self.downloads)
        if role == "seed":
            shutil.copy(torrent.payload, self.file)
        self.process = Process(f"{self.name}-{role}", self.command(), folder, self.environment())

    @classmethod
    def missing(cls):
        """None if the client is installed, else why it cannot run."""
        raise NotImplementedError

    def command(self):
        """The command line; may write what the client wants to find in its folder."""
        raise NotImplementedError

    def environment(self):
        """Nothing of the user's own settings is to be found."""
        return {"HOME": self.folder, "XDG_CONFIG_HOME": self.folder, "XDG_CACHE_HOME": self.folder, "LC_ALL": "C.UTF-8"}

    @property
    def downloads(self):
        """Where the payload lies, or grows."""
        return os.path.join(self.folder, "downloads")

    @property
    def file(self):
        """The payload itself."""
        return os.path.join(self.downloads, self.torrent.file_name)

    def finished(self):
        """True once the client holds the whole file."""
        raise NotImplementedError

    def check_running(self):
        """Raises if the process has ended."""
        if self.process.exit_code is not None:
            raise RuntimeError(f"{self.process.name} ended by itself with code {self.process.exit_code}")

    def stop(self):
        """Ends it politely; False if it had to be killed."""
        return self.process.stop(self.stop_signal, self.stop_seconds)


def loopback(family):
    """The loopback address of a family."""
    return "::1" if family == 6 else "127.0.0.1"


def free_port(family):
    """A port that nobody listens on, below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET) as probe:
            try:
                probe.bind((loopback(family), port))
                return port
            except OSError:
                continue


def missing_program(program, package):
    """None if `program` is on PATH, else a sentence."""
    return None if shutil.which(program) else f"{program} is not installed (Debian package {package})"
