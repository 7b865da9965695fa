"""The servers to compare, each pinned to a core, and the load program: started here, ended by process id."""

import atexit
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
READY = re.compile(rb"listening on http://127\.0\.0\.1:(\d+)")
START_SECONDS = 20
_running = []


def end_all():
    """Ends what is still running; also at exit and on a signal."""
    while _running:
        _running[-1].end()


def end_on_signals():
    """SIGTERM and its like leave no server behind."""
    atexit.register(end_all)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))


def build(folder):
    """Compiles the load program and the null server into `folder`."""
    for name in ("httpload", "nullserver"):
        source = os.path.join(HERE, f"{name}.c")
        subprocess.run(["gcc", "-O2", "-o", os.path.join(folder, name), source, "-lm"], check=True)


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def scrape_peers(server):
    """How many peers make the null server's answer as long as the tracker's scrape of one torrent."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/scrape?info_hash=" + "%01" * 20)
    length = len(connection.getresponse().read())
    connection.close()
    return max(0, round((length - len("d8:intervali1800e5:peers50:e")) / 6)), length


class Server:
    """One running server; `keep_alive` is false where every answer ends the connection."""

    def __init__(self, name, command, core, folder, port=None, keep_alive=True, environment=None):
        self.name = name
        self.keep_alive = keep_alive
        self.log_path = os.path.join(folder, f"{name}-{time.monotonic_ns()}.log")
        with open(self.log_path, "wb") as log:
            self._child = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        _running.append(self)
        self.pid = self._child.pid  # taskset becomes the server
        self.port = self._wait_until_ready(port)

    def _wait_until_ready(self, port):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._child.poll() is None:
            if port is None:
                with open(self.log_path, "rb") as log:
                    ready = READY.search(log.read())
                if ready:
                    return int(ready[1])
            else:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    return port
                except OSError:
                    pass
            time.sleep(0.02)
        with open(self.log_path, "rb") as log:
            text = log.read().decode(errors="replace")
        self.end()
        raise RuntimeError(f"{self.name} did not start: {text.strip() or 'it said nothing'}")

    def resident(self):
        """Bytes of resident memory, once they have been the same for half a second."""
        last, same, end = None, 0, time.monotonic() + 4
        while same < 5 and time.monotonic() < end:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
                now = next((int(line.split()[1]) for line in status if line.startswith("VmRSS:")), None)
            if now is None:
                raise RuntimeError(f"{self.name} has ended")
            same = same + 1 if now == last else 0
            last = now
            time.sleep(0.1)
        return last * 1024

    def end(self):
        """Ends it, politely first."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self in _running:
            _running.remove(self)


class Bench:
    """Where the programs and their files lie and which cores they get."""

    def __init__(self, folder, tracker, server_core, load_core):
        self.folder = folder
        self.tracker = os.path.abspath(tracker)
        self.server_core = server_core
        self.load_core = load_core
        build(folder)

    def null(self, *arguments):
        """The floor: answers without reading."""
        port = str(free_port())
        command = [os.path.join(self.folder, "nullserver"), "--port", port, *arguments]
        return Server("null", command, self.server_core, self.folder)

    def ours(self, peer_ids=True):
        """The tracker, one worker."""
        data = os.path.join(self.folder, f"data-{time.monotonic_ns()}")
        config = f"{data}.ron"
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'(swarm: (interval: "30m", peer_ids: {str(peer_ids).lower()}), log: (level: "warn"))\n')
        command = [self.tracker, "--config", config, "--data-dir", data, "--workers", "1", "--listen", "127.0.0.1:0"]
        return Server("ours", command, self.server_core, self.folder)

    def opentracker(self, torrents):
        """Debian's opentracker; it serves listed torrents only."""
        os.chmod(self.folder, 0o755)  # it reads the list as another user, with this folder as its root
        hashes = os.path.join(self.folder, f"whitelist-{time.monotonic_ns()}")
        with open(hashes, "wb") as file:
            self.write_hashes(file, torrents)
        os.chmod(hashes, 0o644)
        port = free_port()
        command = ["opentracker", "-i", "127.0.0.1", "-p", str(port), "-d", self.folder, "-w", os.path.basename(hashes)]
        return Server("opentracker", command, self.server_core, self.folder, port, keep_alive=False)

    def write_hashes(self, file, torrents):
        """The info hashes of so many torrents, one a line."""
        subprocess.run([self._load, "--print-hashes", "--torrents", str(torrents)], stdout=file, check=True)

    @property
    def _load(self):
        return os.path.join(self.folder, "httpload")

    def load(self, server, *arguments, seconds=60):
        """What the load program says about `server` under `arguments`; `seconds` is the bound of the whole run."""
        if not server.keep_alive and "--mode" not in arguments:
            arguments += ("--mode", "close")
        command = ["taskset", "-c", str(self.load_core), self._load, "--host", "127.0.0.1"]
        command += ["--port", str(server.port), "--pid", str(server.pid), *map(str, arguments)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the load program failed: {done.stderr.decode(errors='replace').strip()}")
        return json.loads(done.stdout)
