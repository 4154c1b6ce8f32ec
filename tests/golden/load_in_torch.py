"""Loads a model.safetensors of ours into plain PyTorch modules and measures the validation loss by the protocol of
docs/formats.md, every target once: of a recurrent network 50 (or fewer) parallel streams from zero state, with documents each
from zero state; of a transformer rows of --context tokens side by side, documents each from its first token, a longer one cut.
usage: load_in_torch.py model.safetensors dataset.safetensors"""
import json
import struct
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

from transformer import Transformer


def read(path):
    """Tensors by name, and the metadata's JSON text under "tinygen"."""
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + n])
    kinds = {"F32": torch.float32, "U8": torch.uint8, "U64": torch.int64, "U16": torch.int16}
    return {k: torch.frombuffer(bytearray(raw[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]),
                                dtype=kinds[v["dtype"]]).view(v["shape"])
            for k, v in head.items() if k != "__metadata__" and v["dtype"] in kinds}, json.loads(head["__metadata__"]["tinygen"])


class Net(nn.Module):
    def __init__(self, w):
        super().__init__()
        (vocab, width), hidden = w["embed.weight"].shape, w["rnn.weight_hh_l0"].shape[1]
        layers = sum(k.startswith("rnn.weight_hh") for k in w)
        self.embed = nn.Embedding(vocab, width)
        self.rnn = {4: nn.LSTM, 3: nn.GRU, 1: nn.RNN}[w["rnn.weight_hh_l0"].shape[0] // hidden](width, hidden, layers)
        self.head = nn.Linear(hidden, vocab)
        if "classes.weight" in w:
            self.classes = nn.Embedding(*w["classes.weight"].shape)
        self.load_state_dict(w)

    def loss_of(self, x, targets, held=None):
        """Sum over the targets that are not -1."""
        e = self.embed(x) if held is None else self.embed(x) + self.classes(held)
        return F.cross_entropy(self.head(self.rnn(e)[0]), targets, ignore_index=-1, reduction="sum").item()


def loss_of_stream(net, tokens):
    streams = min(50, max(1, len(tokens) // 200))
    length, longer = divmod(len(tokens) - 1, streams)
    total, at = 0.0, 0
    for b in range(streams):
        n = length + (b < longer)
        total += net.loss_of(tokens[at:at + n], tokens[at + 1:at + n + 1])
        at += n
    return total / (len(tokens) - 1)


def loss_in_rows(net, context, tokens, starts, labels):
    """Without documents the whole is one. Start and class are no targets."""
    total, count = 0.0, 0
    for i, start in enumerate(starts or [0]):
        end = starts[i + 1] if i + 1 < len(starts) else len(tokens)
        first = start + 1 + bool(labels) if starts else 1
        for at in range(start, end - 1, context):
            to = min(at + context, end - 1)
            targets = tokens[at + 1:to + 1].clone()
            targets[:max(0, first - at - 1)] = -1
            total += F.cross_entropy(net(tokens[None, at:to])[0], targets, ignore_index=-1, reduction="sum").item()
        count += end - first
    return total / count


def loss_of_documents(net, tokens, starts, labels):
    """Start, class, text, end: the class is no target, and holds from its own token on."""
    total, count, ends = 0.0, 0, starts[1:] + [len(tokens)]
    for start, end, label in zip(starts, ends, labels):
        x, targets, held = tokens[start:end - 1], tokens[start + 1:end].clone(), torch.full((end - start - 1,), label + 1)
        targets[0] = -1
        held[0] = 0
        total += net.loss_of(x, targets, held)
        count += end - start - 2
    return total / count


(weights, about), (data, _) = read(sys.argv[1]), read(sys.argv[2])
val = data["val"].long()
starts, labels = ([int(x) for x in data.get("val." + name, [])] for name in ("starts", "labels"))
with torch.no_grad():
    if about["model"] == "transformer":
        net = Transformer(len(weights["embed.weight"]), about["settings"])
        net.load_state_dict(weights)
        print(loss_in_rows(net, about["settings"]["context"], val, starts, labels))
    else:
        net = Net(weights)
        print(loss_of_documents(net, val, starts, labels) if labels else loss_of_stream(net, val))
