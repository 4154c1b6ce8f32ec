#!/usr/bin/env python3
"""Makes encoding_tables.h from Python's codecs: python3 encoding_tables.py > encoding_tables.h
python3 encoding_tables.py --sums prints the checksums that tests/unit/data/encoding.c expects of whole maps.

GB18030 is Python's gb18030, the edition of 2000: characters that those of 2005 and 2022 moved out of the private use
area (A8BC, A6D9 ...) stand there as they did. Big5 is Microsoft's cp950 and not Python's big5, which is the table of
1984: they agree in all hanzi but for the seven ETEN added at F9D6, and differ in signs (A145, A1C2, A1E3, A244 ...).
What files have was mostly written by Windows, and the Big5 of Unix and of browsers has those signs as cp950 does.
"""
import struct
import sys
import zlib


def code(encoding, data):
    """The one character that data is; 0: it is none."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return 0
    return ord(text) if len(text) == 1 else 0


def table(about, name, encoding, leads, trails):
    print(f"/* {about} */")
    print(f"static const uint16_t {name}[{len(leads)}][{len(trails)}] = {{")
    for lead in leads:
        print("{" + ",".join("%#x" % code(encoding, bytes([lead, trail])) for trail in trails) + "},")
    print("};\n")


def four(linear):
    """Bytes of the linear-th code of four bytes."""
    return bytes([0x81 + linear // 12600, 0x30 + linear // 1260 % 10, 0x81 + linear // 10 % 126, 0x30 + linear % 10])


def ranges(count):
    found, expected = [], None
    for linear in range(count):
        c = code("gb18030", four(linear))
        assert c
        if c != expected:
            found.append((linear, c))
        expected = c + 1
    return found


def sums():
    """CRC-32 of the code points, u32 little-endian, 0 where there is none, of all texts of so many bytes in order."""
    def crc(codes):
        return "0x%08x" % zlib.crc32(b"".join(struct.pack("<I", c) for c in codes))
    for encoding in ("gb18030", "cp950"):
        one = [code(encoding, bytes([a])) for a in range(256)]
        two = [code(encoding, bytes([a, b])) for a in range(0x80, 256) for b in range(256)]
        print(encoding, "one", crc(one), "two", crc(two), sum(c > 0 for c in two))
    all4 = [code("gb18030", four(i)) for i in range(126 * 12600)]
    print("gb18030 four", crc(all4), sum(c > 0 for c in all4))
    for encoding in ("utf-16-le", "utf-16-be"):
        one = [code(encoding, bytes([a, b])) for a in range(256) for b in range(256)]
        print(encoding, "two", crc(one), sum(c > 0 for c in one))


def main():
    trails = [*range(0x40, 0x7F), *range(0x80, 0xFF)]
    print("/* encoding_tables.h - made by encoding_tables.py: what the bytes of GB18030 and of Big5 (cp950) mean. */")
    print("#ifndef TG_DATA_ENCODING_TABLES_H\n#define TG_DATA_ENCODING_TABLES_H\n#include <stdint.h>\n")
    table("[lead - 0x81][trail - 0x40, one less above 0x7f]; a line for each lead byte. All are taken.",
          "gb18030_two", "gb18030", range(0x81, 0xFF), trails)
    print("/* Where the codes of four bytes below U+10000 jump: {how many codes stand before, code point}. */")
    found = ranges(39420)
    print(f"static const uint16_t gb18030_four[{len(found)}][2] = {{")
    for i in range(0, len(found), 7):
        print("    " + " ".join("{%d, 0x%04x}," % pair for pair in found[i:i + 7]))
    print("};\n")
    table("[lead - 0xa1][trail - 0x40, 0x22 less from 0xa1 on]; a line for each lead byte; 0: nothing.",
          "big5_two", "cp950", range(0xA1, 0xFA), [*range(0x40, 0x7F), *range(0xA1, 0xFF)])
    print("#endif")


if sys.argv[1:] == ["--sums"]:
    sums()
else:
    main()
