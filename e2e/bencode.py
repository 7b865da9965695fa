"""Bencode (BEP 3): integers, byte strings, lists, dictionaries with sorted keys."""


def encode(value):
    """The bencoded form of an int, bytes, str (as UTF-8), list or dict."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(encode(item) for item in value) + b"e"
    if isinstance(value, dict):
        items = sorted((key.encode() if isinstance(key, str) else key, item) for key, item in value.items())
        return b"d" + b"".join(encode(key) + encode(item) for key, item in items) + b"e"
    raise TypeError(f"bencode has no form for {type(value).__name__}")


def decode(data):
    """The one value that `data` holds; ValueError on anything else, on unsorted keys too."""
    try:
        value, end = _decode_at(data, 0)
    except IndexError:
        raise ValueError("bencode ends too early") from None
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes behind the bencoded value")
    return value


def _decode_at(data, at):
    first = data[at : at + 1]
    if first == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if first == b"l":
        items, at = [], at + 1
        while data[at] != ord("e"):
            item, at = _decode_at(data, at)
            items.append(item)
        return items, at + 1
    if first == b"d":
        pairs, at, last = {}, at + 1, None
        while data[at] != ord("e"):
            key, at = _decode_at(data, at)
            if not isinstance(key, bytes) or (last is not None and key <= last):
                raise ValueError(f"dictionary key out of order: {key!r}")
            last = key
            pairs[key], at = _decode_at(data, at)
        return pairs, at + 1
    colon = data.index(b":", at)
    length = int(data[at:colon])
    end = colon + 1 + length
    if length < 0 or end > len(data):
        raise ValueError("byte string longer than the data")
    return data[colon + 1 : end], end
