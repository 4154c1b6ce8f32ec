#!/usr/bin/env python3
"""Makes the expected values beside this script anew: python3 tests/golden/make.py   (wants torch and numpy)

What PyTorch computes in double precision from inputs that are exact in float32, stored as float32. The same bytes for
the same PyTorch; other versions may differ in the last digit.
"""
import json
import os
import struct

import numpy as np
import torch
from torch import nn

import gan as adversaries
from transformer import Transformer
from vae import Vae, noise

HERE = os.path.dirname(os.path.abspath(__file__))


def save(name, tensors):
    """The safetensors format: length of the header (8 bytes), header (JSON, padded to 8), data."""
    header, parts, at = {"__metadata__": {"made_by": "tests/golden/make.py"}}, [], 0
    for key, value in tensors.items():
        x = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        x = x.astype("<i4" if x.dtype.kind == "i" else "<f4")
        data = x.tobytes()
        header[key] = {"dtype": "I32" if x.dtype.kind == "i" else "F32", "shape": list(x.shape),
                       "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, name + ".safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def exact(rng, *shape, scale=1.0):
    """Normal numbers that float32 holds exactly, as doubles."""
    return torch.from_numpy(np.asarray(rng.standard_normal(shape) * scale).astype(np.float32).astype(np.float64))


class Net(nn.Module):
    V, D, H, L = 7, 5, 6, 2

    def __init__(self, kind):
        super().__init__()
        self.embedding = nn.Embedding(self.V, self.D)
        make = {"rnn_tanh": lambda **k: nn.RNN(nonlinearity="tanh", **k),
                "rnn_relu": lambda **k: nn.RNN(nonlinearity="relu", **k), "lstm": nn.LSTM, "gru": nn.GRU}[kind]
        self.rnn = make(input_size=self.D, hidden_size=self.H, num_layers=self.L)
        self.head = nn.Linear(self.H, self.V)


def recurrent(kind, seed):
    rng = np.random.default_rng(seed)
    T, B = 5, 3
    net = Net(kind).double()
    for p in net.parameters():
        p.data = exact(rng, *p.shape, scale=0.5)
    out = {"tokens": rng.integers(0, net.V, (T, B)), "targets": rng.integers(0, net.V, (T, B))}
    out["targets"][1, 2] = -1
    out["h_0"] = exact(rng, net.L, B, net.H, scale=0.5)
    state = out["h_0"]
    if kind == "lstm":
        out["c_0"] = exact(rng, net.L, B, net.H, scale=0.5)
        state = (out["h_0"], out["c_0"])
    for name, p in net.named_parameters():
        out[name] = p
    y, last = net.rnn(net.embedding(torch.from_numpy(out["tokens"])), state)
    loss = nn.functional.cross_entropy(net.head(y).flatten(0, 1), torch.from_numpy(out["targets"]).flatten(),
                                       ignore_index=-1)
    loss.backward()
    out["logits"] = net.head(y)
    out["h_n"] = last[0] if kind == "lstm" else last
    if kind == "lstm":
        out["c_n"] = last[1]
    out["loss"] = loss.reshape(1)
    for name, p in net.named_parameters():
        out["grad." + name] = p.grad
    save("recurrent_" + kind, out)


# What the C test makes of the same settings stands in tests/unit/golden/transformer.c.
TRANSFORMERS = {
    "gpt2": {"norm": "layer", "pos": "learned", "act": "gelu", "bias": True, "tie": True, "heads": 2, "kv_heads": 0, "dim": 12},
    "llama": {"norm": "rms", "pos": "rope", "act": "swiglu", "bias": False, "tie": False, "heads": 4, "kv_heads": 2, "dim": 16},
}


def transformer(kind, seed):
    rng = np.random.default_rng(seed)
    V, T, B = 11, 9, 3
    net = Transformer(V, dict(TRANSFORMERS[kind], layers=2, context=T + 2, ffn=20, theta=100.0, qk_norm=False)).double()
    for name, p in net.named_parameters():
        p.data = exact(rng, *p.shape, scale=0.5) + (1 if "norm" in name and name.endswith("weight") else 0)
        p.data = p.data.float().double()
    out = {"tokens": rng.integers(0, V, (T, B)), "targets": rng.integers(0, V, (T, B))}
    out["targets"][1, 2] = -1
    for name, p in net.named_parameters():
        out[name] = p
    logits = net(torch.from_numpy(out["tokens"]).T).transpose(0, 1)  # ours are time-major
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(out["targets"]).flatten(), ignore_index=-1)
    loss.backward()
    out["logits"], out["loss"] = logits.contiguous(), loss.reshape(1)
    for name, p in net.named_parameters():
        out["grad." + name] = p.grad
    save("transformer_" + kind, out)


