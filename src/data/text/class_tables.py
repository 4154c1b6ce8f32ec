#!/usr/bin/env python3
"""Makes class_tables.h: python3 class_tables.py UnicodeData.txt > class_tables.h   (Unicode 17.0)

Runs of code points of one class, for cutting a text into words: letters (\\p{L}), ideographs and kana (letters that are
written without spaces), marks (\\p{M}), numbers (\\p{N}), white space (White_Space of PropList.txt, which has not changed
since Unicode 6.3), all else. UnicodeData.txt tells the categories.
"""
import sys
import textwrap

OTHER, LETTER, IDEOGRAPH, MARK, NUMBER, SPACE = range(6)
WHITE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
# Blocks.txt: CJK symbols (of them the letters), hiragana to bopomofo, kana extensions, ideographs and their extensions.
UNSPACED = ((0x3005, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
            (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF))

kind = bytearray(0x110000)
first = None
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("#") or line.count(";") != 14:
        continue
    f = line.split(";")
    code = int(f[0], 16)
    begin = first if f[1].endswith(", Last>") else code
    first = code if f[1].endswith(", First>") else None
    for c in range(begin, code + 1):
        kind[c] = {"L": LETTER, "M": MARK, "N": NUMBER}.get(f[2][0], OTHER)
        if kind[c] == LETTER and any(a <= c <= b for a, b in UNSPACED):
            kind[c] = IDEOGRAPH
for c in WHITE:
    kind[c] = SPACE
assert all(kind[c] == IDEOGRAPH for c in range(0x4E00, 0xA000))

runs, run_of = [], []
for c in range(0x110000):
    if not runs or runs[-1][1] != kind[c]:
        runs.append((c, kind[c]))
    if c % 256 == 0:
        run_of.append(len(runs) - 1)
last = run_of.index(len(runs) - 1)


def rows(numbers, form):
    print(textwrap.fill(" ".join(form(n) + "," for n in numbers), 120, initial_indent="    ", subsequent_indent="    "))
    print("};")


print("/* class_tables.h - made by class_tables.py from UnicodeData.txt 17.0. */")
print("#ifndef TG_DATA_CLASS_TABLES_H\n#define TG_DATA_CLASS_TABLES_H\n#include <stdint.h>\n")
print("enum { OTHER, LETTER, IDEOGRAPH, MARK, NUMBER, SPACE };\n")
print("static const uint8_t class_of_ascii[128] = {")
rows(kind[:128], str)
print("\n/* First code point << 3 | class: a run ends where the next begins. run_of[code / 256]: the run that the page begins in;"
      "\n * the last page's goes on to the end. */")
print(f"static const uint32_t class_runs[{len(runs)}] = {{")
rows(runs, lambda r: f"0x{r[0] << 3 | r[1]:x}")
print(f"enum {{ CLASS_PAGES = {last} }};")
print(f"static const uint16_t run_of[{last + 1}] = {{")
rows(run_of[:last + 1], str)
print("#endif")
