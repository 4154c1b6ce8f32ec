#!/usr/bin/env python3
"""Makes utf8_tables.h: python3 utf8_tables.py UnicodeData.txt > utf8_tables.h   (Unicode 17.0, Python 3.11 or later)

Runs of code points of one kind: what they are to the rules of UAX #29 and how many columns they take. UnicodeData.txt
tells the categories; what neither it nor Python knows stands below as in the other files of the database, each named
at its list. GraphemeBreakTest.txt and the checksums in the test would find one that is wrong.

Zero columns: non-spacing and enclosing marks, format characters (but not the soft hyphen nor the Arabic signs that
stand before a number), line and paragraph separators, Hangul vowels and finals, which join the initial before them.
Two: East Asian Width W and F, the emoji among them. Code points that are not assigned take one, unless EastAsianWidth
keeps their block for ideographs.
"""
import sys
import textwrap
import unicodedata

KINDS = ("OTHER", "CONTROL", "EXTEND", "LINKER", "NON_JOINER", "JOINER", "SPACING", "PREPEND", "CONSONANT", "PICTURE",
         "REGIONAL", "HANGUL_L", "HANGUL_V", "HANGUL_T", "HANGUL_LV", "HANGUL_LVT")


def points(text):
    found = set()
    for item in text.split():
        first, _, last = item.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


