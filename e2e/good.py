"""A client that behaves, and how long it waits: announces at a small, steady rate from addresses of its own."""

import socket
import threading
import time
from urllib.parse import quote, urlsplit

import bencode
from wire import Closed, WrongAnswer, connect, read_answer

TORRENT = b"a torrent of the good"


def percentile(sorted_values, share):
    """The value that this share of them does not exceed."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


class GoodClients:
    """Announces `rate` times a second, by turns on a connection that stays open and on a new one, each time from the address that
    has waited longest. Keeps the time from before the connection to the last byte of each answer, in milliseconds."""

    def __init__(self, url, rate=50, addresses=8):
        target = urlsplit(url)
        self._server = (target.hostname, target.port)
        self._step = 1 / rate
        self._from = [f"127.200.0.{n + 1}" for n in range(addresses)]
        self._kept = {}
        self._stops = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.times = []
        self.wrong = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stops.set()
        self._thread.join()
        for connection in self._kept.values():
            connection.close()

    def take(self):
        """The times since the last take, in order."""
        times, self.times = self.times, []
        return sorted(times)

    def _run(self):
        due, nth = time.monotonic(), 0
        while not self._stops.wait(max(0, due - time.monotonic())):
            due = max(due + self._step, time.monotonic())
            source = self._from[nth % len(self._from)]
            stays = nth // len(self._from) % 2 == 0
            begin = time.perf_counter()
            try:
                self._announce(source, 6000 + nth % len(self._from), stays)
                self.times.append(1000 * (time.perf_counter() - begin))
            except (OSError, ValueError, KeyError, WrongAnswer) as error:
                self._kept.pop(source, None)
                self.wrong.append(f"{type(error).__name__}: {error}")
            nth += 1

    def _announce(self, source, port, stays):
        kept = self._kept.pop(source, None) if stays else None
        ends = "" if stays else "Connection: close\r\n"
        query = f"info_hash={quote(TORRENT[:20])}&peer_id=-GO0001-{port:012}&port={port}&left=0&numwant=50"
        request = f"GET /announce?{query} HTTP/1.1\r\nHost: good\r\n{ends}\r\n".encode()
        connection, body = self._ask(source, kept, request)
        answer = bencode.decode(body)
        if not 0 < answer[b"complete"] <= len(self._from) or len(answer[b"peers"]) % 6 or b"warning message" in answer:
            raise WrongAnswer(repr(body[:200]))
        if stays:
            self._kept[source] = connection
        else:
            connection.close()

    def _ask(self, source, kept, request):
        """The connection that was answered on, and the body of the answer. Where the tracker closes one that was idle just as it is used
        again, clients ask on another."""
        if kept is not None:
            try:
                kept.sendall(request)
                return kept, read_answer(kept)
            except (ConnectionResetError, BrokenPipeError, Closed):
                kept.close()
        connection = connect(self._server, source, seconds=5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        return connection, read_answer(connection)
