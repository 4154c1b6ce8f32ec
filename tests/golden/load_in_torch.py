"""Loads a model.safetensors of ours into plain PyTorch modules and measures the validation loss by the protocol of
docs/formats.md: 50 (or fewer) parallel streams from zero state, every target once.
usage: load_in_torch.py model.safetensors dataset.safetensors"""
import json
import struct
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F


def read(path):
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + n])
    kinds = {"F32": torch.float32, "U8": torch.uint8}
    return {k: torch.frombuffer(bytearray(raw[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]),
                                dtype=kinds[v["dtype"]]).view(v["shape"])
            for k, v in head.items() if k != "__metadata__" and v["dtype"] in kinds}


class Net(nn.Module):
    def __init__(self, w):
        super().__init__()
        (vocab, width), hidden = w["embed.weight"].shape, w["rnn.weight_hh_l0"].shape[1]
        layers = sum(k.startswith("rnn.weight_hh") for k in w)
        self.embed = nn.Embedding(vocab, width)
        self.rnn = {4: nn.LSTM, 3: nn.GRU, 1: nn.RNN}[w["rnn.weight_hh_l0"].shape[0] // hidden](width, hidden, layers)
        self.head = nn.Linear(hidden, vocab)
        self.load_state_dict(w)


weights, tokens = read(sys.argv[1]), read(sys.argv[2])["val"].long()
net = Net(weights)
streams = min(50, max(1, len(tokens) // 200))
length, longer = divmod(len(tokens) - 1, streams)
total = 0.0
with torch.no_grad():
    at = 0
    for b in range(streams):
        n = length + (b < longer)
        y, _ = net.rnn(net.embed(tokens[at:at + n]))
        total += F.cross_entropy(net.head(y), tokens[at + 1:at + n + 1], reduction="sum").item()
        at += n
print(total / (len(tokens) - 1))
