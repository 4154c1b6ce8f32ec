#!/usr/bin/env python3
"""tasks.py RUN DATASET.safetensors [COUNT] - exact match on the validation documents of synth:tasks, of each kind apart.

Each prompt is a validation document up to its "="; no training document has it (or it is left out and said). gen-sample
goes on from it at temperature 0; right is only the whole answer and then the document's end. COUNT: as many of each kind
(default 200), the first in the data set's order. Standard library only; gen-sample is taken from PATH.
"""
import json
import struct
import subprocess
import sys

KINDS = ("copy", "reverse", "add")


def documents(path):
    """Texts of the splits train and val, which are documents of characters."""
    with open(path, "rb") as f:
        raw = f.read()
    n = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + n])
    chars = json.loads(head["__metadata__"]["tinygen"])["tokenizer"]["chars"]
    for split in ("train", "val"):
        at, to = head[split]["data_offsets"]
        text = "".join(chars[i] if i < len(chars) else "\n" for i in raw[8 + n + at:8 + n + to])  # start and end come last
        yield [line for line in text.split("\n") if "=" in line]


def kind_of(document):
    return document.split(" ")[0] if " " in document else "add"


def answer_of(run, prompt):
    out = subprocess.run(["gen-sample", run, "--prompt", prompt, "--temperature", "0", "--length", "12", "--format", "jsonl"],
                         check=True, capture_output=True).stdout
    sample = json.loads(out)
    return sample["text"] if sample["stopped"] == "end" else None


def main(argv):
    if len(argv) not in (3, 4):
        sys.exit(__doc__)
    most = int(argv[3]) if len(argv) == 4 else 200
    train, val = documents(argv[2])
    seen = {d.split("=")[0] for d in train}
    unseen = [d for d in dict.fromkeys(val) if d.split("=")[0] not in seen]
    print("%d of %d validation prompts are in no training document" % (len(unseen), len(val)))
    for kind in KINDS:
        asked = [d.split("=") for d in unseen if kind_of(d) == kind][:most]
        right = sum(answer_of(argv[1], prompt + "=") == answer for prompt, answer in asked)
        if asked:
            print("%s %d/%d %.1f %%" % (kind, right, len(asked), 100 * right / len(asked)))


main(sys.argv)
