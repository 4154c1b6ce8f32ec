"""torch_gpt.py LAYERS DIM HEADS BATCH CONTEXT THREADS SYMBOLS - PyTorch's training step of a small GPT behind a pipe.

Says "ready", then answers each line with tokens a second over a second of steps, one at least: learned positions, pre-norm
layers of causal attention and GELU without biases, a head tied to the embedding of the symbols, cross-entropy, gradients
clipped to 1, AdamW."""
import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

from pipe import answer

layers, dim, heads, batch, context, threads, symbols = map(int, sys.argv[1:8])
torch.set_num_threads(threads)
torch.set_flush_denormal(True)
torch.manual_seed(1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim, False), nn.Linear(dim, dim, False)
        self.up, self.down = nn.Linear(dim, 4 * dim, False), nn.Linear(4 * dim, dim, False)
        self.register_buffer("unseen", torch.triu(torch.ones(context, context, dtype=torch.bool), 1))

    def forward(self, x):
        B, T, D = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(B, T, 3, heads, D // heads).permute(2, 0, 3, 1, 4)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(-2, -1)) / math.sqrt(D // heads)
            y = F.softmax(scores.masked_fill(self.unseen, float("-inf")), -1) @ v
        x = x + self.out(y.transpose(1, 2).reshape(B, T, D))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.places = nn.Embedding(symbols, dim), nn.Embedding(context, dim)
        self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
        self.norm = nn.LayerNorm(dim)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02)

    def forward(self, x):
        return self.norm(self.blocks(self.tokens(x) + self.places.weight)) @ self.tokens.weight.t()


net = Net()
optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
x, y = (torch.randint(symbols, (batch, context)) for _ in range(2))


def step():
    optimiser.zero_grad(set_to_none=True)
    F.cross_entropy(net(x).view(-1, symbols), y.view(-1)).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1)
    optimiser.step()


answer(step, batch * context)
