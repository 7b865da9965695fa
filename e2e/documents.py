#!/usr/bin/python3
"""What the documents tell people to type works.

    e2e/documents.py --tracker target/release/tracker

A block of a document below `<!-- test: KIND -->` is tried: `serve` starts it and leaves it running, `run` runs each line to
its end, `nginx` and `haproxy` put it into a configuration of that program, through which a peer then announces. Ports and
paths are replaced by free ones. Needs Python 3 and cargo, and Debian's nginx and haproxy; without these what needs them is
skipped, and says so.
"""

import argparse
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import bencode
from process import Process, kill_all
from report import Report
from wait import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCK = re.compile(r"^<!-- test: (\w+) -->\n\n((?:(?:    .*)?\n)+?)(?=\S|\Z)", re.MULTILINE)
CLIENT = "127.0.0.2"
ANNOUNCE = "/announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-XX0001-abcdefghijkl&port=1000&left=0&compact=1"


def free_port():
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def blocks():
    """(document, kind, text) of every block that is to be tried, in order."""
    for path in sorted(glob.glob(os.path.join(ROOT, "docs", "*.md"))):
        with open(path, encoding="utf-8") as file:
            for kind, text in BLOCK.findall(file.read()):
                lines = [line[4:] for line in text.rstrip("\n").split("\n")]
                yield os.path.basename(path), kind, "\n".join(lines).strip("\n")


class Commands:
    """The commands of one document, with places of their own."""

    def __init__(self, folder):
        self._folder = folder
        self._port = free_port()
        self._count = 0

    def _fit(self, line):
        return line.replace("6970", str(self._port)).replace("/tmp/", self._folder + "/")

    def serve(self, text):
        """Starts a tracker that goes on until the end."""
        self._count += 1
        command = ["sh", "-c", f"cd '{ROOT}' && exec {self._fit(text)}"]
        process = Process(f"serve-{self._count}", command, self._folder)
        wait_for("the ready line", lambda: "listening on http" in process.log() or process.exit_code is not None, 400)
        if process.exit_code is not None:
            raise AssertionError(process.log_tail())

    def run(self, text):
        """Runs lines one after the other; each ends with code 0."""
        for line in text.splitlines():
            done = subprocess.run(self._fit(line), shell=True, cwd=ROOT, capture_output=True, text=True, timeout=600)
            if done.returncode != 0:
                raise AssertionError(f"{line}\n{done.stdout}{done.stderr}")


def ask_through(port, folder):
    """Announces through a proxy, pretending to be somebody else; returns the address that the tracker saw."""
    with socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(CLIENT, 0)) as connection:
        request = f"GET {ANNOUNCE} HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    body = answer.split(b"\r\n\r\n", 1)[1]
    return socket.inet_ntoa(bencode.decode(body)[b"external ip"])


def through_a_proxy(name, config, tracker, folder, command):
    """Starts a tracker and the proxy with the documented configuration, and announces through it."""
    settings = os.path.join(folder, f"{name}.ron")
    port, own = free_port(), free_port()
    with open(os.path.join(ROOT, "docs", "operating.md"), encoding="utf-8") as file:
        documented = re.search(r"^    (\(http: \(listen: .*trusted_proxies.*)$", file.read(), re.MULTILINE).group(1)
    with open(settings, "w", encoding="utf-8") as file:
        file.write(documented.replace("6969", str(port)))
    served = Process(f"{name}-tracker", [tracker, "--config", settings, "--data-dir", f"{folder}/{name}-data"], folder)
    wait_for("the tracker", lambda: "listening on" in served.log(), 20)
    path = os.path.join(folder, f"{name}.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(config.replace("127.0.0.1:6969", f"127.0.0.1:{port}").replace("OWN", str(own)))
    proxy = Process(name, command + [path], folder)

    def is_there():
        if proxy.exit_code is not None:
            raise AssertionError(proxy.log_tail())
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", own)) == 0

    wait_for(f"{name} to listen", is_there, 20)
    seen = [ask_through(own, folder) for _ in range(3)]
    proxy.kill()
    served.kill()
    if seen != [CLIENT] * 3:
        raise AssertionError(f"the tracker saw {seen}, not {CLIENT}")


def nginx(parts, folder):
    """A whole configuration around the documented parts."""
    inside = "\n".join(part for part in parts if part.startswith("location"))
    beside = "\n".join(part for part in parts if not part.startswith("location"))
    paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (
        f"daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off; {paths}\n{beside}\n"
        f"server {{ listen 127.0.0.1:OWN;\n{inside}\n}} }}\n"
    )


def haproxy(parts):
    """A whole configuration around the documented parts."""
    defaults = "defaults\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n"
    return defaults + "\n".join(parts).replace("bind :80", "bind 127.0.0.1:OWN") + "\n"


def attempt(report, name, work):
    """Runs `work`, and reports how it went."""
    try:
        work()
        report.add("passed", name, "")
    except Exception as error:  # whatever it is, the document is wrong or the test is
        report.add("failed", name, f"{type(error).__name__}: {error}")


def main():
    parser = argparse.ArgumentParser(description="tries what the documents say")
    parser.add_argument("--tracker", required=True, help="the tracker's binary")
    arguments = parser.parse_args()
    tracker = os.path.abspath(arguments.tracker)
    report = Report()
    folder = tempfile.mkdtemp(prefix="tracker-docs-")
    proxies, commands = {"nginx": [], "haproxy": []}, {}
    try:
        for number, (document, kind, text) in enumerate(blocks(), 1):
            if kind in proxies:
                proxies[kind].append(text)
                continue
            if document not in commands:
                own = os.path.join(folder, document)
                os.mkdir(own)
                commands[document] = Commands(own)
            attempt(report, f"{document} {number} ({kind})", lambda: getattr(commands[document], kind)(text))
        for name, parts in proxies.items():
            program = shutil.which(name) or shutil.which(name, path="/usr/sbin")
            if not program:
                report.add("skipped", f"operating.md ({name})", f"{name} is not installed")
                continue
            config = nginx(parts, folder) if name == "nginx" else haproxy(parts)
            flags = ["-p", folder, "-c"] if name == "nginx" else ["-db", "-f"]
            attempt(report, f"operating.md ({name})", lambda: through_a_proxy(name, config, tracker, folder, [program] + flags))
    finally:
        kill_all()
        shutil.rmtree(folder, ignore_errors=True)
    print(report.summary())
    return 1 if report.sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
