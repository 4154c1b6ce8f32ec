"""A decoder-only Transformer in plain PyTorch, as one reads it in the papers: nothing of it is ours but the names, so that
load_state_dict takes our weights. Layer norm or RMS norm, learned or rotary positions, GELU or SwiGLU, grouped queries."""
import math

import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5) * self.weight


def rotated(x, theta):
    """x [B, H, T, D]: elements i and i + D/2 are a pair, turned by position times theta^(-2i/D) (Su et al. 2021)."""
    T, half = x.shape[2], x.shape[3] // 2
    angle = torch.arange(T, dtype=torch.float64)[:, None] * theta ** (-torch.arange(half, dtype=torch.float64) / half)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def norm_of(c, width):
    return nn.LayerNorm(width, eps=1e-5) if c["norm"] == "layer" else RMSNorm(width)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c, self.heads, self.kv_heads = c, c["heads"], c["kv_heads"] or c["heads"]
        self.width = c["dim"] // self.heads
        self.qkv = nn.Linear(c["dim"], (self.heads + 2 * self.kv_heads) * self.width, bias=c["bias"])
        self.out = nn.Linear(c["dim"], c["dim"], bias=c["bias"])
        if c["qk_norm"]:
            self.q_norm, self.k_norm = RMSNorm(self.width), RMSNorm(self.width)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (y.view(B, T, -1, self.width).transpose(1, 2)
                   for y in self.qkv(x).split([n * self.width for n in (self.heads, self.kv_heads, self.kv_heads)], -1))
        if self.c["qk_norm"]:
            q, k = self.q_norm(q), self.k_norm(k)
        if self.c["pos"] == "rope":
            q, k = rotated(q, self.c["theta"]), rotated(k, self.c["theta"])
        shared = self.heads // self.kv_heads
        k, v = k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)
        scores = (q @ k.transpose(2, 3) / math.sqrt(self.width)).masked_fill(torch.ones(T, T).triu(1).bool(), -math.inf)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(B, T, C))


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        gated = self.gated = c["act"] == "swiglu"
        self.act = {"swiglu": nn.functional.silu, "relu2": lambda x: x.relu().square(),
                    "gelu": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))}[c["act"]]
        inner = c["ffn"] or ((8 * c["dim"] // 3 + 15) // 16 * 16 if gated else 4 * c["dim"])
        self.up = nn.Linear(c["dim"], 2 * inner if gated else inner, bias=c["bias"])
        self.down = nn.Linear(inner, c["dim"], bias=c["bias"])

    def forward(self, x):
        if not self.gated:
            return self.down(self.act(self.up(x)))
        gate, value = self.up(x).chunk(2, -1)
        return self.down(self.act(gate) * value)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm1, self.attn, self.norm2, self.mlp = norm_of(c, c["dim"]), Attention(c), norm_of(c, c["dim"]), FeedForward(c)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """c: the settings in our metadata; tokens are [B, T]. Without dropout."""

    def __init__(self, vocab, c):
        super().__init__()
        self.embed = nn.Embedding(vocab, c["dim"])
        if c["pos"] == "learned":
            self.pos = nn.Embedding(c["context"], c["dim"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["layers"]))
        self.norm = norm_of(c, c["dim"])
        if not c["tie"]:
            self.head = nn.Linear(c["dim"], vocab, bias=False)

    def forward(self, tokens):
        x = self.embed(tokens)
        if hasattr(self, "pos"):
            x = x + self.pos(torch.arange(tokens.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return nn.functional.linear(self.norm(x), self.head.weight if hasattr(self, "head") else self.embed.weight)
