"""A random file, the same for the same seed, and a private torrent of it."""

import hashlib
import os
import random
from dataclasses import dataclass

import bencode

PIECE = 64 * 1024
SIZE = 6 * 1024 * 1024 + 12_345  # the last piece is a short one


@dataclass(frozen=True)
class Torrent:
    """Where the torrent file and the payload lie, and what the tracker knows the torrent by."""

    path: str
    payload: str
    file_name: str
    info_hash: bytes


def make(folder, seed, announce):
    """Writes the payload of `seed` and its torrent for the tracker at `announce` into `folder`."""
    file_name = f"{seed}.bin"
    payload = os.path.join(folder, file_name)
    data = random.Random(seed).randbytes(SIZE)
    with open(payload, "wb") as file:
        file.write(data)
    info = {
        "length": SIZE,
        "name": file_name,
        "piece length": PIECE,
        "pieces": b"".join(hashlib.sha1(data[at : at + PIECE]).digest() for at in range(0, SIZE, PIECE)),
        "private": 1,  # no client looks for peers of it but at the tracker
    }
    path = os.path.join(folder, f"{seed}.torrent")
    with open(path, "wb") as file:
        file.write(bencode.encode({"announce": announce, "info": info}))
    return Torrent(path, payload, file_name, hashlib.sha1(bencode.encode(info)).digest())
