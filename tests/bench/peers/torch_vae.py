#!/usr/bin/env python3
"""PyTorch's example VAE (784-400-20, batch 128, Adam 1e-3) on a dataset of ours: torch_vae.py x.safetensors [epochs] [threads] [seed]

Prints, epoch by epoch, -ELBO on the validation split in nats an image, one z each, and images a second of training alone; at the end
-ELBO of the test split, where there is one, with the weights of the epoch that did best on validation. With 1 thread it
wants OPENBLAS_NUM_THREADS=1, too: torch does not hold OpenBLAS to it. Beside it:
gen-train --data x.safetensors --model vae --no-labels --batch 128 --schedule constant --warmup 0 --epochs 10 --test-draws 100 -o RUN
"""
import copy
import json
import struct
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def split(path, name):
    with open(path, "rb") as f:
        length, = struct.unpack("<Q", f.read(8))
        t = json.loads(f.read(length)).get(name)
        if t is None:
            return None
        f.seek(8 + length + t["data_offsets"][0])
        data = np.frombuffer(f.read(t["data_offsets"][1] - t["data_offsets"][0]), np.uint8)
    return torch.from_numpy(data.reshape(t["shape"][0], -1).astype(np.float32) / 255)


class Vae(nn.Module):
    def __init__(self, size, hidden=400, latent=20):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(size, hidden), nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.fc3, self.fc4 = nn.Linear(latent, hidden), nn.Linear(hidden, size)

    def loss(self, x):
        h = F.relu(self.fc1(x))
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + torch.randn_like(mu) * torch.exp(logvar / 2)
        y = self.fc4(F.relu(self.fc3(z)))
        recon = F.binary_cross_entropy_with_logits(y, x, reduction="sum")
        return recon, -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())


def evaluate(net, x):
    with torch.no_grad():
        return [sum(l.item() for l in part) / len(x) for part in zip(*(net.loss(x[i:i + 250]) for i in range(0, len(x), 250)))]


def main():
    path, epochs, threads, seed = (sys.argv[1:] + ["10", "2", "1"][len(sys.argv) - 2:])[:4]
    torch.set_num_threads(int(threads))
    torch.manual_seed(int(seed))
    train, val, test = (split(path, name) for name in ("train", "val", "test"))
    net = Vae(train.shape[1])
    optim = torch.optim.Adam(net.parameters(), lr=1e-3)
    seconds, best, kept = 0, float("inf"), None
    for epoch in range(1, int(epochs) + 1):
        begin, order = time.perf_counter(), torch.randperm(len(train))
        for i in range(0, len(train), 128):
            x = train[order[i:i + 128]]
            optim.zero_grad(set_to_none=True)
            (sum(net.loss(x)) / len(x)).backward()
            optim.step()
        seconds += time.perf_counter() - begin
        recon, kl = evaluate(net, val)
        if recon + kl < best:
            best, kept = recon + kl, copy.deepcopy(net)
        print(f"epoch {epoch}  val {recon + kl:.3f}  recon {recon:.3f}  kl {kl:.3f}  {epoch * len(train) / seconds:.0f} images/s", flush=True)
    if test is not None:
        recon, kl = evaluate(kept, test)
        print(f"test {recon + kl:.3f}  recon {recon:.3f}  kl {kl:.3f}")


main()
