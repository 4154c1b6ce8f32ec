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
    def __init__(self, shape, hidden, latent, channels=0, classes=0, likelihood="bernoulli"):
        super().__init__()
        C, Y, X = shape
        self.shape, self.channels, self.likelihood = shape, channels, likelihood
        self.inner = (2 * channels, Y // 4, X // 4)
        D = math.prod(self.inner) if channels else C * Y * X
        if channels:
            self.conv1, self.conv2 = nn.Conv2d(C, channels, 4, 2, 1), nn.Conv2d(channels, 2 * channels, 4, 2, 1)
            extra = lambda k: (Y // k % 2, X // k % 2)
            self.deconv1 = nn.ConvTranspose2d(2 * channels, channels, 4, 2, 1, output_padding=extra(2))
            self.deconv2 = nn.ConvTranspose2d(channels, C, 4, 2, 1, output_padding=extra(1))
        self.fc1, self.fc21, self.fc22 = nn.Linear(D, hidden), nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.fc3, self.fc4 = nn.Linear(latent, hidden), nn.Linear(hidden, D)
        if classes:
            self.label1, self.label3 = nn.Embedding(classes, hidden), nn.Embedding(classes, hidden)
        if likelihood != "bernoulli":
            self.spread = nn.Parameter(torch.full((1, 1), -0.3))

    def forward(self, x, eps, labels=None):
        h = F.relu(self.conv2(F.relu(self.conv1(x)))) if self.channels else x
        h = self.fc1(h.flatten(1))
        h = F.relu(h if labels is None else h + self.label1(labels))
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + torch.exp(logvar / 2) * eps
        h = self.fc3(z)
        y = self.fc4(F.relu(h if labels is None else h + self.label3(labels)))
        if self.channels:
            y = self.deconv2(F.relu(self.deconv1(F.relu(y).reshape(-1, *self.inner))))
        return y.reshape(x.shape), mu, logvar

    def losses(self, x, eps, labels=None):
        y, mu, logvar = self(x, eps, labels)
        if self.likelihood == "bernoulli":
            recon = F.binary_cross_entropy_with_logits(y, x, reduction="sum")
        else:
            wide = 10 * self.spread
            recon = -torch.distributions.Normal(torch.sigmoid(y), torch.exp(wide / 2)).log_prob(x).sum()
        kl = -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())
        return recon / len(x), kl / len(x)
