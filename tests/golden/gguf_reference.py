#!/usr/bin/env python3
"""gguf_reference.py FILE.gguf MODEL.safetensors [TOKENIZER.bin] - reads a GGUF file as its specification (version 3) says, with
nothing but Python's own modules, and compares it with the model that it was made of: every weight, permuted as the
specification's own formula for Llama does it, every token. Prints "N tensors, N keys"."""
import json
import struct
import sys

SCALARS = {0: 'B', 1: 'b', 2: 'H', 3: 'h', 4: 'I', 5: 'i', 6: 'f', 7: '?', 10: 'Q', 11: 'q', 12: 'd'}
TEXT, ARRAY = 8, 9


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data), 'cut short'
        self.at += n
        return self.data[self.at - n:self.at]

    def scalar(self, code):
        return struct.unpack('<' + code, self.take(struct.calcsize('<' + code)))[0]

    def text(self):
        return self.take(self.scalar('Q'))

    def value(self, kind):
        if kind == TEXT:
            return self.text()
        if kind == ARRAY:
            inner, n = self.scalar('I'), self.scalar('Q')
            return [self.value(inner) for _ in range(n)]
        return self.scalar(SCALARS[kind])


def read_gguf(path):
    r = Reader(open(path, 'rb').read())
    assert r.take(4) == b'GGUF' and r.scalar('I') == 3
    tensor_count, key_count = r.scalar('Q'), r.scalar('Q')
    keys, infos, end = {}, {}, 0
    for _ in range(key_count):
        key = r.text().decode('ascii')
        assert key not in keys and len(key) < 2**16
        keys[key] = r.value(r.scalar('I'))
    for _ in range(tensor_count):
        name = r.text().decode('ascii')
        assert name not in infos and len(name) <= 64
        sizes = [r.scalar('Q') for _ in range(r.scalar('I'))]
        infos[name] = sizes, r.scalar('I'), r.scalar('Q')
    align = keys.get('general.alignment', 32)
    assert align % 8 == 0
    assert not any(r.take(-r.at % align))
    begin, tensors = r.at, {}
    for name, (sizes, kind, offset) in infos.items():
        assert kind == 0 and offset % align == 0 and offset == end, name
        n = 4
        for size in sizes:
            n *= size
        tensors[name] = sizes, r.data[begin + offset:begin + offset + n]
        assert len(tensors[name][1]) == n
        end = offset + n + -n % align
        assert not any(r.data[begin + offset + n:begin + end])
    assert begin + end == len(r.data)
    return keys, tensors


def read_safetensors(path):
    data = open(path, 'rb').read()
    n = struct.unpack('<Q', data[:8])[0]
    head = json.loads(data[8:8 + n])
    meta = json.loads(head.pop('__metadata__')['tinygen'])
    return meta, {name: (t['shape'], data[8 + n + t['data_offsets'][0]:8 + n + t['data_offsets'][1]]) for name, t in head.items()}


def rows(data, columns):
    return [data[i:i + 4 * columns] for i in range(0, len(data), 4 * columns)]


def permute(matrix, heads):
    """weights.reshape(heads, 2, len // heads // 2, ...).swapaxes(1, 2).reshape(weights.shape), of a list of rows."""
    half = len(matrix) // heads // 2
    return [matrix[(h * 2 + two) * half + i] for h in range(heads) for i in range(half) for two in range(2)]


