"""pngs.py - PNG and PNM files for tests/unit/data/png.c and pnm.c, made of samples whose pixels are known beforehand.

Each is a line "LENGTH OUT WIDTH HEIGHT CHANNELS NAME", LENGTH bytes of file, OUT bytes of pixels. OUT -1: to be refused with a
message that has NAME in it. pngs.py png: all colour types, depths, interlaced or not, sizes, filters, ways to compress,
transparency, and what the specification forbids. pngs.py pnm: P1 to P6.
"""
import random
import sys
import zlib

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (4, 16), (6, 8),
         (6, 16)]
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
rng = random.Random(2)


def put(data, out, width, height, channels, name):
    head = "%d %d %d %d %d %s\n" % (len(data), -1 if out is None else len(out), width, height, channels, name)
    sys.stdout.buffer.write(head.encode() + data + (out or b""))


def chunk(kind, body, crc=0):
    return len(body).to_bytes(4, "big") + kind + body + (zlib.crc32(kind + body) ^ crc).to_bytes(4, "big")


def header(width, height, depth, colour, interlaced=0, compression=0, method=0):
    rest = bytes((depth, colour, compression, method, interlaced))
    return chunk(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + rest)


def pack(values, depth):
    bits = "".join(format(v, "0%db" % depth) for v in values)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def filtered(row, above, stride, kind):
    out = bytearray((kind,))
    for i, x in enumerate(row):
        left = row[i - stride] if i >= stride else 0
        corner = above[i - stride] if i >= stride else 0
        up = above[i]
        guess = (0, left, up, (left + up) >> 1, None)[kind]
        if guess is None:
            p = left + up - corner
            near = sorted(((abs(p - left), 0), (abs(p - up), 1), (abs(p - corner), 2)))[0][1]
            guess = (left, up, corner)[near]
        out.append(x - guess & 255)
    return bytes(out)