# PropList.txt: Prepended_Concatenation_Mark, format characters that are seen; U+00AD is seen, too.
CONCATENATE = points("600-605 6DD 70F 890-891 8E2 110BD 110CD")
VISIBLE = CONCATENATE | {0xAD}
# GraphemeBreakProperty.txt: Prepend; those, and Indic_Syllabic_Category Consonant_Preceding_Repha, Consonant_Prefixed.
PREPEND = CONCATENATE | points("D4E 111C2-111C3 113D1 1193F 11941 11A84-11A89 11D46 11F02")
# PropList.txt: Other_Grapheme_Extend, what extends though it is no Mn or Me; emoji-data.txt: Emoji_Modifier.
EXTEND = points("""
    9BE 9D7 B3E B57 BBE BD7 CC0 CC2 CC7-CC8 CCA-CCB CD5-CD6 D3E D57 DCF DDF 1715 1734 1B35 1B3B 1B3D 1B43-1B44 1BAA
    1BF2-1BF3 200C 302E-302F A953 A9C0 FF9E-FF9F 111C0 11235 1133E 1134D 11357 113B8 113C2 113C5 113C7-113C9 113CF
    114B0 114BD 115AF 116B6 11930 1193D 11F41 16FF0-16FF1 1D165-1D166 1D16D-1D172 1F3FB-1F3FF E0020-E007F
""")
# UAX #29, table 2: Mc that are no SpacingMark, and two letters that are.
NOT_SPACING = points("""
    102B-102C 1038 1062-1064 1067-106D 1083 1087-108C 108F 109A-109C 1A61 1A63-1A64 AA7B AA7D 11720-11721
""")
SPACING = {0xE33, 0xEB3}
# DerivedCoreProperties.txt: Default_Ignorable_Code_Point that are not assigned.
IGNORABLE = points("2065 FFF0-FFF8 E0000 E0002-E001F E0080-E00FF E01F0-E0FFF")
# HangulSyllableType.txt, and in GraphemeBreakProperty.txt the vowels of Kirat Rai.
HANGUL_L, HANGUL_T = points("1100-115F A960-A97C"), points("11A8-11FF D7CB-D7FB")
HANGUL_V = points("1160-11A7 D7B0-D7C6")
KIRAT_V = points("16D63 16D67-16D6A")
# DerivedCoreProperties.txt: Indic_Conjunct_Break=Linker and =Consonant.
LINKER = points("""
    94D 9CD ACD B4D C4D D4D 1039 17D2 1A60 1B44 1BAB A9C0 AAF6 10A3F 11133 113D0 1193E 11A47 11A99 11F42
""")
CONSONANT = points("""
    915-939 958-95F 978-97F 995-9A8 9AA-9B0 9B2 9B6-9B9 9DC-9DD 9DF 9F0-9F1 A95-AA8 AAA-AB0 AB2-AB3 AB5-AB9 AF9
    B15-B28 B2A-B30 B32-B33 B35-B39 B5C-B5D B5F B71 C15-C28 C2A-C39 C58-C5A D15-D3A 1000-102A 103F 1050-1055
    105A-105D 1061 1065-1066 106E-1070 1075-1081 108E 1780-17B3 1A20-1A54 1B0B-1B0C 1B13-1B33 1B45-1B4C 1B83-1BA0
    1BAE-1BAF 1BBB-1BBD A989-A98B A98F-A9B2 A9E0-A9E4 A9E7-A9EF A9FA-A9FE AA60-AA6F AA71-AA73 AA7A AA7E-AA7F
    AAE0-AAEA ABC0-ABDA 10A00 10A10-10A13 10A15-10A17 10A19-10A35 11103-11126 11144 11147 11380-11389 1138B 1138E
    11390-113B5 11900-11906 11909 1190C-11913 11915-11916 11918-1192F 11A00 11A0B-11A32 11A50 11A5C-11A83
    11F04-11F10 11F12-11F33
""")
# emoji-data.txt: Extended_Pictographic.
PICTURE = points("""
    A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 23CF 23E9-23F3 23F8-23FA 24C2 25AA-25AB 25B6 25C0
    25FB-25FE 2600-2604 260E 2611 2614-2615 2618 261D 2620 2622-2623 2626 262A 262E-262F 2638-263A 2640 2642
    2648-2653 265F-2660 2663 2665-2666 2668 267B 267E-267F 2692-2697 2699 269B-269C 26A0-26A1 26A7 26AA-26AB
    26B0-26B1 26BD-26BE 26C4-26C5 26C8 26CE-26CF 26D1 26D3-26D4 26E9-26EA 26F0-26F5 26F7-26FA 26FD 2702 2705
    2708-270D 270F 2712 2714 2716 271D 2721 2728 2733-2734 2744 2747 274C 274E 2753-2755 2757 2763-2764 2795-2797
    27A1 27B0 27BF 2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299 1F004 1F02C-1F02F 1F094-1F09F
    1F0AF-1F0B0 1F0C0 1F0CF-1F0D0 1F0F6-1F0FF 1F170-1F171 1F17E-1F17F 1F18E 1F191-1F19A 1F1AE-1F1E5 1F201-1F20F
    1F21A 1F22F 1F232-1F23A 1F23C-1F23F 1F249-1F25F 1F266-1F321 1F324-1F393 1F396-1F397 1F399-1F39B 1F39E-1F3F0
    1F3F3-1F3F5 1F3F7-1F3FA 1F400-1F4FD 1F4FF-1F53D 1F549-1F54E 1F550-1F567 1F56F-1F570 1F573-1F57A 1F587
    1F58A-1F58D 1F590 1F595-1F596 1F5A4-1F5A5 1F5A8 1F5B1-1F5B2 1F5BC 1F5C2-1F5C4 1F5D1-1F5D3 1F5DC-1F5DE 1F5E1
    1F5E3 1F5E8 1F5EF 1F5F3 1F5FA-1F64F 1F680-1F6C5 1F6CB-1F6D2 1F6D5-1F6E5 1F6E9 1F6EB-1F6F0 1F6F3-1F6FF
    1F7DA-1F7FF 1F80C-1F80F 1F848-1F84F 1F85A-1F85F 1F888-1F88F 1F8AE-1F8AF 1F8BC-1F8BF 1F8C2-1F8CF 1F8D9-1F8FF
    1F90C-1F93A 1F93C-1F945 1F947-1F9FF 1FA58-1FA5F 1FA6E-1FAFF 1FC00-1FFFD
""")
# EastAsianWidth.txt: W since Unicode 14.0, and the blocks that are W whether assigned or not.
WIDE = points("""
    2630-2637 268A-268F 2FFC-2FFF 31E4-31E5 31EF 3400-4DBF 4DC0-4DFF 4E00-9FFF F900-FAFF 16FF2-16FF6 187F8-187FF
    18CFF 18D09-18D1E 18D80-18DF2 1B132 1B155 1D300-1D356 1D360-1D376 1F6D8 1F6DC 1FA75-1FA77 1FA87-1FA8A
    1FA8E-1FA8F 1FAAD-1FAAF 1FABB-1FABF 1FAC6 1FAC8 1FACD-1FACF 1FADA-1FADC 1FADF 1FAE8-1FAEA 1FAEF 1FAF7-1FAF8
    20000-2FFFD 30000-3FFFD
""")


