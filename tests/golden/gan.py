"""The generative adversarial networks of src/models/gan.c in PyTorch's words: a step in turns, D first, then G; plain SGD."""
import torch
from torch import nn
from torch.nn import functional as F

from vae import noise, philox, MASK


def units(seed, purpose, step, n):
    """The first n words of a stream as numbers in [0, 1)."""
    x = purpose * 0x9E3779B97F4A7C15 & MASK
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    key = seed ^ x ^ x >> 31
    words = [w for block in range(-(-n // 4)) for w in philox((block, 0, step, 0), (key & 0xFFFFFFFF, key >> 32))]
    return torch.tensor([(w >> 8) / 2**24 for w in words[:n]], dtype=torch.float64)


def spectral(layer, on):
    return nn.utils.spectral_norm(layer) if on else layer


class Generator(nn.Module):
    def __init__(self, shape, latent, hidden=0, channels=0, classes=0):
        super().__init__()
        C, Y, X = shape
        self.shapes = [shape]
        while channels and min(self.shapes[-1][1:]) >= 8:
            c, y, x = self.shapes[-1]
            self.shapes.append((channels << len(self.shapes) - 1, y // 2, x // 2))
        inner = self.shapes[-1]
        first = inner[0] * inner[1] * inner[2] if channels else hidden
        self.fc1 = nn.Linear(latent, first, bias=not channels)
        if not channels:
            self.fc2, self.fc3 = nn.Linear(hidden, 2 * hidden), nn.Linear(2 * hidden, C * Y * X)
        for k, (out, inn) in enumerate(zip(self.shapes, self.shapes[1:]), 1):
            self.add_module(f"norm{k}", nn.BatchNorm2d(inn[0]))
            extra = (out[1] % 2, out[2] % 2)
            self.add_module(f"conv{k}", nn.ConvTranspose2d(inn[0], out[0], 4, 2, 1, output_padding=extra, bias=k == 1))
        if classes:
            self.label = nn.Embedding(classes, first)

    def forward(self, z, labels):
        h = self.fc1(z)
        if labels is not None:
            h = h + self.label(labels)
        if len(self.shapes) == 1:
            h = self.fc3(F.leaky_relu(self.fc2(F.leaky_relu(h, 0.2)), 0.2))
        else:
            h = h.reshape(-1, *self.shapes[-1])
            for k in range(len(self.shapes) - 1, 0, -1):
                h = getattr(self, f"conv{k}")(F.relu(getattr(self, f"norm{k}")(h)))
        return torch.tanh(h).flatten(1)


class Discriminator(nn.Module):
    def __init__(self, g, hidden, classes, sn, norm):
        super().__init__()
        self.shapes = g.shapes
        C, Y, X = g.shapes[0]
        if len(g.shapes) == 1:
            self.fc1, self.fc2 = spectral(nn.Linear(C * Y * X, 2 * hidden), sn), spectral(nn.Linear(2 * hidden, hidden), sn)
            last = hidden
        else:
            last = g.shapes[-1][0] * g.shapes[-1][1] * g.shapes[-1][2]
        self.head = "fc3" if len(g.shapes) == 1 else "fc1"
        self.add_module(self.head, spectral(nn.Linear(last, 1), sn))
        for k, (out, inn) in enumerate(zip(g.shapes, g.shapes[1:]), 1):
            self.add_module(f"conv{k}", spectral(nn.Conv2d(out[0], inn[0], 4, 2, 1, bias=k == 1 or not norm), sn))
            if k > 1 and norm:
                self.add_module(f"norm{k}", nn.BatchNorm2d(inn[0]))
        if classes:
            self.label = nn.Embedding(classes, last)

    def forward(self, x, labels):
        if len(self.shapes) == 1:
            h = F.leaky_relu(self.fc2(F.leaky_relu(self.fc1(x), 0.2)), 0.2)
        else:
            h = x.reshape(-1, *self.shapes[0])
            for k in range(1, len(self.shapes)):
                h = getattr(self, f"conv{k}")(h)
                if hasattr(self, f"norm{k}"):
                    h = getattr(self, f"norm{k}")(h)
                h = F.leaky_relu(h, 0.2)
            h = h.flatten(1)
        y = getattr(self, self.head)(h)
        return y if labels is None else y + (h * self.label(labels)).sum(1, keepdim=True)


LOSSES = {"nonsaturating": (lambda l: F.softplus(-l), F.softplus, lambda l: F.softplus(-l)),
          "hinge": (lambda l: F.relu(1 - l), lambda l: F.relu(1 + l), lambda l: -l),
          "wgan-gp": (lambda l: -l, lambda l: l, lambda l: -l)}


def step(g, d, x, labels, loss, latent, seed, number, lr, lr_d, r1=0.0, penalty=0.0):
    """d_loss and g_loss; the penalties by double backward, which src/models/gan.c does without."""
    of_real, of_fake, of_fools = LOSSES[loss]
    B, stream = len(x), 256 * number
    real = (2 * x - 1).flatten(1)
    fake = g(noise(seed, stream, B, latent), labels).detach()
    extra = 0.0
    if r1 or loss == "wgan-gp":
        share = units(seed, 11, stream + 1, B)[:, None] if loss == "wgan-gp" else torch.ones(B, 1)
        at = (share * real + (1 - share) * fake).requires_grad_()
        grad, = torch.autograd.grad(d(at, labels).sum(), at, create_graph=True)
        norms = grad.norm(dim=1)
        extra = penalty * ((norms - 1)**2).mean() if loss == "wgan-gp" else r1 / 2 * (norms**2).mean()
    d_loss = of_real(d(real, labels)).mean() + of_fake(d(fake, labels)).mean()
    d.zero_grad()
    (d_loss + extra).backward()
    torch.optim.SGD(d.parameters(), lr_d).step()
    g_loss = of_fools(d(g(noise(seed, stream + (3 if r1 or loss == "wgan-gp" else 2), B, latent), labels), labels)).mean()
    g.zero_grad()
    g_loss.backward()
    torch.optim.SGD(g.parameters(), lr).step()
    return d_loss, g_loss
