"""The variational autoencoder of src/models/vae.c in PyTorch's words, and its noise: Philox4x32-10 and Box-Muller, from their papers."""
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MASK = (1 << 64) - 1


def philox(counter, key):
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        x, y = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (y >> 32) ^ b ^ k0, y & 0xFFFFFFFF, (x >> 32) ^ d ^ k1, x & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


def noise(seed, step, *shape):
    """The first draw of a step: element i is words 2i and 2i + 1 of stream (seed, 7, step)."""
    x = 7 * 0x9E3779B97F4A7C15 & MASK
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    key = seed ^ x ^ x >> 31
    out = []
    for i in range(math.prod(shape)):
        words = philox((i // 2, 0, step, 0), (key & 0xFFFFFFFF, key >> 32))
        u, v = words[2 * (i % 2)], words[2 * (i % 2) + 1]
        out.append(math.sqrt(-2 * math.log((u + 0.5) / 2**32)) * math.cos(2 * math.pi * (v >> 8) / 2**24))
    return torch.from_numpy(np.asarray(out).reshape(shape))


class Vae(nn.Module):
    def __init__(self, shape, hidden, latent, channels=0, classes=0, likelihood="bernoulli", layers=1, act="relu"):
        super().__init__()
        C, Y, X = shape
        self.shape, self.channels, self.likelihood, self.layers = shape, channels, likelihood, layers
        self.act = {"relu": F.relu, "tanh": torch.tanh, "silu": F.silu}[act]
        self.inner = (2 * channels, Y // 4, X // 4)
        D = math.prod(self.inner) if channels else C * Y * X
        if channels:
            self.conv1, self.conv2 = nn.Conv2d(C, channels, 4, 2, 1), nn.Conv2d(channels, 2 * channels, 4, 2, 1)
            extra = lambda k: (Y // k % 2, X // k % 2)
            self.deconv1 = nn.ConvTranspose2d(2 * channels, channels, 4, 2, 1, output_padding=extra(2))
            self.deconv2 = nn.ConvTranspose2d(channels, C, 4, 2, 1, output_padding=extra(1))
        self.fc1, self.fc21, self.fc22 = nn.Linear(D, hidden), nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.fc3, self.fc4 = nn.Linear(latent, hidden), nn.Linear(hidden, D)
        for name in "fc1", "fc3":
            for i in range(2, layers + 1):
                setattr(self, f"{name}_{i}", nn.Linear(hidden, hidden))
        if classes:
            self.label1, self.label3 = nn.Embedding(classes, hidden), nn.Embedding(classes, hidden)
        if likelihood != "bernoulli":
            self.spread = nn.Parameter(torch.full((1, 1), -0.3))

    def dense(self, name, x, label):
        h = getattr(self, name)(x)
        h = self.act(h if label is None else h + label)
        for i in range(2, self.layers + 1):
            h = self.act(getattr(self, f"{name}_{i}")(h))
        return h

    def encode(self, x, labels=None):
        h = self.act(self.conv2(self.act(self.conv1(x)))) if self.channels else x
        h = self.dense("fc1", h.flatten(1), None if labels is None else self.label1(labels))
        return self.fc21(h), self.fc22(h)

    def decode(self, z, labels=None):
        y = self.fc4(self.dense("fc3", z, None if labels is None else self.label3(labels)))
        if self.channels:
            y = self.deconv2(self.act(self.deconv1(self.act(y).reshape(-1, *self.inner))))
        return y.reshape(-1, *self.shape)

    def forward(self, x, eps, labels=None):
        mu, logvar = self.encode(x, labels)
        return self.decode(mu + torch.exp(logvar / 2) * eps, labels), mu, logvar

    def draws(self, x, eps, labels=None):
        """eps [K, B, Z]: means of -log p(x|z) and log q(z|x) - log p(z), and the bound of Burda et al. 2015, eq. 8."""
        normal = torch.distributions.Normal
        mu, logvar = self.encode(x, labels)
        q = normal(mu, torch.exp(logvar / 2))
        recon, ratio = [], []
        for e in eps:
            z = mu + torch.exp(logvar / 2) * e
            y = self.decode(z, labels)
            if self.likelihood == "bernoulli":
                p = torch.distributions.Bernoulli(logits=y, validate_args=False).log_prob(x)
            else:
                p = normal(torch.sigmoid(y), torch.exp(10 * self.spread / 2)).log_prob(x)
            recon.append(-p.flatten(1).sum(1))
            ratio.append((q.log_prob(z) - normal(0, 1).log_prob(z)).sum(1))
        recon, ratio = torch.stack(recon), torch.stack(ratio)
        return recon.mean(), ratio.mean(), -(torch.logsumexp(-recon - ratio, 0) - math.log(len(eps))).mean()

    def losses(self, x, eps, labels=None):
        y, mu, logvar = self(x, eps, labels)
        if self.likelihood == "bernoulli":
            recon = F.binary_cross_entropy_with_logits(y, x, reduction="sum")
        else:
            wide = 10 * self.spread
            recon = -torch.distributions.Normal(torch.sigmoid(y), torch.exp(wide / 2)).log_prob(x).sum()
        kl = -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())
        return recon / len(x), kl / len(x)