def optimisers():
    """Ten steps of each; what the C test repeats stands in tests/unit/golden/optim.c."""
    steps, n = 10, 21
    kinds = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
        "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
        "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.01),
        "adam": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1),
    }
    rng = np.random.default_rng(11)
    out = {"start": exact(rng, n), "gradients": exact(rng, steps, n)}
    for name, make in kinds.items():
        w = nn.Parameter(out["start"].clone())
        optimiser, path = make([w]), []
        for step in range(steps):
            w.grad = out["gradients"][step].clone()
            optimiser.step()
            path.append(w.detach().clone())
        out[name] = torch.stack(path)
    save("optim", out)


def lora():
    """AdamW on both sides of an adapter, W = W0 + alpha / rank B A (Hu et al. 2021), of loss |x W' - y|^2 / 2; lora.c in tests/unit/golden."""
    rng, rank, alpha = np.random.default_rng(13), 2, 5
    out = {"x": exact(rng, 6, 7), "y": exact(rng, 6, 9), "w0": exact(rng, 9, 7), "a0": exact(rng, rank, 7), "b0": exact(rng, 9, rank)}
    a, b = (nn.Parameter(out[k].clone()) for k in ("a0", "b0"))
    optimiser, path = torch.optim.AdamW([a, b], lr=0.05, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1), []
    for step in range(5):
        w = out["w0"] + alpha / rank * b @ a
        optimiser.zero_grad()
        (0.5 * ((out["x"] @ w.T - out["y"]) ** 2).sum()).backward()
        if step == 0:
            out["grad.a"], out["grad.b"] = a.grad.clone(), b.grad.clone()
        optimiser.step()
        path.append(out["w0"] + alpha / rank * (b @ a).detach())
    out["w"] = torch.stack(path)
    save("lora", out)


def ops():
    rng = np.random.default_rng(12)
    x, g, b, dy = exact(rng, 4, 7, scale=2), exact(rng, 7), exact(rng, 7), exact(rng, 4, 7)
    for t in (x, g, b):
        t.requires_grad_()
    y = nn.functional.layer_norm(x, (7,), g, b, eps=1e-5)
    y.backward(dy)
    out = {"norm.x": x, "norm.g": g, "norm.b": b, "norm.y": y, "norm.dy": dy, "norm.dx": x.grad, "norm.dg": g.grad,
           "norm.db": b.grad}
    logits = exact(rng, 6, 9, scale=3).requires_grad_()
    targets = np.array([3, -1, 0, 8, -1, 5])
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(targets), ignore_index=-1)
    loss.backward()
    out.update({"loss.logits": logits, "loss.targets": targets, "loss.loss": loss.reshape(1), "loss.dlogits": logits.grad})
    save("ops", out)


def case(out, rng, name, fn, **inputs):
    """y = fn(inputs) and the gradients of sum(y·dy); those whose name begins with _ are constants."""
    for key, x in inputs.items():
        x.requires_grad_(not key.startswith("_"))
    y = fn(*inputs.values())
    dy = exact(rng, *y.shape)
    y.backward(dy)
    out[name + ".y"], out[name + ".dy"] = y.contiguous(), dy
    for key, x in inputs.items():
        out[name + "." + key.lstrip("_")] = x
        if x.grad is not None:
            out[name + ".d" + key] = x.grad.contiguous()