def expected(meta, w):
    s, out = meta['settings'], {}
    dim, heads = s['dim'], s['heads']
    kv, d = s['kv_heads'] or heads, dim // heads
    out['token_embd.weight'], out['output_norm.weight'] = w['embed.weight'], w['norm.weight']
    if not s['tie']:
        out['output.weight'] = w['head.weight']
    for k in range(s['layers']):
        def ours(name):
            return w[f'layers.{k}.{name}.weight']
        qkv, up = rows(ours('attn.qkv')[1], dim), rows(ours('mlp.up')[1], dim)
        hidden = len(up) // 2
        parts = {'attn_q': permute(qkv[:dim], heads), 'attn_k': permute(qkv[dim:dim + kv * d], kv), 'attn_v': qkv[dim + kv * d:],
                 'ffn_gate': up[:hidden], 'ffn_up': up[hidden:]}
        for name, matrix in parts.items():
            out[f'blk.{k}.{name}.weight'] = [len(matrix), dim], b''.join(matrix)
        for name, from_ in (('attn_norm', 'norm1'), ('attn_output', 'attn.out'), ('ffn_norm', 'norm2'), ('ffn_down', 'mlp.down')):
            out[f'blk.{k}.{name}.weight'] = ours(from_)
    return out


def check_shape(keys, meta, w):
    s = meta['settings']
    said = {'general.architecture': b'llama', 'general.file_type': 0, 'llama.context_length': s['context'], 'llama.embedding_length': s['dim'],
            'llama.block_count': s['layers'], 'llama.feed_forward_length': w['layers.0.mlp.down.weight'][0][1],
            'llama.rope.dimension_count': s['dim'] // s['heads'], 'llama.rope.freq_base': s['theta'], 'llama.vocab_size': meta['vocab'],
            'llama.attention.head_count': s['heads'], 'llama.attention.head_count_kv': s['kv_heads'] or s['heads']}
    for key, value in said.items():
        assert keys[key] == value, (key, keys[key], value)
    assert abs(keys['llama.attention.layer_norm_rms_epsilon'] - 1e-5) < 1e-12


def check_tokens(keys, meta, tokenizer):
    tokens, types, t = keys['tokenizer.ggml.tokens'], keys['tokenizer.ggml.token_type'], meta['tokenizer']
    pieces = t['pieces'].split(' ')
    assert len(tokens) == len(types) == meta['vocab'] >= len(pieces)
    assert set(types[len(pieces):]) <= {3}
    assert keys['tokenizer.ggml.add_bos_token'] == ('start' in t)
    assert keys.get('tokenizer.ggml.bos_token_id') == t.get('start') and keys.get('tokenizer.ggml.eos_token_id') == t.get('end')
    if t['rule'] != 'scores':
        assert keys['tokenizer.ggml.model'] == b'gpt2' and [p.decode() for p in tokens[:len(pieces)]] == pieces
        ids = list(map(int, t['merges'].split()))
        assert [m.decode() for m in keys['tokenizer.ggml.merges']] == [f'{pieces[a]} {pieces[b]}' for a, b in zip(ids[::2], ids[1::2])]
        assert set(types[:len(pieces)]) == {1}
        return
    assert keys['tokenizer.ggml.model'] == b'llama' and keys['tokenizer.ggml.unknown_token_id'] == 0
    assert types[:len(pieces)] == [2, 3, 3] + [6] * 256 + [1] * (len(pieces) - 259) and tokens[:3] == [b'<unk>', b'<s>', b'</s>']
    r = Reader(open(tokenizer, 'rb').read())
    r.scalar('i')
    for i in range(len(pieces)):
        score, piece = r.scalar('f'), r.take(r.scalar('i'))
        assert keys['tokenizer.ggml.scores'][i] == score, i
        assert i < 3 or tokens[i] == piece.replace(b' ', '\u2581'.encode()), i
    assert r.at == len(r.data)


def main():
    keys, tensors = read_gguf(sys.argv[1])
    meta, w = read_safetensors(sys.argv[2])
    check_shape(keys, meta, w)
    check_tokens(keys, meta, sys.argv[3] if len(sys.argv) > 3 else None)
    wanted = expected(meta, w)
    assert wanted.keys() == tensors.keys(), wanted.keys() ^ tensors.keys()
    for name, (shape, data) in wanted.items():
        assert list(reversed(tensors[name][0])) == list(shape) and tensors[name][1] == data, name
    print(f'{len(tensors)} tensors, {len(keys)} keys')


main()
