"""png_reference.py FILE... - a PNG decoder of its own, with nothing but Python's zlib: WIDTH HEIGHT CHANNELS SHA256 NAME a line.

Pixels are those of tg_image_decode: 8 bits, 16 rounded, fewer scaled, palettes and tRNS expanded. A file that is no proper PNG
gives a line "refused NAME". tests/golden/png.txt has such lines of PngSuite and every 70th picture of three data sets, and
tests/unit/data/image.c compares:
    cd DATA
    png_reference.py png/*.png $(find image/noto_emoji_32 image/crawl_tiles image/cifar10_jpeg_subset -name '*.png' |
        LC_ALL=C sort | awk 'NR % 70 == 1') > tests/golden/png.txt
"""
import hashlib
import sys
import zlib

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunks(data):
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("signature")
    at = 8
    while True:
        length = int.from_bytes(data[at:at + 4], "big")
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        if len(body) != length or zlib.crc32(kind + body) != int.from_bytes(data[at + 8 + length:at + 12 + length], "big"):
            raise ValueError("checksum")
        yield kind, body
        if kind == b"IEND":
            return
        at += 12 + length


def unfilter(kind, row, above, stride):
    row = bytearray(row)
    for i in range(len(row)):
        left = row[i - stride] if i >= stride else 0
        up = above[i]
        corner = above[i - stride] if i >= stride else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        elif kind == 4:
            p = left + up - corner
            guess = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]
        elif kind == 0:
            guess = 0
        else:
            raise ValueError("filter")
        row[i] = row[i] + guess & 255
    return row


def samples_of(row, depth, count):
    if depth == 16:
        return [row[2 * i] << 8 | row[2 * i + 1] for i in range(count)]
    number = int.from_bytes(row, "big")
    total = 8 * len(row)
    return [number >> (total - depth * (i + 1)) & ((1 << depth) - 1) for i in range(count)] if depth < 8 else list(row[:count])


def decode(data):
    """width, height, channels, pixels"""
    head = palette = key = None
    packed = b""
    for kind, body in chunks(data):
        if kind == b"IHDR":
            head = body
        elif kind == b"PLTE":
            palette = [body[i:i + 3] for i in range(0, len(body), 3)]
        elif kind == b"tRNS":
            key = body
        elif kind == b"IDAT":
            packed += body
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    depth, colour, interlaced = head[8], head[9], head[12]
    if colour not in SAMPLES or depth not in DEPTHS[colour]:
        raise ValueError("kind")
    raw = zlib.decompress(packed)
    n = SAMPLES[colour]
    grid = [[None] * width for _ in range(height)]
    at = 0
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        xs = range(x0, width, dx)
        size = (len(xs) * n * depth + 7) // 8
        above = bytes(size)
        for y in range(y0, height, dy) if len(xs) else ():
            above = unfilter(raw[at], raw[at + 1:at + 1 + size], above, max(1, n * depth // 8))
            at += 1 + size
            values = samples_of(above, depth, len(xs) * n)
            for i, x in enumerate(xs):
                grid[y][x] = tuple(values[i * n:i * n + n])
    if at != len(raw):
        raise ValueError("length")
    top = (1 << depth) - 1
    transparent = None
    if key is not None and colour in (0, 2):
        transparent = tuple(int.from_bytes(key[i:i + 2], "big") & top for i in range(0, 2 * n, 2))
    out = bytearray()
    for row in grid:
        for pixel in row:
            if colour == 3:
                out += palette[pixel[0]]
                if key is not None:
                    out.append(key[pixel[0]] if pixel[0] < len(key) else 255)
            else:
                out += bytes((2 * 255 * v + top) // (2 * top) for v in pixel)
                if transparent:
                    out.append(0 if pixel == transparent else 255)
    return width, height, len(out) // (width * height), bytes(out)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            with open(name, "rb") as f:
                width, height, channels, pixels = decode(f.read())
            print(width, height, channels, hashlib.sha256(pixels).hexdigest(), name)
        except (ValueError, zlib.error):
            print("refused", name)
