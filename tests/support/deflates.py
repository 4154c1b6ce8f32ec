"""deflates.py - compressed data by Python's zlib and gzip, for tests/unit/data/inflate.c.

Each is a line "KIND LENGTH USED OUT NAME", LENGTH bytes of input, then the OUT bytes that they make. KIND: raw, zlib, gzip. USED:
how many bytes of the input belong to the stream (gzip: 0). OUT -1: Python refuses it, and so must we. Damaged ones are good ones
with bits flipped, bytes cut off, and bytes changed.
"""
import gzip
import io
import random
import sys
import zlib

STRATEGIES = [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED]
rng = random.Random(1)


def put(kind, data, used, out, name):
    size = -1 if out is None else len(out)
    sys.stdout.buffer.write(b"%s %d %d %d %s\n" % (kind.encode(), len(data), used, size, name.encode()) + data + (out or b""))


def texts():
    words = [bytes(rng.randrange(97, 123) for _ in range(rng.randrange(1, 9))) for _ in range(300)]
    yield "empty", b""
    yield "one", b"x"
    yield "run", b"\0" * 70000
    yield "every byte", bytes(range(256)) * 3
    yield "noise", rng.randbytes(70000)
    yield "words", b" ".join(rng.choice(words) for _ in range(30000))
    noise = rng.randbytes(32768)
    yield "farthest match", noise + noise[:300] + noise
    for period in range(2, 20):
        yield "period %d" % period, rng.randbytes(period) * 40
    picture = bytearray()
    for y in range(150):
        for x in range(150):
            picture += bytes(((x * y) >> 6 & 255, (x + y) & 255, rng.randrange(4)))
    yield "picture", bytes(picture)
    # code lengths up to 15 and beyond the first table: frequencies grow as Fibonacci's numbers
    skewed, a, b = bytearray(), 1, 1
    for symbol in range(20):
        skewed += bytes([symbol]) * a
        a, b = b, a + b
    rng.shuffle(skewed)
    yield "skewed", bytes(skewed)


def compress(data, level, strategy, bits=-15, memory=8, parts=1):
    c = zlib.compressobj(level, zlib.DEFLATED, bits, memory, strategy)
    out, step = b"", len(data) // parts + 1
    for i in range(0, len(data), step):
        out += c.compress(data[i:i + step])
        if parts > 1:
            out += c.flush(zlib.Z_FULL_FLUSH if i // step % 2 else zlib.Z_SYNC_FLUSH)
    return out + c.flush()


def good():
    for name, data in texts():
        for level in 0, 1, 4, 6, 9:
            packed = compress(data, level, zlib.Z_DEFAULT_STRATEGY)
            put("raw", packed + b"behind", len(packed), data, "%s, level %d" % (name, level))
        for strategy in STRATEGIES[1:]:
            packed = compress(data, 6, strategy, memory=1 + strategy)
            put("raw", packed, len(packed), data, "%s, strategy %d" % (name, strategy))
        packed = compress(data, 6, zlib.Z_DEFAULT_STRATEGY, parts=7)
        put("raw", packed, len(packed), data, name + ", flushed")
        packed = compress(data, 6, zlib.Z_DEFAULT_STRATEGY, bits=9 + len(data) % 7)
        put("zlib", packed, len(packed), data, name + ", zlib")
        packed = gzip.compress(data, 6, mtime=0)
        put("gzip", packed, 0, data, name + ", gzip")
        put("gzip", packed + gzip.compress(b"more", 9) + packed + b"\0" * 9, 0, data + b"more" + data, name + ", members")


def headers():
    """All combinations of the optional fields of a gzip header."""
    data = b"what is in it"
    for flags in range(32):
        head = b"\x1f\x8b\x08" + bytes([flags]) + b"\1\2\3\4\2\3"
        head += b"\5\0extra" if flags & 4 else b""
        head += b"name.txt\0" if flags & 8 else b""
        head += b"a comment\0" if flags & 16 else b""
        head += (zlib.crc32(head) & 0xffff).to_bytes(2, "little") if flags & 2 else b""
        tail = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
        whole = head + compress(data, 9, 0) + tail
        put("gzip", whole, 0, data, "header of flags %d" % flags)
        for at in range(len(whole)):
            put("gzip", whole[:at], 0, None, "header of flags %d, cut to %d" % (flags, at))


def judged(kind, data):
    """What Python makes of it: bytes used, and the result or None."""
    try:
        if kind == "gzip":
            return 0, gzip.GzipFile(fileobj=io.BytesIO(data)).read()
        d = zlib.decompressobj(-15 if kind == "raw" else 15)
        out = d.decompress(data)
        if not d.eof or (kind == "zlib" and d.unused_data):
            return 0, None
        return len(data) - len(d.unused_data), out
    except (zlib.error, OSError, EOFError):
        return 0, None


def damaged(count):
    bases = []
    for name, data in texts():
        data = data[:3000]
        for level, strategy in (9, 0), (1, 0), (0, 0), (6, zlib.Z_FIXED), (6, zlib.Z_HUFFMAN_ONLY):
            bases.append(("raw", compress(data, level, strategy), name))
        bases.append(("raw", compress(data, 6, 0, parts=5), name))
        bases.append(("zlib", compress(data, 6, 0, bits=15), name))
    for i in range(count):
        kind, data, name = rng.choice(bases)
        data = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 5))):
            what = rng.randrange(4)
            at = rng.randrange(min(len(data), rng.choice((4, 40, 4000))) or 1)
            if what == 0 and data:
                del data[at:]
            elif what == 1 and data:
                data[at] = rng.randrange(256)
            elif data:
                data[at] ^= 1 << rng.randrange(8)
        if kind == "zlib" and data[1:2] and data[1] & 32:
            continue  # Python waits for a dictionary
        used, out = judged(kind, bytes(data))
        put(kind, bytes(data), used, out, "damaged %d: %s" % (i, name))
    for i in range(count):
        data = rng.randbytes(rng.randrange(1, 60))
        used, out = judged("raw", data)
        put("raw", data, used, out, "noise %d" % i)