def categories(path):
    """Of each assigned code point; "First" and "Last" bound a range."""
    found, first = {}, None
    for line in open(path, encoding="utf-8"):
        f = line.split(";")
        if line.startswith("#") or len(f) != 15:
            continue
        code = int(f[0], 16)
        for c in range(first if f[1].endswith(", Last>") else code, code + 1):
            found[c] = f[2]
        first = code
    return found


def kind(code, category):
    if 0xAC00 <= code <= 0xD7A3:
        return "HANGUL_LV"  # or LVT: reckoned where it matters
    for name, members in (("JOINER", {0x200D}), ("NON_JOINER", {0x200C}), ("LINKER", LINKER), ("PREPEND", PREPEND),
                          ("EXTEND", EXTEND), ("HANGUL_L", HANGUL_L), ("HANGUL_V", HANGUL_V | KIRAT_V),
                          ("HANGUL_T", HANGUL_T), ("CONSONANT", CONSONANT), ("PICTURE", PICTURE),
                          ("REGIONAL", range(0x1F1E6, 0x1F200)), ("CONTROL", IGNORABLE), ("SPACING", SPACING)):
        if code in members:
            return name
    if category in ("Mn", "Me"):
        return "EXTEND"
    if category in ("Cc", "Cf", "Zl", "Zp"):
        return "CONTROL"
    return "SPACING" if category == "Mc" and code not in NOT_SPACING else "OTHER"


def width(code, category):
    if code in HANGUL_V or code in HANGUL_T or code in IGNORABLE:
        return 0
    if category in ("Mn", "Me", "Cf", "Zl", "Zp") and code not in VISIBLE:
        return 0
    wide = unicodedata.east_asian_width(chr(code)) in "WF" and unicodedata.category(chr(code)) != "Cn"
    return 2 if wide or code in WIDE else 1


known = categories(sys.argv[1])
assert known.get(0x1FAEA) == "So" and len(known) > 290000, "not Unicode 17.0"
runs, before = [], None
for code in range(0xA9, 0x110000):
    now = KINDS.index(kind(code, known.get(code))) << 2 | width(code, known.get(code))
    if now != before:
        runs.append(code << 8 | now)
    before = now

print("/* utf8_tables.h - made by utf8_tables.py from Unicode 17.0: what characters are in a cluster, and how wide. */")
print("#ifndef TG_BASE_UTF8_TABLES_H\n#define TG_BASE_UTF8_TABLES_H\n#include <stdint.h>\n")
print(textwrap.fill("enum { " + ", ".join(KINDS) + " };", 110, subsequent_indent="       "))
print("\n/* First code point << 8 | kind << 2 | columns, each to the next run; nothing before U+00A9 is in it. */")
print(f"static const uint32_t runs[{len(runs)}] = {{")
for i in range(0, len(runs), 10):
    print("    " + " ".join("%#x," % r for r in runs[i:i + 10]))
print("};\n#endif")