def convolutions():
    """The settings that the C test repeats stand in tests/unit/golden/images.c."""
    rng, out, f = np.random.default_rng(31), {}, nn.functional
    image = lambda b, c, n: exact(rng, b, c, n, n)
    case(out, rng, "down", lambda x, w, b: f.conv2d(x, w, b, stride=2, padding=1), x=image(3, 2, 14),
         w=exact(rng, 5, 2, 4, 4), b=exact(rng, 5))
    case(out, rng, "dilated", lambda x, w, b: f.conv2d(x, w, b, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
         x=image(2, 3, 7), w=exact(rng, 4, 3, 3, 2), b=exact(rng, 4))
    case(out, rng, "causal", lambda x, w, b: f.conv1d(f.pad(x, (4, 0)), w, b, dilation=2), x=exact(rng, 2, 3, 11),
         w=exact(rng, 4, 3, 3), b=exact(rng, 4))
    case(out, rng, "up", lambda x, w, b: f.conv_transpose2d(x, w, b, stride=2, padding=1), x=image(3, 5, 7),
         w=exact(rng, 5, 2, 4, 4), b=exact(rng, 2))
    case(out, rng, "up_more", lambda x, w, b: f.conv_transpose2d(x, w, b, stride=3, padding=1, output_padding=2, dilation=2),
         x=image(2, 3, 4), w=exact(rng, 3, 2, 3, 3), b=exact(rng, 2))
    save("convolutions", out)


def channel_norms():
    rng, out, f = np.random.default_rng(32), {}, nn.functional
    for name, shape in ("batch", (4, 3, 5, 5)), ("batch_rows", (6, 19)):
        mean, var = exact(rng, shape[1]), exact(rng, shape[1]).abs() + 0.5
        var = var.float().double()
        out[name + ".running_mean"], out[name + ".running_var"] = mean.clone(), var.clone()
        case(out, rng, name, lambda x, g, b: f.batch_norm(x, mean, var, g, b, training=True, momentum=0.1, eps=1e-5),
             x=exact(rng, *shape) + 1, g=exact(rng, shape[1]), b=exact(rng, shape[1]))
        out[name + ".mean_after"], out[name + ".var_after"] = mean, var
        out[name + ".eval"] = f.batch_norm(out[name + ".x"], mean, var, out[name + ".g"], out[name + ".b"], eps=1e-5)
    case(out, rng, "group", lambda x, g, b: f.group_norm(x, 2, g, b), x=exact(rng, 3, 6, 4, 5) + 1, g=exact(rng, 6),
         b=exact(rng, 6))
    case(out, rng, "instance", lambda x: f.instance_norm(x), x=exact(rng, 2, 3, 4, 5) + 1)
    save("channel_norms", out)


def activations():
    rng, out, f = np.random.default_rng(33), {}, nn.functional
    kinds = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "leaky": lambda x: f.leaky_relu(x, 0.2),
             "silu": f.silu, "softplus": f.softplus}
    for name, fn in kinds.items():
        case(out, rng, name, fn, x=exact(rng, 5, 19, scale=3))
    case(out, rng, "average", lambda x: f.avg_pool2d(x, (2, 3)), x=exact(rng, 2, 3, 4, 6))
    case(out, rng, "global", lambda x: f.adaptive_avg_pool2d(x, 1), x=exact(rng, 2, 3, 4, 6))
    case(out, rng, "most", lambda x: f.max_pool2d(x, 2), x=exact(rng, 2, 3, 4, 6))
    case(out, rng, "nearest", lambda x: f.interpolate(x, scale_factor=2, mode="nearest"), x=exact(rng, 2, 3, 4, 3))
    save("activations", out)


def discretised(mean, log_scale, x):
    """Equation 2 of arXiv:1701.05517 in units of x; sigmoids on the side of the mean where their difference keeps its digits."""
    s, one = torch.exp(log_scale), torch.ones_like(x)
    side = torch.where(x < mean, one, -one)
    high, low = (x + 0.5 / 255 - mean) / s, (x - 0.5 / 255 - mean) / s
    inside = side * (torch.sigmoid(side * high) - torch.sigmoid(side * low))
    p = torch.where(x > 254.5 / 255, torch.sigmoid(-low), torch.where(x < 0.5 / 255, torch.sigmoid(high), inside))
    return -torch.log(p).sum() / x.shape[0]


