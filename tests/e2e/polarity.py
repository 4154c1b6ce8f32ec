#!/usr/bin/env python3
"""polarity.py POSITIVE NEGATIVE [SAMPLES.jsonl WANTED]... - a judge of our own for conditional samples.

Logistic regression on the words and pairs of words of a text (present or not), learned by stochastic gradient descent with
decaying rate and L2 decay from nine tenths of two files of sentences, one a line. Prints its accuracy on the last tenth
(every tenth line), then, for each file that gen-sample --format jsonl wrote, the share of samples in which it finds the class
that was WANTED (positive or negative). Standard library only; the order of learning is a fixed permutation, so the
figures are the same on every run.
"""
import json, math, random, sys

EPOCHS, RATE, DECAY = 12, 0.5, 1e-5


def features(text):
    words = text.lower().split()
    return set(words) | {a + ' ' + b for a, b in zip(['<s>'] + words, words + ['</s>'])}


def learn(examples):
    weight, bias, rng, step = {}, 0.0, random.Random(1), 0
    for epoch in range(EPOCHS):
        rng.shuffle(examples)
        rate = RATE / (1 + epoch)
        for found, positive in examples:
            score = bias + sum(weight.get(f, 0.0) for f in found)
            error = positive - 1 / (1 + math.exp(-max(-30, min(30, score))))
            bias += rate * 0.1 * error
            for f in found:
                old = weight.get(f, 0.0)
                weight[f] = old + rate * (0.1 * error - DECAY * old)
    return weight, bias


def main(argv):
    if len(argv) < 3 or len(argv) % 2 == 0:
        sys.exit(__doc__)
    train, held = [], []
    for path, positive in ((argv[1], 1), (argv[2], 0)):
        with open(path, encoding='utf-8', errors='replace') as lines:
            for i, line in enumerate(dict.fromkeys(lines)):
                (held if i % 10 == 9 else train).append((features(line), positive))
    weight, bias = learn(train)
    is_positive = lambda found: bias + sum(weight.get(f, 0.0) for f in found) > 0
    right = sum(is_positive(found) == bool(positive) for found, positive in held)
    print('held-out accuracy %.3f of %d' % (right / len(held), len(held)))
    for path, wanted in zip(argv[3::2], argv[4::2]):
        with open(path, encoding='utf-8') as lines:
            texts = [json.loads(line)['text'] for line in lines]
        right = sum(is_positive(features(t)) == (wanted == 'positive') for t in texts)
        print('%s: %s found in %.3f of %d' % (path, wanted, right / len(texts), len(texts)))


main(sys.argv)
