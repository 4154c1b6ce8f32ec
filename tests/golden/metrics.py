#!/usr/bin/env python3
"""Makes metrics.safetensors and judges.safetensors beside this script anew:

    python3 tests/golden/metrics.py DATA      (wants numpy, scipy, scikit-learn; DATA/image/digits_8x8 holds optdigits.tra and .tes)

What scikit-learn, SciPy and plain NumPy make of small sets in double precision, for src/run/metrics and src/models/judges. The judges'
accuracies on digits are scikit-learn's with its defaults, trained on all of optdigits.tra and tested on all of optdigits.tes; that of
the tree, which breaks ties by chance, is the mean of ten.
"""
import json
import os
import struct
import sys
import warnings

import numpy as np
from scipy import linalg, stats
from scipy.spatial.distance import cdist, pdist
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from xxh64 import xxh64  # noqa: E402


def save(name, tensors):
    """The safetensors format: length of the header (8 bytes), header (JSON, padded to 8), data."""
    header, parts, at = {"__metadata__": {"made_by": "tests/golden/metrics.py"}}, [], 0
    for key, value in tensors.items():
        x = np.asarray(value)
        x = x.astype("<i4" if x.dtype.kind in "iub" else "<f4")
        header[key] = {"dtype": "I32" if x.dtype.kind == "i" else "F32", "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        parts.append(x.tobytes())
        at += x.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, name + ".safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def exact(x):
    """The doubles of what float32 holds."""
    return np.asarray(x, np.float32).astype(np.float64)


# ---- distances -------------------------------------------------------------------------------------------------------------


def frechet(a, b):
    A, B = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(A + B - 2 * linalg.sqrtm(A @ B).real)


def unbiased(aa, bb, ab):
    n, m = ab.shape
    return (aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1)) - 2 * ab.mean()


def kid(a, b):
    k = lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3
    return unbiased(k(a, a), k(b, b), k(a, b))


def mmd(a, b, rng):
    both, n = np.concatenate([a, b]), len(a)
    width = np.median(pdist(both))
    k = np.exp(-cdist(both, both, "sqeuclidean") / (2 * width**2))
    of = lambda i, j: unbiased(k[np.ix_(i, i)], k[np.ix_(j, j)], k[np.ix_(i, j)])
    got = of(np.arange(n), np.arange(n, len(both)))
    more = [of(p[:n], p[n:]) >= got for p in (rng.permutation(len(both)) for _ in range(4000))]
    return got, width, (1 + sum(more)) / 4001


def manifold(real, made):
    def radius(x, k):
        return np.sort(cdist(x, x), axis=1)[:, k]  # place 0 is itself

    d = cdist(real, made)
    inside = d <= radius(real, 5)[:, None]
    return ((d <= radius(real, 3)[:, None]).any(0).mean(), (d <= radius(made, 3)).any(1).mean(), inside.sum(0).mean() / 5,
            inside.any(1).mean())


def nearest(real, made):
    n = min(len(real), len(made))
    both, side = np.concatenate([real[:n], made[:n]]), np.repeat([0, 1], n)
    index = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(both).kneighbors(both)[1][:, 1]
    same = side[index] == side
    return same.mean(), same[:n].mean(), same[n:].mean()


# ---- intervals -------------------------------------------------------------------------------------------------------------

def bootstrap(x, draws, rng):
    means = x[rng.integers(0, len(x), (draws, len(x)))].mean(1)
    return np.percentile(means, [2.5, 97.5])


