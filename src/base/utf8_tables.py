#!/usr/bin/env python3
"""Makes utf8_tables.h from the Unicode database of Python 3.12 (15.0): python3.12 utf8_tables.py > utf8_tables.h

Zero columns: non-spacing and enclosing marks, format characters (but not the soft hyphen nor the Arabic signs that
stand before a number), line and paragraph separators, Hangul vowels and finals, which join the initial before them.
Two: East Asian Width W and F, the emoji among them. Ranges run on over code points that are not assigned.
"""
import unicodedata

VISIBLE = {0xAD, 0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}


def width(code):
    c = chr(code)
    category = unicodedata.category(c)
    if category == "Cn" and unicodedata.east_asian_width(c) not in "WF":
        return None
    if 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF:
        return 0
    if category in ("Mn", "Me", "Cf", "Zl", "Zp") and code not in VISIBLE:
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def ranges(wanted):
    found, first, last = [], None, None
    for code in range(0xA0, 0x110000):
        w = width(code)
        if w == wanted:
            first = code if first is None else first
            last = code
        elif w is not None and first is not None:
            found.append((first, last))
            first = None
    if first is not None:
        found.append((first, last))
    return found


def table(name, pairs):
    print(f"static const uint32_t {name}[{len(pairs)}][2] = {{")
    for i in range(0, len(pairs), 5):
        print("    " + " ".join(f"{{0x{a:04x}, 0x{b:04x}}}," for a, b in pairs[i:i + 5]))
    print("};")


assert unicodedata.unidata_version == "15.0.0"
print("/* utf8_tables.h - made by utf8_tables.py from Unicode 15.0: first and last code point of each range. */")
print("#ifndef TG_BASE_UTF8_TABLES_H\n#define TG_BASE_UTF8_TABLES_H\n#include <stdint.h>\n")
table("no_columns", ranges(0))
print()
table("two_columns", ranges(2))
print("#endif")
