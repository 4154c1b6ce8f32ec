#!/usr/bin/env python3
"""ratings.py - what people's answers come to, computed in another way than src/run does it; standard library only.

    ratings.py statistics         random and published cases of alpha, binomial test, Wilson's and Student's intervals, a line each
    ratings.py answer PAGE DIR SEED RATERS   answers files of so many made-up raters to DIR, from a page of gen-evaluate --quiz
    ratings.py sum FILE...        what these files come to, as "name value value ..." lines

alpha here is its definition by pairs, without the paper's coincidence matrix: observed and expected disagreement are
means over pairs of values, each pair visited. The binomial test adds exact fractions, Wilson's bounds are searched for where the
normal test just rejects, Student's by integrating its density.
"""
import functools
import hashlib
import json
import math
import os
import random
import sys
from fractions import Fraction
from html.parser import HTMLParser

Z = 1.959963984540054
NAN = float('nan')


def ordinal(values):
    def square(c, k):
        lo, hi = min(c, k), max(c, k)
        n = [values.count(g) for g in range(lo, hi + 1)]
        return (sum(n) - (n[0] + n[-1]) / 2) ** 2 if lo != hi else 0
    table = {(c, k): square(c, k) for c in set(values) for k in set(values)}
    return lambda c, k: table[c, k]


