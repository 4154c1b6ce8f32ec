#!/usr/bin/env python3
"""segments.py SAMPLES.jsonl - how many segments of sampled verse have the length that regulated verse has.

A line of a classical Chinese poem is parted by the marks U+FF0C and U+3002. Counts, in the samples that gen-sample --format jsonl
wrote, the segments that end in one of them and begin at the text's or a line's begin or behind another, and prints the share that
has 5 or 7 characters. Standard library only.
"""
import json, re, sys

if len(sys.argv) != 2:
    sys.exit(__doc__)
with open(sys.argv[1], encoding='utf-8') as lines:
    texts = [json.loads(line)['text'] for line in lines]
segments = [s for t in texts for s in re.findall('([^\uff0c\u3002\\n]*)[\uff0c\u3002]', t)]
right = sum(len(s) in (5, 7) for s in segments)
print('%d of %d segments have 5 or 7 characters: %.1f %%' % (right, len(segments), 100 * right / max(1, len(segments))))
