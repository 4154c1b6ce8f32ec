#!/usr/bin/env python3
"""Makes normalize_tables.h: python3 normalize_tables.py UnicodeData.txt > normalize_tables.h   (Unicode 17.0)

Canonical classes and decompositions, pairs that compose, simple lower case, full forms of half-width characters and the
other way round. UnicodeData.txt tells all but the composition exclusions of scripts (CompositionExclusions.txt, which has
not grown since Unicode 4.1): they stand below. NormalizationTest.txt would find one that is missing.
"""
import sys
import textwrap

EXCLUDED = [(0x958, 0x95F), (0x9DC, 0x9DD), (0x9DF, 0x9DF), (0xA33, 0xA33), (0xA36, 0xA36), (0xA59, 0xA5B),
            (0xA5E, 0xA5E), (0xB5C, 0xB5D), (0xF43, 0xF43), (0xF4D, 0xF4D), (0xF52, 0xF52), (0xF57, 0xF57),
            (0xF5C, 0xF5C), (0xF69, 0xF69), (0xF76, 0xF76), (0xF78, 0xF78), (0xF93, 0xF93), (0xF9D, 0xF9D),
            (0xFA2, 0xFA2), (0xFA7, 0xFA7), (0xFAC, 0xFAC), (0xFB9, 0xFB9), (0x2ADC, 0x2ADC), (0xFB1D, 0xFB1D),
            (0xFB1F, 0xFB1F), (0xFB2A, 0xFB36), (0xFB38, 0xFB3C), (0xFB3E, 0xFB3E), (0xFB40, 0xFB41),
            (0xFB43, 0xFB44), (0xFB46, 0xFB4E), (0x1D15E, 0x1D164), (0x1D1BB, 0x1D1C0)]
YES, MAYBE, NO = 0, 1, 2

ccc, canonical, lower, width = {}, {}, {}, {}
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("#") or line.count(";") != 14:
        continue
    f = line.rstrip("\n").split(";")
    code = int(f[0], 16)
    if int(f[3]):
        ccc[code] = int(f[3])
    if f[13]:
        lower[code] = int(f[13], 16)
    kind, *rest = f[5].split() if f[5].startswith("<") else ("", *f[5].split())
    if rest and not kind:
        canonical[code] = [int(c, 16) for c in rest]
    if kind in ("<wide>", "<narrow>"):
        width[code] = int(rest[0], 16)
assert len(canonical) == 2081 and len(ccc) > 900, (len(canonical), len(ccc))

excluded = {c for a, b in EXCLUDED for c in range(a, b + 1)}
pairs = {}
for c, d in canonical.items():
    if len(d) == 2 and c not in excluded and c not in ccc and d[0] not in ccc:
        pairs[d[0], d[1]] = c
composites = set(pairs.values())
seconds = {b for _, b in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))


def first(c):
    return first(canonical[c][0]) if c in canonical else c


# A composite that begins with a second, as Gurung Khema's do, may be taken apart by what stands before it.
def check(c):
    return NO if c in canonical and c not in composites else MAYBE if first(c) in seconds else YES


def rows(numbers, form):
    print(textwrap.fill(" ".join(form(n) + "," for n in numbers), 120, initial_indent="    ", subsequent_indent="    ",
                        break_long_words=False, break_on_hyphens=False))
    print("};")


# Runs of code points of one kind, ccc << 2 | check, and the run that each page of 256 begins in.
runs, run_of = [], []
for c in range(0x110000):
    kind = ccc.get(c, 0) << 2 | check(c)
    if not runs or runs[-1][1] != kind:
        runs.append((c, kind))
    if c % 256 == 0:
        run_of.append(len(runs) - 1)
last = run_of.index(len(runs) - 1)
assert all(ccc.get(c, 0) == 0 and check(c) == YES for c in [*range(0x300), *range(0x4000, 0xA000)])

print("/* normalize_tables.h - made by normalize_tables.py from UnicodeData.txt 17.0. */")
print("#ifndef TG_DATA_NORMALIZE_TABLES_H\n#define TG_DATA_NORMALIZE_TABLES_H\n#include <stdint.h>\n")
print("/* First code point << 10 | canonical combining class << 2 | NFC quick check (0 yes, 1 maybe, 2 no): a run ends where"
      "\n * the next begins. run_of[code / 256]: the run that the page begins in; beyond the pages all is 0. */")
print(f"static const uint32_t kind_runs[{len(runs)}] = {{")
rows(runs, lambda r: f"0x{r[0] << 10 | r[1]:08x}")
print(f"enum {{ KIND_PAGES = {last} }};")
print(f"static const uint16_t run_of[{last + 1}] = {{")
rows(run_of[:last + 1], str)

print("\n/* Canonical decompositions, one step each: code, first, second or 0; in order of code. Seconds go no further. */")
steps = [(c, *d, *[0] * (2 - len(d))) for c, d in sorted(canonical.items())]
assert all(c[2] not in canonical for c in steps)
print(f"static const uint32_t decompositions[{len(steps)}][3] = {{")
rows(steps, lambda e: f"{{{e[0]},{e[1]},{e[2]}}}")
print("\n/* Those of them that compose, in order of first and second. */")
print(f"static const uint16_t compositions[{len(pairs)}] = {{")
at = {c: i for i, (c, *_) in enumerate(steps)}
rows([at[pairs[k]] for k in sorted(pairs)], str)

print("\n/* Simple lower case: first, last, step, what to add. */")
lowers = []
for c in sorted(c for c in lower if c >= 128):
    delta = lower[c] - c
    if lowers and lowers[-1][3] == delta and c - lowers[-1][1] in ((1, 2) if lowers[-1][2] == 0 else (lowers[-1][2],)):
        lowers[-1][2] = c - lowers[-1][1]
        lowers[-1][1] = c
    else:
        lowers.append([c, c, 0, delta])
print(f"static const int32_t lower_runs[{len(lowers)}][4] = {{")
rows(lowers, lambda r: f"{{0x{r[0]:x},0x{r[1]:x},{r[2] or 1},{r[3]}}}")

assert width.pop(0x3000) == 0x20 and all(0xFF00 <= c < 0xFFF0 for c in width) and 0x3000 not in width
print("\n/* What the full- and half-width forms U+FF00..FFEF stand for; 0: itself. U+3000 is a space. */")
print("static const uint16_t width_forms[0xf0] = {")
rows([width.get(c, 0) for c in range(0xFF00, 0xFFF0)], lambda n: f"0x{n:x}" if n else "0")
print("#endif")
