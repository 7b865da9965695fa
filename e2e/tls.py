#!/usr/bin/python3
"""HTTPS as others speak it: openssl, curl, and BitTorrent clients that transfer a file.

    e2e/tls.py --tracker target/release/tracker

Needs Python 3 and openssl, which makes the certificates; curl and Debian's aria2 have checks of their own, and without them
these are skipped, and say so.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

from clients import MAKERS
from clients.aria2 import Aria2
from pair import Pair
from process import kill_all
from report import Report
from tracker import INTERVAL, PEER_TIMEOUT, Tracker
from wait import wait_for

ANNOUNCE = "/announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-XX0001-abcdefghijkl&port=1000&left=0&compact=1"
REQUEST = f"GET {ANNOUNCE} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
RSA = ["-newkey", "rsa:2048"]


def run(command, said="", seconds=30):
    """Exit code, and what was written to either output."""
    done = subprocess.run(
        command, input=said.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False
    )
    return done.returncode, done.stdout.decode(errors="replace")


def must(condition, text):
    """Ends a check with what was said."""
    if not condition:
        raise AssertionError(text[-3000:])


class SecureTracker(Tracker):
    """A tracker that clients are to reach over TLS, and that is asked how it went without."""

    def __init__(self, binary, folder):
        self.certificate, self.key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        self.make_certificate(EC)
        settings = f"""(
  http: (tls: (certificate: "{self.certificate}", private_key: "{self.key}", listen: ["127.0.0.1:0"])),
  swarm: (interval: "{INTERVAL}s", min_interval: "2s", peer_timeout: "{PEER_TIMEOUT}s"),
)"""
        super().__init__(binary, folder, ipv6=False, settings=settings)
        secure = re.compile(r"^listening on (https://\S+)\s*$", re.MULTILINE)
        self.secure_url = wait_for("the line of TLS", lambda: secure.search(self._process.log()), 10).group(1)
        self.address = urlsplit(self.secure_url).netloc

    def make_certificate(self, kind):
        """A self-made one of this kind, in the place of the one before."""
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        command = ["openssl", "req", "-x509", *kind, "-noenc", "-days", "30", "-subj", "/CN=localhost", "-addext", names]
        code, said = run(command + ["-keyout", self.key, "-out", self.certificate])
        must(code == 0, said)

    def announce_url(self, family):
        return f"{self.secure_url}/announce"

    def reload(self):
        """Has the files read again."""
        before = self._process.log().count(" reloaded")
        self._process.send(signal.SIGHUP)
        wait_for("the reload", lambda: self._process.log().count(" reloaded") > before, 10)


def s_client(tracker, *arguments):
    """What `openssl s_client` has to tell of a request."""
    command = ["openssl", "s_client", "-connect", tracker.address, "-CAfile", tracker.certificate, "-verify_return_error"]
    return run(command + ["-alpn", "http/1.1", "-ign_eof", *arguments], REQUEST)


def both_versions(tracker, _folder):
    for option, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        code, said = s_client(tracker, option)
        for part in (name, "Verify return code: 0 (ok)", "ALPN protocol: http/1.1", "HTTP/1.1 200 OK", "8:complete"):
            must(part in said, f"no {part} in:\n{said}")
        must(code == 0, said)
    must("handshake failure" in s_client(tracker, "-tls1_2", "-cipher", "AES128-SHA")[1].lower(), "an old cipher was taken")


def http_2_only(tracker, _folder):
    command = ["openssl", "s_client", "-connect", tracker.address, "-alpn", "h2"]
    code, said = run(command)
    must(code != 0 and "no application protocol" in said, said)


def resumption(tracker, folder):
    session = os.path.join(folder, "session")
    for option in ("-tls1_2", "-tls1_3"):
        code, said = s_client(tracker, option, "-sess_out", session)
        must(code == 0 and "New, TLS" in said, said)
        code, said = s_client(tracker, option, "-sess_in", session)
        must(code == 0 and "Reused, TLS" in said and "HTTP/1.1 200 OK" in said, said)
    code, said = s_client(tracker, "-tls1_2", "-reconnect")
    must(said.count("Reused, TLS") == 5, said)


def curl(tracker, _folder):
    url = tracker.secure_url + ANNOUNCE
    for option in ("--tls-max=1.2", "--tlsv1.3"):
        option = option.split("=")
        code, said = run(["curl", "-sS", "--http1.1", *option, "--cacert", tracker.certificate, url, url])
        must(code == 0 and said.count("8:completei1e") == 2, said)
    code, said = run(["curl", "-sS", "--cacert", tracker.certificate, url])
    must(code == 0, f"with a client that offers HTTP/2: {said}")
    code, said = run(["curl", "-sS", url])
    must(code == 60, f"an unknown certificate was taken: {said}")
    code, said = run(["curl", "-sS", url.replace("https:", "http:")])
    must("use https://" in said, said)


def reload(tracker, _folder):
    """Another certificate for new connections, by SIGHUP."""
    command = ["openssl", "s_client", "-connect", tracker.address, "-CAfile", tracker.certificate, "-ign_eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        begun = b""
        while b"Verify return code" not in begun:
            line = child.stdout.readline()
            must(line, begun.decode())
            begun += line
        tracker.make_certificate(RSA)
        tracker.reload()
        code, said = s_client(tracker)
        must(code == 0 and "2048 bit" in said, said)
        said, _ = child.communicate(REQUEST.encode(), timeout=10)
        must(b"HTTP/1.1 200 OK" in said, "the connection from before was dropped")


def transfer(tracker, folder):
    """aria2 trusts the certificate, and finds another aria2."""

    class Trusting(Aria2):
        """With the certificate on its command line."""

        def command(self):
            program, *rest = super().command()
            return [program, f"--ca-certificate={tracker.certificate}", *rest]

    MAKERS["aria2"] = Trusting
    Pair("aria2", "aria2").run(tracker, os.path.join(folder, "pair"))


def handshakes_are_counted(tracker, _folder):
    text = tracker.get("/metrics")[1].decode()
    figures = re.findall(r'^tracker_tls_handshakes_total\{result="(\w+)"\} (\d+)$', text, re.MULTILINE)
    must(dict(figures).keys() == {"completed", "failed"} and all(int(count) > 0 for _, count in figures), text)


def main():
    parser = argparse.ArgumentParser(description="others speak TLS with the tracker")
    parser.add_argument("--tracker", required=True, help="the tracker's binary")
    arguments = parser.parse_args()
    report = Report()
    if not shutil.which("openssl"):
        report.add("skipped", "all", "openssl is not installed")
        print(report.summary())
        return 0
    folder = tempfile.mkdtemp(prefix="tracker-tls-")
    try:
        tracker = SecureTracker(arguments.tracker, folder)
        checks = [
            ("openssl: both versions", both_versions, None),
            ("openssl: HTTP/2 only is refused", http_2_only, None),
            ("openssl: resumption", resumption, None),
            ("curl", curl, None if shutil.which("curl") else "curl is not installed"),
            ("aria2 to aria2 over https", transfer, Aria2.missing()),
            ("another certificate by SIGHUP", reload, None),
            ("handshakes are counted", handshakes_are_counted, None),
        ]
        for name, check, missing in checks:
            if missing:
                report.add("skipped", name, missing)
                continue
            begin = time.monotonic()
            try:
                check(tracker, folder)
                report.add("passed", name, f"{time.monotonic() - begin:.1f} s")
            except Exception as error:  # whatever it is, the check has failed
                report.add("failed", name, f"{type(error).__name__}: {error}")
        wrong = tracker.stop()
        report.add("failed" if wrong else "passed", "tracker-stops", wrong or "on SIGTERM, with code 0")
    finally:
        kill_all()
        shutil.rmtree(folder, ignore_errors=True)
    print(report.summary())
    return 1 if report.sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
