"""Connections that are opened and closed, in all the ways in which clients do that."""

import random
import socket
import struct

from held import announce
from wire import WrongAnswer, connect, read_answer

AT_ONCE = 64  # all of a batch are open before the first of them ends
RESET = struct.pack("ii", 1, 0)  # to linger, for no time: closing sends a reset


def reset(connection):
    """Closes it with a reset, whatever is on its way."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def keep_and_close(connection, port):
    """Two announces, then the client closes."""
    read_answer(connection)
    connection.sendall(announce(port))
    read_answer(connection)
    connection.close()


def be_closed(connection, _port):
    """The tracker closes, as it was asked to."""
    read_answer(connection)
    if connection.recv(1):
        raise WrongAnswer("something comes after the answer")
    connection.close()


def answered_and_reset(connection, _port):
    """Answered, then reset."""
    read_answer(connection)
    reset(connection)


# name: (what is sent at first, how it ends, announces that are answered for sure, and that may be)
WAYS = {
    "closed by the client": (announce, keep_and_close, 2, 2),
    "Connection: close": (lambda port: announce(port, ends=True), be_closed, 1, 1),
    "reset": (announce, answered_and_reset, 1, 1),
    "reset before the answer": (announce, lambda connection, _port: reset(connection), 0, 1),
    "half a request, closed": (lambda port: announce(port)[:-9], lambda connection, _port: connection.close(), 0, 0),
    "half a request, reset": (lambda port: announce(port)[:-9], lambda connection, _port: reset(connection), 0, 0),
    "nothing said": (lambda _port: b"", lambda connection, _port: connection.close(), 0, 0),
}


class Churn:
    """What has been opened and closed so far."""

    def __init__(self, server, sources, seed):
        self._server, self._sources = server, sources
        self._random = random.Random(seed)
        self.opened = 0
        self.announces = [0, 0]  # that are answered for sure, and that may be
        self.ways = dict.fromkeys(WAYS, 0)

    def run(self, count):
        """Opens and closes so many more."""
        while count > 0:
            batch = min(count, AT_ONCE)
            self._batch(self._random.choices(list(WAYS), k=batch))
            count -= batch

    def _batch(self, names):
        open_ones = []
        for name in names:
            connection = connect(self._server, self._sources[self.opened % len(self._sources)])
            self.opened += 1
            connection.sendall(WAYS[name][0](6000 + len(open_ones)))
            open_ones.append(connection)
        for nth, (name, connection) in enumerate(zip(names, open_ones)):
            _, end, least, most = WAYS[name]
            end(connection, 6000 + nth)
            self.announces[0] += least
            self.announces[1] += most
            self.ways[name] += 1
