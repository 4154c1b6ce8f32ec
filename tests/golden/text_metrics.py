#!/usr/bin/env python3
"""Makes text_metrics.txt: python3 tests/golden/text_metrics.py > tests/golden/text_metrics.txt   (standard library only)

Figures of small texts by plain loops, written from the papers' definitions that src/run/metrics/*.h name. A JSON object a line;
"what" says what it holds. Bytes that are no UTF-8, and 0, stand in it as U+F700 + byte; null is NaN. Characters are of Unicode 14
or older.
"""
import json
import math
import random
import unicodedata
from collections import Counter

UNSPACED = ((0x3005, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
            (0xFF66, 0xFF9F), (0x20000, 0x3FFFF))
RAW = {0xF700: 0, **{0xF700 + b: 0xDC00 + b for b in range(128, 256)}}  # to what surrogateescape makes of such a byte


def kind(c):
    if c.isspace() and not "\x1c" <= c <= "\x1f":
        return "space"
    category = unicodedata.category(c)[0]
    if category == "L":
        return "ideograph" if any(a <= ord(c) <= b for a, b in UNSPACED) else "letter"
    return {"M": "mark", "N": "number"}.get(category, "other")


def words(text):
    """(word, kind, begin, end) each."""
    at = 0
    while at < len(text):
        k, end = kind(text[at]), at + 1
        if k == "space":
            at = end
            continue
        while end < len(text):
            here = kind(text[end])
            joined = here == "mark" or (here == k and k in ("letter", "number"))
            if k == "letter" and text[end] in "'\u2019" and end + 1 < len(text) and kind(text[end + 1]) == "letter":
                joined = True
            if not joined:
                break
            end += 1
        yield text[at:end], k, at, end
        at = end


def grams(symbols, n):
    return [tuple(symbols[i:i + n]) for i in range(len(symbols) - n + 1)]


def bleu(hypothesis, references):
    product, orders = 1.0, min(4, len(hypothesis))
    for n in range(1, orders + 1):
        have = Counter(grams(hypothesis, n))
        of = [Counter(grams(r, n)) for r in references]
        matches = sum(min(count, max(r[g] for r in of)) for g, count in have.items())
        if matches == 0 and n == 1:
            return 0.0
        product *= (matches or 0.1) / sum(have.values())
    nearest = min((abs(len(r) - len(hypothesis)), len(r)) for r in references)[1]
    brevity = 1.0 if len(hypothesis) >= nearest else math.exp(1 - nearest / len(hypothesis))
    return brevity * product ** (1 / orders)


def diversity(texts):
    distinct = []
    for n in range(1, 5):
        every = [g for t in texts for g in grams(t, n)]
        distinct.append(len(set(every)) / len(every) if every else None)
    repeated = [1 - len(set(grams(t, 4))) / len(grams(t, 4)) for t in texts if len(t) >= 4]
    some = [t for t in texts if t]
    scores = [bleu(t, some[:i] + some[i + 1:]) for i, t in enumerate(some)] if len(some) > 1 else []
    return {"kinds": len({s for t in texts for s in t}), "counts": [len(t) for t in texts], "distinct": distinct,
            "repetition": sum(repeated) / len(repeated) if repeated else None,
            "self_bleu": sum(scores) / len(scores) if scores else None}


PAIRS = ["()", "[]", "{}", "（）", "［］", "｛｝", "「」", "『』", "《》", "〈〉", "【】", "〔〕", "“”", '""']


def balance(texts):
    """Marks are taken out pair by pair: whatever closes is matched with the last one open of its kind, all between being lost."""
    marks = matched = 0
    for text in texts:
        row = [c for c in text if any(c in p for p in PAIRS)]
        marks += len(row)
        open_ones = ""
        for c in row:
            pair = next(p for p in PAIRS if c in p)
            if c == pair[1] and pair[0] in open_ones:
                open_ones = open_ones[:open_ones.rindex(pair[0])]
                matched += 2
            elif c == pair[0]:
                open_ones += c
    return marks, matched


def lines(texts, cut):
    found = []
    for text in texts:
        parts = text.split("\n")
        last = parts.pop()
        found += [p[:-1] if p.endswith("\r") else p for p in parts]
        if last and not cut:
            found.append(last)
    # clusters, as far as the texts here go: marks, joiners and what they join, flags
    lengths = []
    for line in found:
        n, flag, joined = 0, False, False
        for c in line:
            is_flag = 0x1F1E6 <= ord(c) <= 0x1F1FF
            if unicodedata.category(c)[0] == "M" and n:
                pass
            elif c == "\u200d" and n:
                joined = True
                continue
            elif joined or (is_flag and flag):
                pass
            else:
                n += 1
            flag, joined = is_flag and not flag, False
        lengths.append(n)
    return sorted(lengths)


def entries(text):
    found = list(words(text))
    for i, (word, k, begin, end) in enumerate(found):
        if k == "letter":
            yield word.lower()
        if k != "ideograph":
            continue
        after = found[i + 1] if i + 1 < len(found) and found[i + 1][1] == k and found[i + 1][2] == end else None
        before = i > 0 and found[i - 1][1] == k and found[i - 1][3] == begin
        if after:
            yield word + after[0]
        elif not before:
            yield word


def matches(train, part):
    return any(as_bytes(part) in as_bytes(document) for document in train)


def copied(train, texts, longest=12):
    g, c, most = [0] * (longest + 1), [0] * (longest + 1), 0
    runs = []
    for i, text in enumerate(texts):
        for n in range(1, longest + 1):
            for at in range(len(text) - n + 1):
                g[n] += 1
                c[n] += matches(train, text[at:at + n])
        for begin in range(len(text)):
            end = begin
            while end < len(text) and matches(train, text[begin:end + 1]):
                end += 1
            if end > begin and not (begin > 0 and matches(train, text[begin - 1:end])):
                runs.append((begin - end, i, begin, end))
                most = max(most, end - begin)
    chosen = []
    for run in sorted(runs):
        if not any(run[1] == o[1] and run[2] < o[3] and o[2] < run[3] for o in chosen):
            chosen.append(run)
    return g[1:], c[1:], most, [[i, len(as_bytes(texts[i][:b])), len(as_bytes(texts[i][b:e])), e - b] for _, i, b, e in chosen]


def as_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def raw(text):
    """As texts are: what stands for bytes as bytes, decoded anew."""
    return as_bytes(text.translate(RAW)).decode("utf-8", "surrogateescape")


def put(**what):
    print(json.dumps(what, ensure_ascii=False, separators=(",", ":")).replace("\u2028", "\\u2028").replace("\x85", "\\u0085"))


pick = random.Random(1)
SETS = [
    [],
    [""],
    ["", "", "a"],
    ["the cat sat on the mat", "the cat ate the rat", "a dog sat on the cat"],
    ["to be or not to be, that is the question", "to be or not to be", "that is the question: to be or not to be, to be"],
    ["x", "x", "y"], ["a b", "b a", "a b c", "c"],
    ["don't stop", "rock 'n' roll isn't o\u2019clock", "'tis the 3rd of 1,024 x2y", "e\u0301tude na\u0308ive  \t d\u00e9j\u00e0 vu!?"],
    ["春眠不觉晓，处处闻啼鸟。", "夜来风雨声，花落知多少。", "床前明月光，疑是地上霜。举头望明月，低头思故乡。"],
    ["我 love 中国！I 爱 you", "「他说：『好（的）』」", "カタカナとひらがな、漢字", "한국어 텍스트 입니다"],
    ["ab\uf7ff\uf7fecd \uf7e4\uf7b8x", "\uf780\uf780", "\uf7f0\uf79f\uf798 ok", "x\uf700y \uf700"],
    ["a" * 40, "ab" * 20, "aaaa bbbb aaaa bbbb aaaa bbbb"],
    ["la la la la la la la", "la la la la", "la"],
]
SETS += [[" ".join(pick.choice(["sun", "moon", "star", "the", "a", "of", ",", "rises"]) for _ in range(pick.randrange(0, 25)))
          for _ in range(pick.randrange(2, 9))] for _ in range(8)]
SETS += [["".join(pick.choice("天地玄黄宇宙洪荒日月盈昃 ，。a") for _ in range(pick.randrange(0, 40))) for _ in range(5)] for _ in range(4)]
for texts in SETS:
    whole = [raw(t) for t in texts]
    put(what="diversity", texts=texts, words=diversity([[w[0] for w in words(t)] for t in whole]), chars=diversity([list(t) for t in whole]))

MARKED = [["(a [b] {c}) \"d\" e\"", ")(", "((()"], ["“好”（不）《书》「『』」【〔〕】〈〉｛［］｝", "（「）」", "”“”"], ["a(b\"c)d\"e\"", "[(])", "''‘’"], [""],
          ["(" * 300 + ")" * 300], ["\uf7ff(\uf7fe)"]]
MARKED += [["".join(pick.choice("()[]\"「」x") for _ in range(30)) for _ in range(4)] for _ in range(6)]
for texts in MARKED:
    marks, matched = balance([raw(t) for t in texts])
    if len(texts[0]) > 500:
        matched = 2 * 256  # those beyond stay without
    put(what="balance", texts=texts, marks=marks, matched=matched)

for texts in [[], [""], ["a\nbb\n\nccc", "dddd\n", "\n"], ["春眠不觉晓\r\n处处\r\n", "e\u0301e\u0301\n👩\u200d👧🇨🇳🇩🇪x\n\uf7ff\uf7fe\n"], ["no end", ""], ["x\r", "\r\n"]]:
    put(what="lines", texts=texts, cut=lines([raw(t) for t in texts], True), all=lines([raw(t) for t in texts], False))

LEXICONS = [
    (["The cat don't sit on THE mat, 12 times", "Élan vital, ÜBER Привет"], ["the Cat dont sits; don't! Mat's 13", "élan über ПРИВЕТ", ""]),
    (["春眠不觉晓，处处闻啼鸟。", "我 爱 you"], ["春眠不晓。处闻啼", "爱", "我爱You", "鸟"]),
    ([], ["a b a"]), (["a"], []), (["x\uf7ffy"], ["x y \uf7ff", "xy", "人\uf7ff人人"]),
]
for train, texts in LEXICONS:
    lexicon = {e for t in train for e in entries(raw(t))}
    every = [e for t in texts for e in entries(raw(t))]
    put(what="lexicon", train=train, texts=texts, words=len(every), known=sum(e in lexicon for e in every),
        unknown=[[w, n] for w, n in Counter(e for e in every if e not in lexicon).items()])

for a, b in [([1, 2, 3], [1, 2, 3]), ([0], [10]), ([5, 5, 5, 9], [4, 5, 6]), ([], [1]), ([3], []), ([2, 4], [1, 3, 5, 7, 100]), ([7, 7], [7])]:
    # the same by quantiles: the mean distance of the k-th of |a|*|b| copies each
    x, y = sorted(v for v in a for _ in b), sorted(v for v in b for _ in a)
    share = lambda of, v: sum(u <= v for u in of) / len(of)
    put(what="compare", a=a, b=b, medians=[(sorted(v)[(len(v) - 1) // 2] + sorted(v)[len(v) // 2]) / 2 if v else None for v in (a, b)],
        wasserstein=sum(abs(u - v) for u, v in zip(x, y)) / len(x) if x else None,
        ks=max(abs(share(a, v) - share(b, v)) for v in a + b) if a and b else None)

COPIES = [
    (["the quick brown fox jumps over the lazy dog"], ["the lazy fox", "a quick brown dog jumps", "zzz", ""]),
    (["春眠不觉晓，处处闻啼鸟。", "夜来风雨声，花落知多少。"], ["处处闻啼鸟。夜来风雨声", "花落不觉晓", "一丁"]),
    (["abab", "baba"], ["ababab", "bababa", "ab"]), ([], ["abc"]), (["abc"], []), (["", "a"], ["aa", "", "b"]),
    (["a\uf7e4b\uf7ffc"], ["\uf7e4b\uf7ff", "丁", "c\uf7e4"]), (["一丁七"], ["\uf7e4\uf7b8", "\uf7b8\uf780一丁"]),
]
COPIES += [(["".join(pick.choice("ab" if k % 2 else "abc天") for _ in range(pick.randrange(60))) for _ in range(3)],
            ["".join(pick.choice("ab" if k % 2 else "abc天") for _ in range(pick.randrange(40))) for _ in range(4)]) for k in range(10)]
for train, texts in COPIES:
    g, c, most, runs = copied([raw(t) for t in train], [raw(t) for t in texts])
    put(what="copied", train=train, texts=texts, grams=g, copied=c, longest=most, passages=runs)


def calibration(p, correct):
    M = 15
    bins = [[i for i, q in enumerate(p) if (m / M < q <= (m + 1) / M) or (m == 0 and q == 0)] for m in range(M)]
    gaps = [abs(sum(correct[i] for i in b) / len(b) - sum(p[i] for i in b) / len(b)) if b else 0 for b in bins]
    return {"counts": [len(b) for b in bins], "hits": [sum(correct[i] for i in b) for b in bins],
            "accuracy": sum(correct) / len(p) if p else None, "confidence": sum(p) / len(p) if p else None,
            "ece": sum(len(b) / len(p) * g for b, g in zip(bins, gaps)) if p else None, "mce": max(gaps) if p else None}


for n in (0, 1, 7, 60):
    p = [round(pick.random(), 3) for _ in range(n)]
    if n > 20:
        p[:4] = [0, 1, 0.5, 0.2]
    correct = [int(pick.random() < q * q) for q in p]
    put(what="calibration", p=p, correct=correct, **calibration(p, correct))
rows = [[round(pick.uniform(-4, 4), 2) for _ in range(6)] for _ in range(30)] + [[1, 1, 0, 0, 0, 0], [0] * 6, [90, -90, 0, 3, 3, 2]]
targets = [pick.randrange(6) if k % 2 else row.index(max(row)) for k, row in enumerate(rows)]
shares = [1 / sum(math.exp(v - max(row)) for v in row) for row in rows]
put(what="logits", rows=rows, targets=targets, **calibration(shares, [int(row.index(max(row)) == t) for row, t in zip(rows, targets)]))