def likelihoods():
    rng, out, f = np.random.default_rng(34), {}, nn.functional
    draw = lambda scale=1.0: exact(rng, 5, 19, scale=scale)
    unit = lambda: torch.from_numpy(rng.random((5, 19), dtype=np.float32).astype(np.float64))
    levels = torch.from_numpy((rng.integers(0, 256, (5, 19)) / 255).astype(np.float32).astype(np.float64))
    levels[0, :4], levels[1, :4] = 0, 1
    case(out, rng, "bce", lambda l, x: f.binary_cross_entropy_with_logits(l, x, reduction="sum") / 5, l=draw(6), _x=unit())
    case(out, rng, "gauss", lambda m, v, x: f.gaussian_nll_loss(m, x, torch.exp(v), full=True, reduction="sum") / 5, m=draw(),
         v=draw(), _x=unit())
    fixed = lambda m, x: f.gaussian_nll_loss(m, x, torch.full_like(x, np.exp(-1.5)), full=True, reduction="sum") / 5
    case(out, rng, "fixed", fixed, m=draw(), _x=unit())
    case(out, rng, "logistic", discretised, m=unit(), v=draw() - 3, _x=levels)
    wide, narrow = draw() * 0 + 2.5, draw() * 0 - 6
    case(out, rng, "logistic_wide", discretised, m=unit(), v=wide, _x=levels.clone())
    case(out, rng, "logistic_narrow", discretised, m=(levels + draw(0.005)).float().double(), v=narrow, _x=levels.clone())
    case(out, rng, "kl", lambda m, v: torch.distributions.kl_divergence(
        torch.distributions.Normal(m, torch.exp(v / 2)), torch.distributions.Normal(0.0, 1.0)).sum() / 5, m=draw(2), v=draw(2))
    for side, target, sign in ("real", 1.0, -1), ("fake", 0.0, 1):
        case(out, rng, "gan_" + side, lambda l: f.binary_cross_entropy_with_logits(l, torch.full_like(l, target)), l=draw(3))
        case(out, rng, "hinge_" + side, lambda l: f.relu(1 + sign * l).mean(), l=draw(3))
    save("likelihoods", out)


class Critic(nn.Module):
    """Smooth and bent activations, as tests/unit/golden/penalty.c records it."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(2, 4, 4, 2, 1), nn.Conv2d(4, 3, 3, 1, 1)
        self.three, self.four = nn.Linear(3 * 3 * 3, 5), nn.Linear(5, 1)

    def forward(self, x):
        h = nn.functional.leaky_relu(self.one(x), 0.2)
        h = nn.functional.silu(self.two(h))
        return self.four(torch.tanh(self.three(h.flatten(1))))


def penalties():
    """R1: mean over examples of |dD/dx|²/2; WGAN-GP: mean of (|dD/dx| - 1)². By PyTorch's double backward."""
    rng, out, net = np.random.default_rng(35), {}, Critic().double()
    for name, p in net.named_parameters():
        p.data = exact(rng, *p.shape, scale=0.4)
        out[name] = p
    x = exact(rng, 3, 2, 6, 6).requires_grad_()
    out["x"] = x
    g, = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    norm = g.flatten(1).norm(dim=1)
    for name, loss in ("r1", (norm ** 2 / 2).mean()), ("gp", ((norm - 1) ** 2).mean()):
        net.zero_grad()
        loss.backward(retain_graph=True)
        out[name + ".loss"] = loss.reshape(1)
        for key, p in net.named_parameters():
            if p.grad is not None and not key == "four.bias":
                out[name + "." + key] = p.grad.clone()
    out["g"] = g
    save("penalties", out)


def spectral():
    rng, out = np.random.default_rng(36), {}
    layer = torch.nn.utils.spectral_norm(nn.Conv2d(3, 5, 3, bias=False).double())
    with torch.no_grad():
        for p in layer.weight_orig, layer.weight_u, layer.weight_v:
            p.copy_(exact(rng, *p.shape))
    out["u"], out["v"] = layer.weight_u.clone(), layer.weight_v.clone()
    x, dy = exact(rng, 1, 3, 3, 3), exact(rng, 1, 5, 1, 1)
    layer(x).backward(dy)
    out.update({"w": layer.weight_orig, "w_sn": layer.weight, "u_after": layer.weight_u, "v_after": layer.weight_v, "x": x,
                "dy": dy, "dw": layer.weight_orig.grad})
    save("spectral", out)


