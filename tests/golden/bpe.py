#!/usr/bin/env python3
"""Makes bpe_gpt2.txt: python3 tests/golden/bpe.py DATA/model/gpt2 > tests/golden/bpe_gpt2.txt   (standard library only)

Texts and their ids in GPT-2's vocabulary, by an encoder written here from its description: the regular expression's
alternatives by hand over unicodedata's categories, then the best merge in the whole word again and again. A line each:
the text as JSON, a tab, the ids. The texts use characters of Unicode 14 only. First the encoder is held against the
expected ids that lie beside the vocabulary.
"""
import glob
import json
import random
import sys
import unicodedata

WHITE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}


def kind(c):
    if ord(c) in WHITE:
        return "S"
    k = unicodedata.category(c)[0]
    return k if k in "LN" else "P"


def split(text):
    at = 0
    while at < len(text):
        for short in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d"):
            if text.startswith(short, at):
                end = at + len(short)
                break
        else:
            begin = at + 1 if text[at] == " " and at + 1 < len(text) and kind(text[at + 1]) != "S" else at
            end = begin
            while end < len(text) and kind(text[end]) == kind(text[begin]):
                end += 1
            if kind(text[begin]) == "S" and end < len(text) and end - at > 1:
                end -= 1  # \s+(?!\S)
        yield text[at:end]
        at = end


folder = sys.argv[1]
vocab = json.load(open(glob.glob(folder + "/*vocab.json")[0], encoding="utf-8"))
lines = open(glob.glob(folder + "/*merges.txt")[0], encoding="utf-8").read().split("\n")[1:]
rank = {tuple(line.split(" ")): i for i, line in enumerate(x for x in lines if x)}
printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
spelled = {b: chr(b) for b in printed}
spelled.update({b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in printed)})


def encode(text):
    ids = []
    for word in split(text):
        parts = [spelled[b] for b in word.encode()]
        while len(parts) > 1:
            pairs = [rank.get(p, 1 << 30) for p in zip(parts, parts[1:])]
            best = min(pairs)
            if best == 1 << 30:
                break
            joined, i = [], 0
            while i < len(parts):
                if i + 1 < len(parts) and rank.get((parts[i], parts[i + 1])) == best:
                    joined.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    joined.append(parts[i])
                    i += 1
            parts = joined
        ids += [vocab[p] for p in parts]
    return ids


given = open(glob.glob(folder + "/*.inp")[0], encoding="utf-8", newline="").read().split("\n__ggml_vocab_test__\n")
wanted = open(glob.glob(folder + "/*.out")[0]).read().split("\n")
for text, line in zip(given, wanted):
    assert encode(text) == [int(x) for x in line.split()], text

texts = [
    "The quick brown fox jumps over the lazy dog.", "I'll say it's what they've done, isn't it? We'd go; I'm sure you're right.",
    "I'LL SAY IT'S", "'s't're've'm'll'd'x", "''s", " 's", "don't  don't\tdon't", "it''s", "rock 'n' roll", "’s it’s",
    "春眠不觉晓，处处闻啼鸟。", "夜来风雨声,花落知多少?", "床前明月光 疑是地上霜", "我有 3 个苹果和 12 个梨。", "「中文」——（测试）……", "日本語のテキスト", "ひらがなカタカナ",
    "한국어 텍스트 입니다", "繁體中文字", "𠀀𠀁𠮷野家", "　全角空格　在这里", "價格：￥１２３．４５", "〇一二三〡〢〣",
    "🙂", "👨‍👩‍👧‍👦 family", "🇨🇳🇩🇪", "👍🏽👍", "✅ done ❌", "🎉🎉🎉!!!", "1️⃣2️⃣", "a🙂b", "☕ & ♥", "🦙.cpp",
    "", " ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\t", "\t\t", " \n", "\n ", "  \n  ", "a ", "a  ", " a", "  a", "   a", "\ta", "\t a", " \ta",
    "a\nb", "a\n\nb", "a \n b", "a\r\nb", "\r\n\r\n", "x\u00a0y", "x\u00a0\u00a0y", "x \u00a0y", "x\u2003y", "x\u3000\u3000y", "x\u200by",
    "x\u2028y", "x\u0085y", "\u1680a", "a\u202f1", "\x1c\x1d\x1e\x1f", "a\x1cb", " \x1f", "\x01\x02", "\x7f",
    "0", "12", "123", "1234567890", "3.14159", "1,000,000", "½ ¼ ²³", "Ⅻ ⅷ", "٣٤٥", "१२३", "①②③", "x2y", "2x", "a1b2c3", " 42", "  42", "-5",
    "!!!", "...", "?!", " ...", "  ...", "-----", "=== ===", "#include <stdio.h>", "int main(void) { return 0; }", "    if (x == 1):",
    "\tfor (;;)", "a_b_c", "snake_case and CamelCase", "http://example.org/path?q=1&r=2#x", "me@example.org", "C:\\dir\\file", "$x$ %y% ^z^",
    "Ünïcödé", "naïve café", "e\u0301 combining", "q\u0323\u0307", "\u0301alone", " \u0301", "Straße", "ÆØÅ", "Ελληνικά κείμενο", "Русский текст",
    "нещо на Български", "עברית", "العربية نص", "हिन्दी पाठ", "ภาษาไทย", "தமிழ்", "ქართული", "Հայերեն", "አማርኛ", "កាន់តែពិសេស", "ᚠᚢᚦ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ab" * 70, "the" * 50,
    "antidisestablishmentarianism" * 4, "=" * 200, " " * 130, " " * 130 + "x", "\n" * 90, "春" * 40, "1" * 100, "🙂" * 30,
    "<|endoftext|>", "a<|endoftext|>b", "\ufeffmark", "\uffff", "\U0010ffff", "\ue000", "ﬁ ligature", "ｆｕｌｌ ｗｉｄｔｈ", "x\ufe0fy",
]
pick = random.Random(1)
alphabet = "abctheingrst '’.,!?\n\t  019春眠，。é́🙂\u00a0\u3000'sll"
texts += ["".join(pick.choice(alphabet) for _ in range(pick.randrange(1, 200))) for _ in range(60)]
for text in texts:
    print(json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f").replace("\u2028", "\\u2028").replace("\u0085", "\\u0085"),
          " ".join(map(str, encode(text))), sep="\t")
