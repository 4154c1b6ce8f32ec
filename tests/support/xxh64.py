"""xxh64.py - the checksum of our files, from its specification; and writing a safetensors file of ours anew."""
import json
import struct

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def rotate(x, n):
    return (x << n | x >> 64 - n) & MASK


def xxh64(data):
    """xxHash64 by its specification, seed 0."""
    def step(v, word):
        return rotate((v + word * P2) & MASK, 31) * P1 & MASK

    at, n = 0, len(data)
    if n >= 32:
        v = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        while at + 32 <= n:
            v = [step(x, w) for x, w in zip(v, struct.unpack_from("<4Q", data, at))]
            at += 32
        h = sum(rotate(x, r) for x, r in zip(v, (1, 7, 12, 18))) & MASK
        for x in v:
            h = ((h ^ step(0, x)) * P1 + P4) & MASK
    else:
        h = P5
    h = (h + n) & MASK
    while at + 8 <= n:
        h = (rotate(h ^ step(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= n:
        h = (rotate(h ^ struct.unpack_from("<I", data, at)[0] * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        h = rotate(h ^ byte * P5 & MASK, 11) * P1 & MASK
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return "%016x" % (h ^ h >> 32)


def read_file(path):
    """Header, tinygen's metadata, data."""
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + n])
    return head, json.loads(head["__metadata__"]["tinygen"]), bytearray(raw[8 + n:])


def write_file(path, head, meta, data):
    """A file that says what it is told, with checksums that are right: what a liar would write."""
    tensors = {name: row for name, row in head.items() if name != "__metadata__"}
    sums = {name: xxh64(bytes(data[row["data_offsets"][0]:row["data_offsets"][1]])) for name, row in tensors.items()}
    rest = {"xxh64.header": "0" * 16, "xxh64": json.dumps(sums), "tinygen": json.dumps(meta)}
    text = json.dumps({"__metadata__": rest, **tensors}).encode()
    text += b" " * (-len(text) % 8)
    text = text.replace(b"0" * 16, xxh64(text).encode(), 1)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + bytes(data))