def modes(x):
    """8gaussians: radius 2, deviation 0.02."""
    angle = 2 * np.pi * np.arange(8) / 8
    d = cdist(x, np.stack([2 * np.cos(angle), 2 * np.sin(angle)], 1))
    near = d.min(1) <= 0.06
    counts = np.bincount(d.argmin(1)[near], minlength=8)
    share = counts[counts > 0] / counts.sum()
    return (counts >= max(1, len(x) // 160)).sum(), (counts > 0).sum(), near.mean(), (share * np.log(share * 8)).sum()


def ngrams(text, characters, most, d):
    bins, text = np.zeros(d), text[:characters]
    all_of = [[text[i:i + n] for i in range(len(text) - n + 1)] for n in range(1, most + 1)]
    for gram in sum(all_of, []):
        bins[int(xxh64(gram.encode()), 16) % d] += 1
    return np.concatenate([np.log1p(bins), [len(set(grams)) for grams in all_of]])


# ---- judges ----------------------------------------------------------------------------------------------------------------


def judges_small(rng):
    """Three classes of five numbers of unlike units, 90 to learn and 40 to judge."""
    y = rng.integers(0, 3, 130)
    x = exact((rng.standard_normal((130, 5)) + rng.standard_normal((3, 5))[y] * 1.2) * [1, 100, 0.01, 3, 1] + [0, 5, 1, 0, 7])
    scale = StandardScaler().fit(x[:90])
    X, T = scale.transform(x[:90]), scale.transform(x[90:])
    logistic = LogisticRegression(tol=1e-10, max_iter=100000).fit(X, y[:90])
    svm = LinearSVC(tol=1e-10, max_iter=1000000).fit(X, y[:90])
    two = LinearSVC(tol=1e-10, max_iter=1000000).fit(X, y[:90] == 1)
    tree = DecisionTreeClassifier(random_state=0).fit(x[:90], y[:90])
    return {"x": x, "y": y, "logistic": logistic.predict_proba(T), "svm": svm.decision_function(T), "svm_two": two.decision_function(T),
            "tree": tree.predict(x[90:]), "tree_learned": tree.predict(x[:90])}


def judges_digits(folder):
    a, b = (np.loadtxt(os.path.join(folder, "image/digits_8x8/optdigits." + end), delimiter=",") for end in ("tra", "tes"))
    scale = StandardScaler().fit(a[:, :-1])
    X, T = scale.transform(a[:, :-1]), scale.transform(b[:, :-1])
    tree = [DecisionTreeClassifier(random_state=k).fit(X, a[:, -1]).score(T, b[:, -1]) for k in range(10)]
    return {"digits": [LogisticRegression(max_iter=2000).fit(X, a[:, -1]).score(T, b[:, -1]), np.mean(tree),
                       LinearSVC(max_iter=20000, random_state=0).fit(X, a[:, -1]).score(T, b[:, -1])]}


def main():
    warnings.filterwarnings("ignore")
    rng = np.random.default_rng(8)
    real = exact(rng.standard_normal((60, 6)) @ rng.standard_normal((6, 6)) + 3)
    made = exact(real[rng.permutation(60)[:50]] * 0.8 + rng.standard_normal((50, 6)) * 0.7 + 1.8)
    like = exact(real[rng.integers(0, 60, 55)] + 0.05 * rng.standard_normal((55, 6)))
    out = {"real": real, "made": made, "like": like}
    for name, x in (("made", made), ("like", like)):
        distance, index = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(real).kneighbors(x)
        out.update({name + ".frechet": [frechet(real, x)], name + ".kid": [kid(real, x)], name + ".mmd": mmd(real, x, rng),
                    name + ".manifold": manifold(real, x), name + ".nearest": nearest(real, x), name + ".index": index,
                    name + ".distance": distance})
    flat = exact(np.concatenate([rng.standard_normal((12, 7)), rng.standard_normal((12, 7)) * 0], 1) @ rng.standard_normal((14, 14)))
    out.update({"flat": flat, "flat.frechet": [frechet(flat[:5], flat[5:])]})  # 14 numbers of 5 and of 7 examples: no full rank
    matrix = exact(np.cov(real, rowvar=False))
    out.update({"matrix": matrix, "matrix.values": np.sort(linalg.eigvalsh(matrix))})
    cases = [(0, 10), (3, 10), (10, 10), (450, 1000), (1, 3)]
    out.update({"wilson.of": cases, "wilson": [list(stats.binomtest(k, n).proportion_ci(method="wilson")) for k, n in cases]})
    sample = exact(rng.exponential(2, 80))
    out.update({"bootstrap.of": sample, "bootstrap": bootstrap(sample, 200000, rng)})
    angle = 2 * np.pi * rng.choice(8, 400, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.0975, 0.0025, 0]) / 8
    points = exact(np.stack([2 * np.cos(angle), 2 * np.sin(angle)], 1) + 0.03 * rng.standard_normal((400, 2)))
    out.update({"points": points, "modes": modes(points)})
    counts = np.array([[100, 120, 80, 0, 5, 60], [10, 20, 18, 0, 3, 2]])
    test = stats.chi2_contingency(counts[:, counts.sum(0) > 0], correction=False)
    near = np.array([[300, 305, 290], [100, 98, 97]])
    close = stats.chi2_contingency(near, correction=False)
    kl = lambda c: stats.entropy(c[1][c[0] > 0], c[0][c[0] > 0])
    out.update({"balance.of": counts, "balance": [test[0], test[1], kl(counts)], "balance.near.of": near,
                "balance.near": [close[0], close[1], kl(near)]})
    out["ngrams"] = ngrams("Wär's möglich? 春眠不覺曉 Wär's", 22, 3, 32)
    save("metrics", out)
    save("judges", {**judges_small(rng), **judges_digits(sys.argv[1])})


main()
