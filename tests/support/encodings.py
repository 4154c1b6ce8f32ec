"""encodings.py FILE-OR-FOLDER... - UTF-8 texts in other encodings, by Python, for tests/unit/data/encoding.c.

Each is a line "ENCODING GUESS MARK SHORT LENGTH LENGTH-IN-UTF-8 NAME", then the bytes, then the same text in UTF-8.
ENCODING and GUESS are numbers of tg_encoding: what the bytes are in, what must be guessed (UTF-8, if they are ASCII).
SHORT: 20 characters, no ASCII among them: a guess may be wrong now and then. A text is left out of an encoding that
cannot hold it; a long one loses those few characters that Big5 does not have.
"""
import os
import re
import sys

ENCODINGS = ["utf-8", "utf-16-le", "utf-16-be", "gb18030", "cp950"]


def record(number, data, text, name, mark=0, short=0):
    utf8 = text.encode()
    guess = 0 if data == utf8 else number
    head = "%d %d %d %d %d %d %s\n" % (number, guess, mark, short, len(data), len(utf8), name)
    sys.stdout.buffer.write(head.encode() + data + utf8)


def encoded(text, encoding):
    data = text.encode(encoding, "ignore" if len(text) > 100000 else "strict")
    kept = data.decode(encoding)
    if len(kept) < 0.95 * len(text):
        raise UnicodeEncodeError(encoding, "", 0, 1, "too few characters are left")
    return data, kept


def put(name, text):
    for number, encoding in enumerate(ENCODINGS):
        try:
            data, kept = encoded(text, encoding)
        except UnicodeEncodeError:
            continue
        record(number, data, kept, name)
        if encoding != "cp950":
            record(number, "\ufeff".encode(encoding) + data, kept, name, mark=1)
    chinese = "".join(re.findall("[\u3000-\u9fff\uff00-\uffef]", text))
    for at in range(0, len(chinese) - 20, max(20, len(chinese) // 400)):
        for number, encoding in enumerate(ENCODINGS):
            try:
                record(number, chinese[at:at + 20].encode(encoding), chinese[at:at + 20], "%s@%d" % (name, at), short=1)
            except UnicodeEncodeError:
                pass


def main():
    for root in sys.argv[1:]:
        files = [root] if os.path.isfile(root) else [os.path.join(r, f) for r, _, fs in os.walk(root) for f in fs]
        for name in sorted(files):
            with open(name, "rb") as f:
                text = f.read()
            if not name.endswith("-gb18030.txt"): # one of ours is not UTF-8
                put(name, text.decode())


main()
