"""ngram.py DATASET RUN - interpolated Kneser-Ney with dictionaries, and what gen-train --model ngram wrote against it: which
n-grams there are, every probability and back-off weight, the validation loss."""
import json
import math
import os
import sys
from collections import Counter, defaultdict

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from formats import read_safetensors, same  # noqa: E402


def count(text, order):
    """counts[k]: of the n-grams of k tokens; below the order, of the different tokens before them."""
    counts = {order: Counter(tuple(text[i:i + order]) for i in range(len(text) - order + 1))}
    for k in range(1, order):
        grams = {tuple(text[i:i + k + 1]) for i in range(len(text) - k)}
        counts[k] = Counter(gram[1:] for gram in grams)
        counts[k][tuple(text[:k])] += 1  # the text's beginning is before it
    return counts


def discounts(counts):
    n = [sum(c == i for c in counts.values()) for i in range(5)]
    if min(n[1:]) > 0:
        y = n[1] / (n[1] + 2 * n[2])
        found = [c - (c + 1) * y * n[c + 1] / n[c] for c in (1, 2, 3)]
        if min(found) > 0:
            return [0] + found
    return [0, 0.5, 1, 1.5]


class Model:
    def __init__(self, text, vocab, order):
        self.order, self.vocab, self.counts = order, vocab, count(text, order)
        self.discounts = {k: discounts(c) for k, c in self.counts.items()}
        self.after = defaultdict(lambda: [0, 0])  # of a context: all counts, all that is taken from them
        for k, counts in self.counts.items():
            for gram, c in counts.items():
                self.after[gram[:-1]][0] += c
                self.after[gram[:-1]][1] += self.discounts[k][min(c, 3)]

    def backoff(self, context):
        total, taken = self.after.get(context, (0, 0))
        return taken / total if total else 1

    def prob(self, context, token):
        lower = self.prob(context[1:], token) if context else 1 / self.vocab
        total = self.after.get(context, (0, 0))[0]
        if not total:
            return lower
        k = len(context) + 1
        c = self.counts[k].get(context + (token,), 0)
        return (c - self.discounts[k][min(c, 3)]) / total + self.backoff(context) * lower


def near(what, got, want):
    if abs(got - want) > 2e-6 * max(1, abs(want)):
        sys.exit("%s: is %r, should be %r" % (what, got, want))


def main():
    data, about = read_safetensors(sys.argv[1])
    tensors, meta = read_safetensors(os.path.join(sys.argv[2], "model.safetensors"))
    order, vocab = meta["settings"]["order"], meta["vocab"]
    same("data", meta["data"], about["content_sha256"])
    model = Model(data["train"][1], vocab, order)
    grams = [(token,) for token in range(vocab)]
    for k in range(1, order + 1):
        of = {part: tensors.pop("order%d.%s" % (k, part))[1] for part in
              (["token"] if k > 1 else []) + ["log_prob"] + (["log_backoff", "first"] if k < order else [])}
        if k > 1:
            grams = [gram + (of["token"][i],) for j, gram in enumerate(grams) for i in range(first[j], first[j + 1])]
            same("n-grams of %d" % k, grams, sorted(model.counts[k]))
        for gram, log_prob in zip(grams, of["log_prob"]):
            near("log p of %r" % (gram,), log_prob, math.log(model.prob(gram[:-1], gram[-1])))
        for gram, weight in zip(grams, of.get("log_backoff", ())):
            near("back-off of %r" % (gram,), weight, math.log(model.backoff(gram)))
        first = of.get("first")
    same("tensors left over", tensors, {})
    val = data["val"][1]
    nats = -sum(math.log(model.prob(tuple(val[max(0, i - order + 1):i]), val[i])) for i in range(1, len(val)))
    near("val_loss", json.load(open(os.path.join(sys.argv[2], "result.json")))["val_loss"], nats / (len(val) - 1))


main()