def alpha(rows, scale):
    """rows: a list of answers a rater, 0: none."""
    units = [[v for v in unit if v] for unit in zip(*rows)]
    units = [u for u in units if len(u) > 1]
    values = [v for u in units for v in u]
    if len(values) < 2:
        return NAN
    far = {'nominal': lambda c, k: c != k, 'interval': lambda c, k: (c - k) ** 2}.get(scale) or ordinal(values)
    observed = sum(far(u[i], u[j]) / (len(u) - 1) for u in units for i in range(len(u)) for j in range(len(u)) if i != j) / len(values)
    n = len(values)
    expected = sum(far(values[i], values[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return 1 - observed / expected if expected else NAN


def binomial(yes, n):
    """Outcomes that are no more likely than the one seen, together."""
    return float(sum(Fraction(math.comb(n, k), 2 ** n) for k in range(n + 1) if math.comb(n, k) <= math.comb(n, yes)))


def bisect(f, low, high):
    """Where f, positive at low, becomes negative."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) > 0 else (low, middle)
    return low


def wilson(yes, n):
    share = yes / n

    def rejects(p):
        return abs(share - p) - Z * math.sqrt(p * (1 - p) / n)
    low = 0 if yes == 0 else bisect(rejects, 0, share)
    high = 1 if yes == n else bisect(lambda x: -rejects(x), share, 1)
    return low, high


@functools.lru_cache(maxsize=None)
def student(freedom):
    """Simpson's rule over the angle whose tangent is t / sqrt(freedom): the density there is a power of its cosine."""
    def within(angle, steps=400):
        h = angle / steps
        f = [math.cos(h * i) ** (freedom - 1) for i in range(steps + 1)]
        area = h / 3 * (f[0] + f[-1] + 4 * sum(f[1:-1:2]) + 2 * sum(f[2:-1:2]))
        return 2 * area * math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    low, high = 0.0, math.pi / 2
    for _ in range(55):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < 0.95 else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


# The examples of Krippendorff 2011 (two observers of two values; two of five; four, with answers missing), and that of "Content
# Analysis" that Wikipedia shows, with the published values.
PUBLISHED = [
    (['1211111121', '2221121111'], {'nominal': 0.095}),
    (['112243335441', '212223335444'], {'nominal': 0.692}),
    (['123321412...', '1233224125.3', '.3332342251.', '12332441251.'], {'nominal': 0.743, 'ordinal': 0.815, 'interval': 0.849}),
    (['.....34121133.3', '1.213343.......', '..21344.21133.4'], {'nominal': 0.691, 'interval': 0.811}),
]


def statistics():
    rng = random.Random(1)
    cases = []
    for texts, want in PUBLISHED:
        rows = [[0 if c == '.' else int(c) for c in t] for t in texts]
        for scale, value in want.items():
            assert abs(alpha(rows, scale) - value) < 0.0006, (scale, alpha(rows, scale), value)
            cases.append((rows, scale))
    for i in range(60):
        raters, units, kinds = rng.randint(1, 6), rng.randint(1, 20), rng.randint(1, 5)
        rows = [[rng.choice([0] * (i % 3) + list(range(1, kinds + 1))) for _ in range(units)] for _ in range(raters)]
        cases.append((rows, ('nominal', 'ordinal', 'interval')[i % 3]))
    for rows, scale in cases:
        print('alpha', ('nominal', 'ordinal', 'interval').index(scale), len(rows), len(rows[0]),
              ''.join(str(v) for row in rows for v in row), repr(alpha(rows, scale)))
    for n in (1, 2, 3, 10, 17, 40, 100, 1001):
        for yes in sorted({0, n // 4, n // 2, (n + 1) // 2, n - 1, n}):
            print('share', yes, n, repr(binomial(yes, n)), *map(repr, wilson(yes, n)))
    for freedom in (1, 2, 3, 4, 5, 9, 10, 29, 30, 120, 999, 1001, 5000):
        print('student', freedom, repr(student(freedom)))


# ---- answers files ----------------------------------------------------------------------------------------------------------

class Data(HTMLParser):
    """The JSON in a page."""

    def __init__(self):
        super().__init__()
        self.inside, self.text = False, ''

    def handle_starttag(self, tag, attrs):
        self.inside = tag == 'script' and dict(attrs).get('id') == 'data'

    def handle_data(self, text):
        if self.inside:
            self.text += text

    def handle_endtag(self, tag):
        self.inside = False


def quiz_of(path):
    page = Data()
    with open(path, encoding='utf-8', newline='') as f:
        page.feed(f.read())
    return json.loads(page.text)


def unname(quiz, item):
    """An item's source and number, as src/run/quiz.h says."""
    def digest(word):
        return hashlib.sha256(f'{quiz} {word}'.encode()).hexdigest()
    x = int(item[8:], 16) ^ int(digest(item[:8])[:16], 16)
    assert digest(str(x))[:8] == item[:8]
    return x >> 56, x & (2 ** 56 - 1)


def answer(page, folder, seed, raters):
    quiz, rng = quiz_of(page), random.Random(int(seed))
    for i in range(int(raters)):
        items = []
        for item in quiz['items']:
            source, number = unname(quiz['id'], item['id'])
            quality = rng.gauss(3.8 if source == 0 else 3.0, 0.8) + (number % 3 - 1) * 0.5
            row = {'item': item['id'], 'verdict': rng.choice([None, 'real', 'generated', 'real' if source == 0 else 'generated'])}
            row.update({q: rng.choice([None] + [min(5, max(1, round(quality + rng.gauss(0, 0.7))))] * 6) for q in quiz['questions']})
            items.append(row)
        rng.shuffle(items)
        out = {'format': 'tinygen-answers', 'version': 1, 'quiz': quiz['id'], 'kind': quiz['kind'], 'rater': f'王{i}',
               'session': f'{i + 1:016x}', 'saves': 1, 'items': len(items), 'sources': quiz['sources'], 'answers': items}
        with open(os.path.join(folder, f'{i}.json'), 'w', encoding='utf-8') as f:
            json.dump(out, f)


def mean(marks):
    """marks: a list of an item's each. The variance of items' deviations, of a sum of as many."""
    marks = [m for m in marks if m]
    flat = [x for m in marks for x in m]
    if not flat:
        return NAN, NAN, NAN
    middle, k = sum(flat) / len(flat), len(marks)
    if k < 2:
        return middle, NAN, NAN
    off = [sum(x - middle for x in m) for m in marks]
    spread = math.sqrt(k / (k - 1) * sum(x * x for x in off)) / len(flat) * student(k - 1)
    return middle, middle - spread, middle + spread


def total(paths):
    files = [json.load(open(p, encoding='utf-8')) for p in paths]
    quiz, questions = files[0]['quiz'], [k for k in files[0]['answers'][0] if k not in ('item', 'verdict')]
    tables = [{a['item']: a for a in f['answers']} for f in files]
    names = sorted(tables[0], key=lambda name: unname(quiz, name))
    source = {name: unname(quiz, name)[0] for name in names}
    verdicts = [(source[n] == 0, t[n]['verdict'] == 'real') for n in names for t in tables if t[n]['verdict']]

    def share(name, yes, count):
        print(name, yes, count, repr(binomial(yes, count)), *map(repr, wilson(yes, count)))
    share('right', sum(a == b for a, b in verdicts), len(verdicts))
    for name, kept in [('real', lambda s: s == 0), ('generated', lambda s: s > 0)] + \
            [(f'run{i}', lambda s, i=i: s == i) for i in range(1, len(files[0]['sources']))]:
        said = [t[n]['verdict'] for n in names if kept(source[n]) for t in tables if t[n]['verdict']]
        share(name, said.count('real'), len(said))
        for q in questions:
            print(name + '.' + q, *map(repr, mean([[t[n][q] for t in tables if t[n][q]] for n in names if kept(source[n])])))
    code = {None: 0, 'real': 1, 'generated': 2}
    print('alpha.verdict', repr(alpha([[code[t[n]['verdict']] for n in names] for t in tables], 'nominal')))
    for q in questions:
        print('alpha.' + q, repr(alpha([[t[n][q] or 0 for n in names] for t in tables], 'ordinal')))


def main(what, *rest):
    {'statistics': statistics, 'answer': answer, 'sum': lambda *paths: total(paths)}[what](*rest)


main(*sys.argv[1:])