class Bits:
    def __init__(self):
        self.bits = []

    def number(self, value, count):
        self.bits += [value >> i & 1 for i in range(count)]

    def code(self, value, count):
        self.bits += [value >> i & 1 for i in reversed(range(count))]

    def bytes(self):
        bits = self.bits + [0] * (-len(self.bits) % 8)
        return bytes(sum(bits[i + k] << k for k in range(8)) for i in range(0, len(bits), 8))


def random_lengths(count):
    """Lengths of a random code of at most 15 bits that is complete, for some of so many symbols."""
    leaves = [0]
    while len(leaves) < count and (len(leaves) < 2 or rng.randrange(30)):
        i = rng.choice((0, -1, rng.randrange(len(leaves))))
        if leaves[i] < 15:
            leaves[i] += 1
            leaves.append(leaves[i])
    lengths = leaves + [0] * (count - len(leaves))
    rng.shuffle(lengths)
    return lengths


def codes(count):
    """Dynamic blocks of random codes, every other one a little wrong, then noise."""
    order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    pre = [4] * 13 + [5] * 6  # for all 19 symbols
    for i in range(count):
        litlens, dists = rng.choice((257, 286, rng.randrange(257, 287))), rng.choice((1, 30, rng.randrange(1, 31)))
        lengths = random_lengths(litlens) + (random_lengths(dists) if dists > 1 else [rng.randrange(2)])
        if lengths[256] == 0 and rng.randrange(9):
            other = rng.choice([k for k in range(litlens) if lengths[k]])
            lengths[256], lengths[other] = lengths[other], 0
        free = [k for k in range(len(lengths)) if not lengths[k]]
        if i % 4 == 1 and free:
            lengths[rng.choice(free)] = 15  # one code too many
        elif i % 2:
            k = rng.choice([k for k in range(len(lengths)) if lengths[k]])
            lengths[k] = min(15, max(0, lengths[k] + rng.choice((-1, 1))))
        b = Bits()
        b.number(5, 3)
        b.number(litlens - 257, 5)
        b.number(dists - 1, 5)
        b.number(15, 4)
        for symbol in order:
            b.number(pre[symbol], 3)
        k = 0
        while k < len(lengths):
            run = 1
            while k + run < len(lengths) and lengths[k + run] == lengths[k] and run < 11:
                run += 1
            if run > 3 and lengths[k] == 0:  # 17: 3 to 10 zeros; now and then one too many
                run = min(run, 10)
                more = run - 3 + (run < 10 and k + run == len(lengths) and rng.randrange(3) == 0)
                b.code(26 + 17 - 13, 5)
                b.number(more, 3)
            else:
                run = 1
                b.code(lengths[k], 4) if lengths[k] < 13 else b.code(26 + lengths[k] - 13, 5)
            k += run
        data = b.bytes() + rng.randbytes(rng.choice((3, 40, 400)))
        used, out = judged("raw", data)
        put("raw", data, used, out, "codes %d" % i)


good()
headers()
codes(int(sys.argv[1]) // 4)
damaged(int(sys.argv[1]))
