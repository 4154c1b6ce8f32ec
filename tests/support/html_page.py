#!/usr/bin/env python3
"""html_page.py PAGE... - reads pages of ours as a browser would, but strictly; raises where something is wrong, prints a line each.

Elements nest and are known, ids are unique, links lead to them, nothing loads or runs but what is in the page, the page's own rule says
so, and all that is drawn lies within its picture."""
import base64
import hashlib
import os
import re
import sys
from html.parser import HTMLParser

VOID = {'meta', 'img', 'input'}
KNOWN = VOID | set('html head body title style script noscript header main footer nav section h1 h2 h3 p span a ul li div pre figure figcaption '
                   'details summary table caption thead tbody tr th td form fieldset legend label button progress textarea svg g path rect '
                   'text'.split())
SHAPE = {'path', 'rect', 'text', 'g', 'svg'}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.scripts, self.ids, self.links, self.rule, self.box, self.drawn = [], [], set(), set(), None, None, 0

    def handle_starttag(self, tag, attrs):
        assert tag in KNOWN or (tag == 'title' and self.box), tag
        named = dict(attrs)
        assert len(named) == len(attrs), attrs
        for name, value in attrs:
            assert name not in ('style', 'action', 'srcset') and not name.startswith('on'), name
            assert name != 'src' or value.startswith('data:image/png;base64,'), value
            assert name != 'href' or value.startswith('#'), value
            if name == 'id':
                assert value not in self.ids, value
                self.ids.add(value)
            if name == 'href':
                self.links.add(value[1:])
        if named.get('http-equiv') == 'Content-Security-Policy':
            self.rule = named['content']
        if tag == 'svg':
            self.box = [float(x) for x in named['viewbox'].split()][2:]
        if tag in SHAPE:
            self.shape(tag, named)
        if tag not in VOID:
            self.open.append(tag)
        if tag == 'script':
            self.scripts.append('')

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
        if tag == 'svg':
            self.box = None

    def handle_data(self, text):
        if self.open and self.open[-1] == 'script':
            self.scripts[-1] += text

    def inside(self, x, y):
        assert -0.06 <= x <= self.box[0] + 0.06 and -0.06 <= y <= self.box[1] + 0.06, (x, y)
        self.drawn += 1

    def shape(self, tag, named):
        for value in named.values():
            assert 'nan' not in (value or '').lower() and 'inf' not in (value or '').lower(), value
        if tag == 'rect':
            x, y, w, h = (float(named[k]) for k in ('x', 'y', 'width', 'height'))
            assert w >= 0 and h >= 0
            self.inside(x, y)
            self.inside(x + w, y + h)
        if tag == 'path':
            assert re.fullmatch(r'[MLHZmlhvaz0-9. -]*', named['d']), named['d']
            for x, y in re.findall(r'[ML](-?[0-9.]+) (-?[0-9.]+)', named['d']):
                self.inside(float(x), float(y))
        if tag == 'text' and 'x' in named:
            self.inside(float(named['x']), float(named['y']))


def check(path):
    with open(path, encoding='utf-8', newline='') as f:
        text = f.read()
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open and '://' not in text and page.links <= page.ids
    rules = ["default-src 'none'", "style-src 'unsafe-inline'", 'img-src data:']
    if page.scripts:
        data, script = page.scripts
        assert '<' not in data
        rules.append(f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'")
    assert page.rule == '; '.join(rules), page.rule
    print(f'{os.path.basename(path)}: {len(text)} characters, {page.drawn} places drawn')


for name in sys.argv[1:]:
    check(name)
