"""formats.py CORPUS DATASET - reads both as docs/formats.md draws them, with nothing of ours, and says what differs."""
import hashlib
import json
import math
import os
import struct
import sys
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from xxh64 import xxh64  # noqa: E402


def same(what, got, want):
    if got != want:
        sys.exit("%s: is %.200r, should be %.200r" % (what, got, want))


def read_corpus(folder):
    text, manifest, items = b"", hashlib.sha256(), []
    for line in open(os.path.join(folder, "manifest.jsonl"), encoding="utf-8"):
        item = json.loads(line)
        data = open(os.path.join(folder, item["path"]), "rb").read()
        same("bytes", len(data), item["bytes"])
        same("sha256", hashlib.sha256(data).hexdigest(), item["sha256"])
        rights = {key: item[key] for key in ("bytes", "sha256", "licence", "label", "documents") if key in item}
        manifest.update((json.dumps(rights, ensure_ascii=False) + "\n").encode())
        if text and not text.endswith(b"\n"):
            text += b"\n"
        text += data
        items.append({key: item[key] for key in ("origin", "licence", "label", "bytes", "sha256")})
    return text, manifest.hexdigest(), items


def read_safetensors(path):
    data = open(path, "rb").read()
    (n,) = struct.unpack_from("<Q", data)
    header = data[8:8 + n]
    same("padding", n % 8, 0)
    listed = json.loads(header)
    metadata = listed.pop("__metadata__")
    digits = metadata["xxh64.header"].encode()
    begin = b'{"__metadata__": {"xxh64.header": "'
    same("begin", header[:len(begin) + 16], begin + digits)
    same("xxh64.header", xxh64(begin + b"0" * 16 + header[len(begin) + 16:]), digits.decode())
    hashes, tensors, at = json.loads(metadata["xxh64"]), {}, 0
    for name, entry in listed.items():
        first, last = entry["data_offsets"]
        same("offset", first, at)
        at = last
        raw = data[8 + n + first:8 + n + last]
        same("xxh64 of " + name, xxh64(raw), hashes.pop(name))
        letter = {"U8": "B", "U16": "H", "U32": "I", "F32": "f"}[entry["dtype"]]
        ids = struct.unpack("<%d%s" % (math.prod(entry["shape"]), letter), raw)
        tensors[name] = entry["dtype"], ids, raw
    same("hashes", hashes, {})
    same("length", len(data), 8 + n + at)
    return tensors, json.loads(metadata["tinygen"])


def check_baselines(meta, tensors, vocab):
    train, of = tensors["train"][1], tensors["val"][1]
    counts = Counter(train)
    nats = -sum(math.log((counts[i] + 1) / (len(train) + vocab)) for i in of) / len(of)
    for name, want in (("uniform", math.log(vocab)), ("unigram", nats)):
        got = meta["baselines"][name]
        if abs(got["nats"] - want) > 1e-5 or abs(got["bits"] - want / math.log(2)) > 1e-5:
            sys.exit("baseline %s: is %r, should be %r nats" % (name, got, want))


def check_content(meta, tensors):
    sha = hashlib.sha256()
    sha.update(b"tinygen-dataset 1\ntext\n")
    for key in ("tokenizer", "split"):
        sha.update((json.dumps(meta[key], ensure_ascii=False) + "\n").encode())
    for name in ("train", "val", "test"):
        if name in tensors:
            dtype, ids, raw = tensors[name]
            sha.update(("%s %s %d\n" % (name, dtype, len(ids))).encode() + raw)
    same("content_sha256", meta["content_sha256"], sha.hexdigest())


def main():
    text, manifest, items = read_corpus(sys.argv[1])
    tensors, meta = read_safetensors(sys.argv[2])
    same("format", (meta["format"], meta["version"], meta["kind"]), ("tinygen-dataset", 1, "text"))
    tokenizer = meta["tokenizer"]
    if tokenizer["kind"] == "char":
        vocab = [c.encode() for c in tokenizer["chars"]]
        same("chars", tokenizer["chars"], "".join(sorted(set(text.decode()))))
    else:
        vocab = [bytes([i]) for i in range(256)]
    pieces = {}
    for split in ("train", "val", "test"):
        ids = tensors[split][1] if split in tensors else ()
        pieces[split] = b"".join(vocab[i] for i in ids)
        same("counts", meta["counts"][split], len(ids))
        same("bytes", meta["bytes"][split], len(pieces[split]))
        same("chars", meta["chars"][split], sum(byte & 0xC0 != 0x80 for byte in pieces[split]))
        if split in tensors:
            same("dtype", tensors[split][0], "U8" if len(vocab) <= 256 else "U16" if len(vocab) <= 65536 else "U32")
    same("text", b"".join(pieces.values()), text)
    total, rule = sum(meta["counts"].values()), meta["split"]
    same("rule", rule["rule"], "position")
    same("train", meta["counts"]["train"], math.floor((1 - rule["val"] - rule["test"]) * total + 1e-6))
    same("manifest_sha256", meta["provenance"]["manifest_sha256"], manifest)
    same("items", meta["provenance"]["items"], items)
    check_baselines(meta, tensors, len(vocab))
    check_content(meta, tensors)


if __name__ == "__main__":
    main()
