#!/usr/bin/env python3
"""attention_page.py - reads a page of gen-sample --attention as a browser would, but strictly, and says what it shows.

    attention_page.py PAGE                  checks it (raises where something is wrong); figures, then the tokens
    attention_page.py PAGE like FILE.bin IDS    also every share against llama2_reference.py's forward pass over these ids
"""
import base64
import hashlib
import json
import os
import struct
import sys
from html.parser import HTMLParser

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden'))
VOID = {'meta', 'br'}
KNOWN = {'html', 'head', 'body', 'title', 'style', 'script', 'noscript', 'h1', 'h2', 'p', 'b', 'span', 'div', 'details', 'summary',
         'label', 'select', 'canvas', 'table', 'footer'} | VOID


class Page(HTMLParser):
    """Scripts by their order, and that elements nest; nothing that loads, runs or leads elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.scripts, self.ids, self.rule = [], [], set(), None

    def handle_starttag(self, tag, attrs):
        assert tag in KNOWN, tag
        for name, value in attrs:
            assert name not in ('src', 'href', 'style', 'action') and not name.startswith('on'), name
            if name == 'id':
                assert value not in self.ids, value
                self.ids.add(value)
        if dict(attrs).get('http-equiv') == 'Content-Security-Policy':
            self.rule = dict(attrs)['content']
        if tag not in VOID:
            self.open.append(tag)
        if tag == 'script':
            self.scripts.append('')

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, text):
        if self.open and self.open[-1] == 'script':
            self.scripts[-1] += text


def load(path):
    with open(path, encoding='utf-8', newline='') as f:
        text = f.read()
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open and len(page.scripts) == 2 and '://' not in text
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert page.rule == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'", page.rule
    assert '<' not in page.scripts[0]
    return json.loads(page.scripts[0])


def rows_of(data):
    """shares[layer][head][row], a row as long as its number says."""
    n = len(data['tokens'])
    raw = base64.b64decode(data['shares'], validate=True)
    numbers = struct.unpack(f'<{len(raw) // 2}H', raw)
    assert len(numbers) == data['layers'] * data['heads'] * n * (n + 1) // 2
    at, out = 0, []
    for _ in range(data['layers']):
        out.append([])
        for _ in range(data['heads']):
            out[-1].append([])
            for row in range(n):
                out[-1][-1].append([x / 65535 for x in numbers[at:at + row + 1]])
                at += row + 1
    return out


def main(path, *rest):
    data = load(path)
    shares, n = rows_of(data), len(data['tokens'])
    for layer in shares:
        for head in layer:
            for row in head:
                room = (len(row) + 2) / 2 / 65535
                assert sum(row) < 1 + room and (data['begin'] > 0 or sum(row) > 1 - room), sum(row)
                far = len(row) - data['context']  # out of sight, but for what opens the text
                assert not any(x for x, t in zip(row[:max(0, far)], data['tokens']) if t[1] != 0), row
    if rest:
        import llama2_reference
        ids = [int(x) for x in rest[2].split(',')]
        assert len(ids) == n
        looks = llama2_reference.look(rest[1], ids)
        for row in range(n):
            for k in range(data['layers']):
                for a in range(data['heads']):
                    want = looks[(row * data['layers'] + k) * data['heads'] + a]
                    assert all(abs(x - y) < 1e-4 for x, y in zip(shares[k][a][row], want)), (row, k, a)
    print(f"{data['layers']} x {data['heads']}, {n} of {data['total']} from {data['begin']}, context {data['context']}")
    print('|'.join(t[0].replace('\n', '$') + (f'({t[4]})' if len(t) > 4 else '') for t in data['tokens']))
    print(''.join(str(t[1]) for t in data['tokens']))
    drawn = [t[2] for t in data['tokens'] if t[1] == 2]
    assert all(t[2] is None for t in data['tokens'] if t[1] != 2)
    print(json.dumps(drawn))


main(*sys.argv[1:])
