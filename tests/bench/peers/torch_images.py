"""torch_images.py vae|mlp|dcgan THREADS - PyTorch's training step of an image model behind a pipe.

Says "ready", then answers each line with images a second over a second of steps, one at least. vae: PyTorch's example, 784-400-20,
batch 128, Adam. mlp: G 100-256-512-784, D 784-512-256-1, batch 128; dcgan: G 100 to 128 x 7 x 7 to 64 x 14 x 14 to 28 x 28 with batch norm,
D its mirror, batch 64; both leaky ReLU, Adam 2e-4 (0.5, 0.999), one update of D on real and generated images, one of G."""
import sys

import torch
from torch import nn
from torch.nn import functional as F

from pipe import answer

kind, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
torch.set_flush_denormal(True)
torch.manual_seed(1)
batch = 64 if kind == "dcgan" else 128


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.fc3, self.fc4 = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x):
        h = F.relu(self.fc1(x))
        mu, logvar = self.fc21(h), self.fc22(h)
        y = self.fc4(F.relu(self.fc3(mu + torch.randn_like(mu) * torch.exp(logvar / 2))))
        return (F.binary_cross_entropy_with_logits(y, x, reduction="sum") - 0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())) / len(x)


def leaky():
    return nn.LeakyReLU(0.2)


if kind == "vae":
    net, x = Vae(), torch.rand(batch, 784)
    adam = torch.optim.Adam(net.parameters(), 1e-3)
elif kind == "mlp":
    G = nn.Sequential(nn.Linear(100, 256), leaky(), nn.Linear(256, 512), leaky(), nn.Linear(512, 784), nn.Tanh())
    D = nn.Sequential(nn.Linear(784, 512), leaky(), nn.Linear(512, 256), leaky(), nn.Linear(256, 1))
    x = torch.rand(batch, 784) * 2 - 1
else:
    G = nn.Sequential(nn.Linear(100, 128 * 49, bias=False), nn.Unflatten(1, (128, 7, 7)), nn.BatchNorm2d(128), nn.ReLU(),
                      nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
                      nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh())
    D = nn.Sequential(nn.Conv2d(1, 64, 4, 2, 1), leaky(), nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), leaky(),
                      nn.Flatten(), nn.Linear(128 * 49, 1))
    x = torch.rand(batch, 1, 28, 28) * 2 - 1
if kind != "vae":
    of_g, of_d = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (G, D))


def step():
    if kind == "vae":
        adam.zero_grad(set_to_none=True)
        net(x).backward()
        adam.step()
        return
    fake = G(torch.randn(batch, 100))
    of_d.zero_grad(set_to_none=True)
    (F.softplus(-D(x)).mean() + F.softplus(D(fake.detach())).mean()).backward()
    of_d.step()
    of_g.zero_grad(set_to_none=True)
    F.softplus(-D(fake)).mean().backward()
    of_g.step()


answer(step, batch)
