#!/usr/bin/env python3
"""llama2_reference.py - llama2.c's checkpoints with nothing but Python's own modules, written from the description of the format
and of the model (Touvron et al. 2023, arXiv:2302.13971), not from any code of ours.

    llama2_reference.py make OUT SEED DIM HIDDEN LAYERS HEADS KV_HEADS VOCAB CONTEXT [zeros]   random weights; VOCAB negative: a
                                       classifier of its own; tables of the rotation as float32, or with "zeros" of these
    llama2_reference.py run FILE N     ids of N tokens, always the likeliest, behind token 1, which ends them, too; how near the second came
    llama2_reference.py pieces OUT N   a tokenizer.bin of N pieces: the bytes, then letters and joined ones
"""
import array
import math
import operator
import random
import struct
import sys


def layout(dim, hidden, layers, heads, kv, vocab, context):
    """(name, times, rows, columns) in the order of the file."""
    d = dim // heads
    yield from (('embed', 1, abs(vocab), dim), ('att', layers, 1, dim), ('wq', layers, dim, dim), ('wk', layers, kv * d, dim),
                ('wv', layers, kv * d, dim), ('wo', layers, dim, dim), ('ffn', layers, 1, dim), ('w1', layers, hidden, dim),
                ('w2', layers, dim, hidden), ('w3', layers, hidden, dim), ('last', 1, 1, dim), ('real', 1, context, d // 2),
                ('imag', 1, context, d // 2))
    if vocab < 0:
        yield 'wcls', 1, -vocab, dim


def make(path, seed, *sizes, zeros=False):
    dim, heads = sizes[0], sizes[3]
    rng = random.Random(seed)
    with open(path, 'wb') as f:
        f.write(struct.pack('<7i', *sizes))
        for name, times, rows, columns in layout(*sizes):
            n = times * rows * columns
            if name in ('real', 'imag'):
                half, of = dim // heads // 2, math.cos if name == 'real' else math.sin
                x = [0 if zeros else of(t / 10000 ** (i / half)) for t in range(rows) for i in range(half)]
            elif name in ('att', 'ffn', 'last'):
                x = [1 + 0.2 * (rng.random() - 0.5) for _ in range(n)]
            else:
                width = 0.5 if name in ('embed', 'wcls') else 9 / math.sqrt(columns)
                x = [width * (rng.random() - 0.5) for _ in range(n)]
            f.write(array.array('f', x).tobytes())


def load(path):
    with open(path, 'rb') as f:
        sizes = struct.unpack('<7i', f.read(28))
        w = {}
        for name, times, rows, columns in layout(*sizes):
            x = array.array('f')
            x.frombytes(f.read(4 * times * rows * columns))
            at = [x[i * columns:(i + 1) * columns] for i in range(times * rows)]
            w[name] = [at[k * rows:(k + 1) * rows] for k in range(times)]
        assert not f.read(1)
    return sizes, w


def norm(x, weight):
    scale = 1 / math.sqrt(sum(v * v for v in x) / len(x) + 1e-5)
    return [v * scale * g for v, g in zip(x, weight)]


def times(matrix, x):
    return [sum(map(operator.mul, row, x)) for row in matrix]


def turn(x, d, position):
    """Pairs (2i, 2i + 1) of each head by position / 10000^(2i / d)."""
    out = []
    for j in range(0, len(x), 2):
        angle = position / 10000 ** (j % d / d)
        c, s = math.cos(angle), math.sin(angle)
        out += [x[j] * c - x[j + 1] * s, x[j] * s + x[j + 1] * c]
    return out


def forward(sizes, w, cache, token, position, looks=None):
    dim, _, layers, heads, kv, _, _ = sizes
    d, group = dim // heads, heads // kv
    x = [float(v) for v in w['embed'][0][token]]
    for k in range(layers):
        h = norm(x, w['att'][k][0])
        q = turn(times(w['wq'][k], h), d, position)
        cache[k].append((turn(times(w['wk'][k], h), d, position), times(w['wv'][k], h)))
        mixed = []
        for a in range(heads):
            at = a // group * d
            scores = [sum(q[a * d + i] * key[at + i] for i in range(d)) / math.sqrt(d) for key, _ in cache[k]]
            top = max(scores)
            p = [math.exp(s - top) for s in scores]
            if looks is not None:
                looks.append([pi / sum(p) for pi in p])
            mixed += [sum(pi * value[at + i] for pi, (_, value) in zip(p, cache[k])) / sum(p) for i in range(d)]
        x = [a + b for a, b in zip(x, times(w['wo'][k], mixed))]
        h = norm(x, w['ffn'][k][0])
        gate, up = times(w['w1'][k], h), times(w['w3'][k], h)
        x = [a + b for a, b in zip(x, times(w['w2'][k], [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up)]))]
    return times(w['wcls' if 'wcls' in w else 'embed'][0], norm(x, w['last'][0][0]))


def run(path, n):
    sizes, w = load(path)
    cache, token, ids, near = [[] for _ in range(sizes[2])], 1, [], math.inf
    for position in range(n):
        logits = forward(sizes, w, cache, token, position)
        token = max(range(len(logits)), key=logits.__getitem__)
        near = min(near, logits[token] - max(v for i, v in enumerate(logits) if i != token))
        ids.append(token)
        if token == 1:
            break
    print(', '.join(map(str, ids)))
    print(f'the second was {near:.2g} behind at the least', file=sys.stderr)


def look(path, ids):
    """What each token looked at: rows of shares by token, layer and head, in this order."""
    sizes, w = load(path)
    cache, looks = [[] for _ in range(sizes[2])], []
    for position, token in enumerate(ids):
        forward(sizes, w, cache, token, position, looks)
    return looks


def pieces(path, n):
    list_ = [b'<unk>', b'\n<s>\n', b'\n</s>\n'] + [b'<0x%02X>' % b for b in range(256)]
    letters = b' etaoinshrdlu'
    list_ += [bytes([c]) for c in letters] + [bytes([a, b]) for a in letters for b in letters[1:]]
    with open(path, 'wb') as f:
        f.write(struct.pack('<i', max(map(len, list_[:n]))))
        for i, piece in enumerate(list_[:n]):
            f.write(struct.pack('<fi', 0 if i < 259 else 259 - i, len(piece)) + piece)


if __name__ == '__main__':
    what, path, *rest = sys.argv[1:]
    if what == 'make':
        make(path, *map(int, [x for x in rest if x != 'zeros']), zeros='zeros' in rest)
    elif what == 'run':
        run(path, int(rest[0]))
    else:
        pieces(path, int(rest[0]))
