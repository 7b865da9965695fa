"""HTTP over one connection, as a client without a library has it: opened from an address of its own, an answer read to its end."""

import socket

BEGIN = b"HTTP/1.1 200 "
# the port is chosen when the other end is known, so that each address has all ports for each server; Linux's number
BIND_ADDRESS_NO_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)


class WrongAnswer(Exception):
    """The tracker has said what it should not."""


class Closed(WrongAnswer):
    """The tracker has closed and said nothing."""


def connect(server, source, seconds=10):
    """A connection from the address `source`, on which nothing waits longer than so many seconds."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
        connection.bind((source, 0))
        connection.connect(server)
    except OSError:
        connection.close()
        raise
    return connection


def read_answer(connection):
    """The body of one answer, which has status 200 and says how long it is."""
    read = b""
    while True:
        part = connection.recv(65536)
        if not part and not read:
            raise Closed("closed without an answer")
        if not part:
            raise WrongAnswer(f"closed after {read[:100]!r}")
        read += part
        head, end, body = read.partition(b"\r\n\r\n")
        if not end:
            continue
        if not head.startswith(BEGIN):
            raise WrongAnswer(repr(head[:100]))
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(body) == length:
            return body