def vae(name, seed, beta, draws=1, **shape):
    """A whole step of training: losses, gradients, and the weights behind Adam's update."""
    rng, out = np.random.default_rng(seed), {}
    net = Vae(**shape).double()
    for p in net.parameters():
        p.data = exact(rng, *p.shape, scale=0.4) if p.numel() > 1 else p.data.float().double()
    B = 5
    x, eps = torch.from_numpy(rng.integers(0, 256, (B, *shape["shape"])).astype(np.float32) / np.float32(255)).double(), noise(3, 11, draws, B, shape["latent"])
    labels = torch.from_numpy(rng.integers(0, shape["classes"], B)) if "classes" in shape else None
    out.update({"x": x, **({} if labels is None else {"labels": labels})})
    out.update({"w." + key: p.clone() for key, p in net.named_parameters()})
    optim = torch.optim.Adam(net.parameters(), lr=1e-2)
    if draws > 1:
        recon, kl, loss = net.draws(x, eps, labels)
    else:
        recon, kl = net.losses(x, eps[0], labels)
        loss = recon + beta * kl
    loss.backward()
    out.update({"g." + key: p.grad.clone() for key, p in net.named_parameters()})
    optim.step()
    out.update({"after." + key: p.clone() for key, p in net.named_parameters()})
    out.update({"recon": recon.reshape(1), "kl": kl.reshape(1), "loss": loss.reshape(1)})
    save(name, out)


def gan(name, seed, shape, latent, hidden=0, channels=0, classes=0, loss="hinge", spectral=False, **penalty):
    """A whole step in turns: losses, and all weights and buffers behind both updates."""
    rng, out = np.random.default_rng(seed), {}
    g = adversaries.Generator(shape, latent, hidden, channels, classes).double()
    d = adversaries.Discriminator(g, hidden, classes, spectral, not spectral and not penalty).double()
    with torch.no_grad():
        for key, p in [*g.state_dict().items(), *d.state_dict().items()]:
            if p.dtype == torch.float64 and "running" not in key:
                p.copy_(exact(rng, *p.shape, scale=0.3) + (1.0 if "norm" in key and "weight" in key else 0.0))
    B = 6
    x = torch.from_numpy(rng.integers(0, 256, (B, *shape)).astype(np.float32) / np.float32(255)).double()
    labels = torch.from_numpy(rng.integers(0, classes, B)) if classes else None
    out.update({"x": x, **({} if labels is None else {"labels": labels})})
    kept = lambda: {side + key: p.clone() for side, net in (("g.", g), ("d.", d)) for key, p in net.state_dict().items()
                    if p.dtype == torch.float64}
    out.update({"w." + key: p for key, p in kept().items()})
    d_loss, g_loss = adversaries.step(g, d, x, labels, loss, latent, 3, 11, 0.5, 0.25, **penalty)
    out.update({"after." + key: p for key, p in kept().items()})
    out.update({"d_loss": d_loss.reshape(1), "g_loss": g_loss.reshape(1)})
    save(name, out)


for i, k in enumerate(["rnn_tanh", "rnn_relu", "lstm", "gru"]):
    recurrent(k, i + 1)
for i, k in enumerate(TRANSFORMERS):
    transformer(k, i + 21)
optimisers()
lora()
ops()
convolutions()
channel_norms()
activations()
likelihoods()
penalties()
spectral()
vae("vae_mlp", 41, 1, shape=(1, 3, 4), hidden=7, latent=3)
vae("vae_conv", 42, 0.5, shape=(3, 6, 5), hidden=6, latent=2, channels=2, classes=3, likelihood="gaussian")
vae("vae_draws", 43, 1, draws=4, shape=(1, 3, 4), hidden=7, latent=3, layers=3, act="tanh")
vae("vae_draws_conv", 44, 1, draws=3, shape=(3, 6, 5), hidden=6, latent=2, channels=2, classes=3, likelihood="gaussian", layers=2, act="silu")
gan("gan_dcgan", 51, (3, 17, 16), 3, channels=2, classes=3, loss="nonsaturating")
gan("gan_spectral", 52, (1, 8, 9), 2, channels=3, classes=2, spectral=True)
gan("gan_r1", 53, (1, 8, 8), 2, channels=3, classes=3, r1=2.0)
gan("gan_wgan", 54, (1, 3, 4), 2, hidden=3, loss="wgan-gp", penalty=10.0)
