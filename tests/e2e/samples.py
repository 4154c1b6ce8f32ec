"""samples.py CORPUS DATASET - images (IDX) and points as docs/formats.md draws them, read with nothing of ours, and what differs."""
import hashlib
import json
import math
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from formats import read_safetensors, same  # noqa: E402


def read_idx(data):
    rank = data[3]
    dims = struct.unpack_from(">%dI" % rank, data, 4)
    same("idx", (data[:3], len(data)), (b"\0\0\x08", 4 + 4 * rank + math.prod(dims)))
    return dims, data[4 + 4 * rank:]


def read_corpus(folder):
    """Samples in order: (bytes as the dataset has them, label or None)."""
    found, manifest, kind, shape = [], hashlib.sha256(), None, None
    for line in open(os.path.join(folder, "manifest.jsonl"), encoding="utf-8"):
        item = json.loads(line)
        data = open(os.path.join(folder, item["path"]), "rb").read()
        same("sha256", hashlib.sha256(data).hexdigest(), item["sha256"])
        rights = {key: item[key] for key in ("bytes", "sha256", "licence", "label", "documents", "kind", "split") if key in item}
        manifest.update((json.dumps(rights, ensure_ascii=False) + "\n").encode())
        kind = item["kind"]
        if kind == "image":
            dims, pixels = read_idx(data)
            y, x, c = dims[1], dims[2], dims[3] if len(dims) > 3 else 1
            shape = [c, y, x]
            for i in range(dims[0]):
                one = pixels[i * y * x * c:(i + 1) * y * x * c]
                found.append((b"".join(one[k::c] for k in range(c)), item["label"]))
        else:
            header, *rows = data.decode().split()
            labelled = header.endswith(",class")
            shape = [len(header.split(",")) - labelled]
            for row in rows:
                numbers = row.split(",")
                found.append((struct.pack("<%df" % shape[0], *map(float, numbers[:shape[0]])), numbers[-1] if labelled else None))
    return found, manifest.hexdigest(), kind, shape


def main():
    found, manifest, kind, shape = read_corpus(sys.argv[1])
    tensors, meta = read_safetensors(sys.argv[2])
    same("format", (meta["format"], meta["version"], meta["kind"]), ("tinygen-dataset", 1, kind))
    same("shape", meta["samples"]["shape"], shape)
    same("manifest_sha256", meta["provenance"]["manifest_sha256"], manifest)
    labels = [label for _, label in found if label is not None]
    names = sorted(set(labels), key=lambda n: (int(n), n) if n.isdigit() else (0, n))
    same("classes", [c["name"] for c in meta["samples"].get("classes", [])], names)
    size, got = len(found[0][0]), []
    sha = hashlib.sha256(("tinygen-dataset 1\n%s\n" % kind).encode())
    for key in ("samples", "split"):
        sha.update((json.dumps(meta[key], ensure_ascii=False) + "\n").encode())
    for split in ("train", "val", "test"):
        if split not in tensors:
            continue
        dtype, _, raw = tensors[split]
        n = meta["counts"][split]
        same("type", (dtype, len(raw)), ("U8" if kind == "image" else "F32", n * size))
        sha.update(("%s %s %d\n" % (split, dtype, n)).encode() + raw)
        classes = [None] * n
        if names:
            classes = [names[i] for i in tensors[split + ".labels"][1]]
            sha.update(("%s.labels U16 %d\n" % (split, n)).encode() + tensors[split + ".labels"][2])
        part = [(raw[i * size:(i + 1) * size], classes[i]) for i in range(n)]
        at = -1
        for sample in part:  # in the order of the corpus
            at = found.index(sample, at + 1)
        got += part
    same("content_sha256", meta["content_sha256"], sha.hexdigest())
    same("samples", sorted(got, key=repr), sorted(found, key=repr))
    for i, c in enumerate(meta["samples"].get("classes", [])):
        same("count", c["count"], tensors["train.labels"][1].count(i))
    check_figures(meta, tensors, kind, shape)


def check_figures(meta, tensors, kind, shape):
    train, of = tensors["train"], tensors["val"]
    n, size = meta["counts"]["train"], math.prod(shape)
    x, y = train[1], of[1]
    unit = 255 if kind == "image" else 1
    each = size // shape[0]
    for g in range(shape[0]):
        of_g = [x[i * size + k] / unit for i in range(n) for k in range(g * each, (g + 1) * each)]
        mean = sum(of_g) / len(of_g)
        near("mean", meta["figures"]["mean"][g], mean)
        near("deviation", meta["figures"]["deviation"][g], math.sqrt(sum((v - mean) ** 2 for v in of_g) / len(of_g)))
    nats, m = 0, len(y) // size
    for k in range(size):
        if kind == "image":
            p = (sum(x[k::size]) / 255 + 0.5) / (n + 1)
            nats -= sum(v / 255 * math.log(p) + (1 - v / 255) * math.log(1 - p) for v in y[k::size]) / m
        else:
            mean, d = meta["figures"]["mean"][k], meta["figures"]["deviation"][k]
            nats += sum(0.5 * math.log(2 * math.pi * d * d) + (v - mean) ** 2 / (2 * d * d) for v in y[k::size]) / m
    near("baseline", meta["baselines"]["pixels" if kind == "image" else "gauss"]["nats"], nats)


def near(what, got, want):
    if abs(got - want) > 1e-4 * max(1, abs(want)):
        sys.exit("%s: is %r, should be %r" % (what, got, want))


if __name__ == "__main__":
    main()
