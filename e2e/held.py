"""Keep-alive connections that are held open, and one that looks on."""

import select
from urllib.parse import quote, urlsplit

from wire import Closed, WrongAnswer, connect, read_answer

TORRENT = b"a torrent of the held"[:20]
AT_ONCE = 64  # requests that are on their way together


def address(network, nth):
    """One of the addresses of a network of which the first two bytes are given."""
    return f"{network}.{nth // 250}.{nth % 250 + 1}"


def announce(port, ends=False):
    """A request that enters the peer of this port, and asks for nobody."""
    query = f"info_hash={quote(TORRENT)}&peer_id=-HE0001-{port:012}&port={port}&left=1&numwant=0&compact=1"
    return f"GET /announce?{query} HTTP/1.1\r\nHost: held\r\n{'Connection: close' + chr(13) + chr(10) if ends else ''}\r\n".encode()


class Onlooker:
    """One connection that is open from beginning to end, so that looking changes nothing."""

    def __init__(self, url):
        target = urlsplit(url)
        self.server = (target.hostname, target.port)
        self._connection = connect(self.server, "127.0.0.1")

    def get(self, path):
        """Status and body of GET `path`."""
        try:
            self._connection.sendall(f"GET {path} HTTP/1.1\r\nHost: held\r\n\r\n".encode())
            return 200, read_answer(self._connection)
        except (Closed, ConnectionError) as error:
            raise Closed("the onlooker was closed: there was no room for it, or the tracker has ended") from error

    def close(self):
        """Ends it."""
        self._connection.close()


class Held:
    """Connections from as many addresses as are needed where each may have `of_one`, in the order in which they last asked."""

    def __init__(self, server, network, of_one):
        self._server, self._network, self._of_one = server, network, of_one
        self._opened = 0
        self._poll = select.epoll()
        self._of = {}  # by descriptor, in order
        self.connections = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self, count):
        """Opens so many more, and has an announce answered on each."""
        new = []
        for nth in range(self._opened, self._opened + count):
            connection = connect(self._server, address(self._network, nth // self._of_one))
            self._poll.register(connection, select.EPOLLIN | select.EPOLLRDHUP)
            self._of[connection.fileno()] = connection
            self.connections.append(connection)
            new.append(connection)
            if len(new) == AT_ONCE:
                self._ask(new)
                new = []
        self._ask(new)
        self._opened += count

    def ask(self):
        """Has another announce answered on each, in order."""
        for first in range(0, len(self.connections), AT_ONCE):
            self._ask(self.connections[first:first + AT_ONCE])

    def _ask(self, connections):
        for nth, connection in enumerate(connections):
            connection.sendall(announce(6000 + nth))
        for connection in connections:
            body = read_answer(connection)
            if b"8:intervali" not in body or b"failure" in body:
                raise WrongAnswer(repr(body[:200]))

    def ended(self):
        """Those that the tracker has ended, or has said something on without having been asked. They count no more."""
        found = [self._of.pop(number) for number, _ in self._poll.poll(0, max(1, len(self._of)))]
        for connection in found:
            self._poll.unregister(connection)
        gone = set(found)
        self.connections = [connection for connection in self.connections if connection not in gone]
        return found

    def close(self):
        """Closes all."""
        for connection in self.connections:
            connection.close()
        self.connections = []
        self._of = {}
        if not self._poll.closed:
            self._poll.close()