def stream(grid, depth, n, interlaced):
    """Filtered rows of all passes; grid: rows of pixels of n samples."""
    out = b""
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        above = None
        for line in grid[y0::dy]:
            pixels = line[x0::dx]
            if not pixels:
                continue
            row = pack([s for pixel in pixels for s in pixel], depth)
            out += filtered(row, above or bytes(len(row)), max(1, n * depth // 8), rng.randrange(5))
            above = row
    return out


def deflated(data, way):
    if way == 3:  # fixed codes
        c = zlib.compressobj(9, zlib.DEFLATED, 15, 8, zlib.Z_FIXED)
        return c.compress(data) + c.flush()
    return zlib.compress(data, (0, 1, 9)[way])


def near(value, top):
    """value/top of 255, to the nearest."""
    return (2 * 255 * value + top) // (2 * top)


def file_of(head, stream_bytes, way, before=b"", pieces=1):
    packed = deflated(stream_bytes, way)
    size = len(packed) // pieces + 1
    data = b"".join(chunk(b"IDAT", packed[i:i + size]) for i in range(0, len(packed), size))
    return SIGNATURE + head + before + chunk(b"tEXt", b"Title\0x") + data + chunk(b"tIME", bytes(7)) + chunk(b"IEND", b"")


def good_png(colour, depth, interlaced, width, height, way, clear):
    n, top = SAMPLES[colour], (1 << depth) - 1
    count = rng.randrange(1, min(256, top + 1) + 1)  # of the palette
    few = [tuple(rng.randrange(count if colour == 3 else top + 1) for _ in range(n)) for _ in range(6)]
    if colour != 3:
        few += [(0,) * n, (top,) * n]
    grid = [[rng.choice(few) for _ in range(width)] for _ in range(height)]
    before, key, palette, alpha = b"", None, [], []
    if colour == 3:
        palette = [rng.randbytes(3) for _ in range(count)]
        alpha = list(rng.randbytes(rng.randrange(count + 1)))
        before = chunk(b"PLTE", b"".join(palette))
        before += chunk(b"tRNS", bytes(alpha)) if clear else b""
        alpha += [255] * (count - len(alpha))
    elif clear:
        key = grid[0][0]
        unused = 0 if depth == 16 else 0xffff ^ top  # bits that must be left out of account
        before = chunk(b"tRNS", b"".join((v | unused & rng.getrandbits(16)).to_bytes(2, "big") for v in key))
    elif colour == 2 or colour == 6:
        before = chunk(b"gAMA", b"\0\0\xb1\x8f") + chunk(b"PLTE", bytes(3 * 256)) + chunk(b"bKGD", bytes(6))
    out = bytearray()
    for row in grid:
        for pixel in row:
            if colour == 3:
                out += palette[pixel[0]] + (bytes((alpha[pixel[0]],)) if clear else b"")
            else:
                out += bytes(near(v, top) for v in pixel) + (bytes((0 if pixel == key else 255,)) if clear else b"")
    rows = stream(grid, depth, n, interlaced)
    data = file_of(header(width, height, depth, colour, interlaced), rows, way, before, rng.randrange(1, 5))
    put(data, bytes(out), width, height, len(out) // (width * height),
        "type %d, %d bits, interlaced %d, %d x %d, way %d, transparent %d"
        % (colour, depth, interlaced, width, height, way, clear))


def good_pngs():
    for colour, depth in KINDS:
        for interlaced in 0, 1:
            for clear in (0, 1) if colour in (0, 2, 3) else (0,):
                for way in range(4):
                    good_png(colour, depth, interlaced, 17 - way, 9 + way, way, clear)
                for width, height in (1, 1), (1, 9), (9, 1), (2, 3), (3, 2), (5, 5), (8, 8), (4, 1), (1, 4):
                    good_png(colour, depth, interlaced, width, height, 2, clear)
    row = list(range(0, 65536, 7)) + [128, 129, 385, 386, 65535]  # 16 bits to 8, whatever the value
    put(file_of(header(len(row), 1, 16, 0), b"\0" + b"".join(v.to_bytes(2, "big") for v in row), 2),
        bytes(near(v, 65535) for v in row), len(row), 1, 1, "values of 16 bits")


def bad_pngs():
    grey, rgb, indexed = header(2, 2, 8, 0), header(2, 2, 8, 2), header(2, 2, 8, 3)
    data = chunk(b"IDAT", zlib.compress(b"\0ab\0cd"))
    indices = chunk(b"IDAT", zlib.compress(b"\0\0\1\0\1\2"))
    data3 = chunk(b"IDAT", zlib.compress(bytes(14)))
    palette, two = chunk(b"PLTE", bytes(9)), chunk(b"PLTE", bytes(6))
    end = chunk(b"IEND", b"")
    key, clear = chunk(b"tRNS", b"\0\1"), chunk(b"tRNS", b"\0\1\2")
    deep = chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))

    def bad(name, *parts):
        put(SIGNATURE + b"".join(parts), None, 0, 0, 0, name)

    put(SIGNATURE + grey + data + end, b"abcd", 2, 2, 1, "the base of the bad")
    put(SIGNATURE + grey + data + end + b"junk", b"abcd", 2, 2, 1, "what lies behind the end is no part of it")
    put(SIGNATURE + indexed + palette + indices + end, bytes(12), 2, 2, 3, "the base of the bad, indexed")
    put(SIGNATURE + grey + chunk(b"abCd", b"?") + data + end, b"abcd", 2, 2, 1, "an unknown chunk that may be passed over")
    put(SIGNATURE + grey + data[:4] + data[4:] + chunk(b"IDAT", b"") + end, b"abcd", 2, 2, 1, "an empty IDAT at the end")
    bad("chunk IDAT at byte 8 stands where IHDR must", data, grey, end)
    bad("IHDR at byte 33 is the second", grey, grey, data, end)
    bad("IHDR at byte 8 is not of 13 bytes", chunk(b"IHDR", bytes(14)), data, end)
    bad("no such size", header(0, 2, 8, 0), data, end)
    bad("no such size", header(2, 0, 8, 0), data, end)
    bad("no such size", header(1 << 31, 1, 8, 0), data, end)
    for colour in range(8):
        for depth in 0, 1, 2, 3, 4, 8, 16, 32, 255:
            if (colour, depth) not in KINDS:
                bad("colour type %d with %d bits" % (colour, depth), header(2, 2, depth, colour), palette, data, end)
    bad("compression that is not known", header(2, 2, 8, 0, 0, 1, 0), data, end)
    bad("filter method that is not known", header(2, 2, 8, 0, 0, 0, 1), data, end)
    bad("interlacing that is not known", header(2, 2, 8, 0, 2), data, end)
    bad("PLTE at byte 33 is a palette in a grey picture", grey, palette, data, end)
    bad("chunk IDAT at byte 33 comes before the palette", indexed, indices, end)
    bad("PLTE at byte 54 is the second", indexed, palette, palette, indices, end)
    bad("PLTE at byte %d comes too late" % (33 + len(data3)), rgb, data3, palette, end)
    bad("PLTE at byte 33 is not made of colours", indexed, chunk(b"PLTE", bytes(8)), indices, end)
    bad("PLTE at byte 33 is not made of colours", indexed, chunk(b"PLTE", b""), indices, end)
    bad("more colours than the picture's bits can name", header(2, 2, 1, 3), palette, deep, end)
    bad("more colours than the picture's bits can name", rgb, chunk(b"PLTE", bytes(3 * 257)), data3, end)
    bad("row 1 names colour 2 of a palette of 2", indexed, two, indices, end)
    bad("tRNS at byte 47 is the second", grey, key, key, data, end)
    bad("comes too late", grey, data, key, end)
    bad("tRNS at byte 33 is in a picture with an alpha channel", header(2, 2, 8, 4), key, data, end)
    bad("tRNS at byte 33 comes before the palette", indexed, clear, palette, indices, end)
    bad("tRNS at byte 51 has more entries than the palette", indexed, two, clear, indices, end)
    bad("tRNS at byte 33 is not one colour of the picture's kind", grey, clear, data, end)
    bad("tRNS at byte 33 is not one colour of the picture's kind", rgb, key, data3, end)
    bad("is parted from those before it", grey, data, chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", b""), end)
    bad("IEND at byte 33 comes before any image data", grey, end)
    bad("is not empty", grey, data, chunk(b"IEND", b"x"))
    bad("in front of its chunk IEND", grey, data)
    bad("chunk ABCD at byte 33 is of a kind that is not known", grey, chunk(b"ABCD", b""), data, end)
    bad("CRC-32 of chunk tEXt at byte 33", grey, chunk(b"tEXt", b"a\0b", 1), data, end)
    bad("no chunk begins at byte 33", grey, chunk(b"a1Bc", b""), data, end)
    bad("longer than any chunk may be", grey, b"\x80\0\0\0IDAT", data, end)
    bad("in IDAT", grey, b"\x7f\xff\xff\xffIDAT", data, end)
    bad("more image data than 2 x 2 pixels have", grey, chunk(b"IDAT", zlib.compress(b"\0ab\0cd\0")), end)
    bad("image data of 5 bytes, where 2 x 2 pixels have 6", grey, chunk(b"IDAT", zlib.compress(b"\0ab\0c")), end)
    bad("row 1 is under filter 5", grey, chunk(b"IDAT", zlib.compress(b"\0ab\5cd")), end)
    bad("lie behind the end of its compressed data", grey, chunk(b"IDAT", zlib.compress(b"\0ab\0cd") + b"x"), end)
    bad("Adler-32 of what was compressed", grey, chunk(b"IDAT", zlib.compress(b"\0ab\0cd")[:-1] + b"x"), end)
    bad("which is no zlib header", grey, chunk(b"IDAT", b"\x78\x9d" + zlib.compress(b"\0ab\0cd")[2:]), end)
    bad("which is no zlib header", grey, chunk(b"IDAT", b"\x87\x0b" + zlib.compress(b"\0ab\0cd")[2:]), end)
    bad("preset dictionary", grey, chunk(b"IDAT", b"\x78\xbb" + zlib.compress(b"\0ab\0cd")[2:]), end)
    bad("cut short at byte 3, in compressed data", grey, chunk(b"IDAT", b"\x78\x9c\3"), end)
    bad("bytes of image data are too few for 2000 x 2000 pixels", header(2000, 2000, 8, 0), data, end)
    bad("are more than the", header(1 << 16, 1 << 16, 8, 6), data, end)
    bad("are more than the", header((1 << 31) - 1, (1 << 31) - 1, 16, 6), data, end)
    whole = SIGNATURE + grey + data + end
    for at in range(4, len(whole)):
        put(whole[:at], None, 0, 0, 0, "cut short at byte %d" % at)
    for at in range(len(whole)):  # any flipped bit: in a length, a name, data or a checksum
        for bit in range(8):
            put(whole[:at] + bytes((whole[at] ^ 1 << bit,)) + whole[at + 1:], None, 0, 0, 0, "")


def pnms():
    for kind in range(1, 7):
        n = 3 if kind in (3, 6) else 1
        for width, height in (1, 1), (3, 5), (8, 2), (9, 3), (17, 1):
            for top in (1,) if kind in (1, 4) else (1, 2, 5, 254, 255, 256, 1000, 65535):
                values = [rng.randrange(top + 1) for _ in range(width * height * n)]
                pixels = bytes(near(top - v if kind in (1, 4) else v, top) for v in values)
                gap = rng.choice((b"\n", b" ", b"\t", b"\r\n", b" # 3 is said\n#4\n", b"#x\n", b"\n  \n"))
                head = b"P%d" % kind + gap + b"%d" % width + gap + b"%d" % height
                head += b"" if kind in (1, 4) else gap + b"%d" % top
                if kind < 4:
                    between = b"" if kind == 1 and width % 2 else gap
                    body = gap + between.join(b"%d" % v for v in values) + rng.choice((b"", b"\n", b" # end\n", b"#"))
                elif kind == 4:
                    rows = [values[i:i + width] for i in range(0, len(values), width)]
                    body = b"\n" + b"".join(pack(row, 1) for row in rows)
                else:
                    body = b"#a comment is the white space\n" if width == 9 else b"\n"
                    body += b"".join(v.to_bytes(2 if top > 255 else 1, "big") for v in values) + (b"\n" if width == 8 else b"")
                put(head + body, pixels, width, height, n, "P%d, %d x %d of %d" % (kind, width, height, top))

    def bad(name, data):
        put(data, None, 0, 0, 0, name)

    bad("no number at byte 5, in its height", b"P5 1 x 255\na")
    bad("the number at byte 3, in its width, is not in 1..", b"P5 0 1 255\na")
    bad("the number at byte 5, in its height, is not in 1..", b"P5 1 0 255\na")
    bad("the number at byte 3, in its width, is not in 1..", b"P5 99999999999999999999999 1 255\na")
    bad("the number at byte 7, in its largest value, is not in 1..65535", b"P5 1 1 65536\na")
    bad("the number at byte 7, in its largest value, is not in 1..65535", b"P5 1 1 0\na")
    bad("cut short at byte 3, in its width", b"P5 ")
    bad("cut short at byte 5, in its height", b"P5 1#")
    bad("cut short at byte 10, in its header", b"P5 1 1 255")
    bad("no white space at byte 10", b"P5 1 1 255a")
    bad("cut short: 1 x 1 pixels need at least 1 bytes from byte 11 on, there are 0", b"P5 1 1 255\n")
    bad("need at least 2 bytes", b"P5 1 1 256\na")
    bad("need at least 6 bytes", b"P6 2 1 255\nabcde")
    bad("need at least 4 bytes", b"P4 9 2\nabc")
    bad("need at least 3 bytes", b"P2 2 1 9\n1")
    bad("in its samples", b"P2 2 1 9 10 1")
    bad("cut short at byte 13, in its samples", b"P2 2 1 999 10")
    bad("no number at byte 11, in its samples", b"P2 2 1 9 1 -1 ")
    bad("the number at byte 7, in its samples, is not in 0..1", b"P1 1 1 2")
    bad("a sample of 8 in row 1, where 7 is said to be the largest", b"P5 1 2 7\n\7\x08")
    bad("2 bytes lie behind the picture, from byte 12 on", b"P5 1 1 255\nabc")
    bad("bytes lie behind the picture", b"P5 1 1 255\na\nP5 1 1 255\na")
    bad("bytes lie behind the picture", b"P2 1 1 9\n3 3")
    bad("are more than the", b"P6 65536 65536 255\n")
    bad("are more than the", b"P6 2147483647 2147483647 255\n")


if sys.argv[1] == "png":
    good_pngs()
    bad_pngs()
else:
    pnms()
