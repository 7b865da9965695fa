"""A reader of PNG files, as far as browsers write them: 8 bits a channel, red, green, blue and maybe alpha."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 6: 4}


class Picture:
    """The pixels of a PNG file; `picture[x, y]` is (red, green, blue)."""

    def __init__(self, data):
        header, packed = _chunks(data)
        self.width, self.height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", header)
        if depth != 8 or kind not in CHANNELS or interlaced:
            raise ValueError(f"not a PNG of the common kind: depth {depth}, colour type {kind}")
        self._channels = CHANNELS[kind]
        self._rows = _unfiltered(zlib.decompress(packed), self.width * self._channels, self.height, self._channels)

    def __getitem__(self, place):
        x, y = place
        return tuple(self._rows[y][x * self._channels : x * self._channels + 3])

    def column(self, x, top=0, bottom=None):
        """The pixels of a column, from above."""
        return [self[x, y] for y in range(top, self.height if bottom is None else bottom)]


def _chunks(data):
    """The header, and the compressed pixels."""
    if not data.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    header, packed, at = b"", [], len(SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed.append(body)
        at += length + 12
    return header, b"".join(packed)


def _unfiltered(raw, width, height, step):
    """The rows, with each row's filter undone (PNG specification, section 9)."""
    rows, above = [], bytearray(width)
    for number in range(height):
        at = number * (width + 1)
        kind, row = raw[at], bytearray(raw[at + 1 : at + 1 + width])
        if kind == 1:
            for i in range(step, width):
                row[i] = (row[i] + row[i - step]) & 255
        elif kind == 2:
            for i in range(width):
                row[i] = (row[i] + above[i]) & 255
        elif kind == 3:
            for i in range(width):
                before = row[i - step] if i >= step else 0
                row[i] = (row[i] + (before + above[i]) // 2) & 255
        elif kind == 4:
            for i in range(width):
                before, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
                row[i] = (row[i] + _paeth(before, above[i], corner)) & 255
        rows.append(row)
        above = row
    return rows


def _paeth(before, above, corner):
    """Whichever of three neighbours is nearest to before + above - corner."""
    to_before, to_above = abs(above - corner), abs(before - corner)
    to_corner = abs(before + above - 2 * corner)
    if to_before <= to_above and to_before <= to_corner:
        return before
    return above if to_above <= to_corner else corner
