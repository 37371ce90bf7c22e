# SPDX-License-Identifier: Apache-2.0
"""Runs every resources/reference/*_forward.py on the inputs of a run of flashstep-cli and compares O and LSE with it.

    python3 tests/golden/reference_numpy.py build/release/bin/flashstep-cli
"""
import importlib.util
import json
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    sys.exit("reference_numpy: numpy is missing (Debian: python3-numpy)")

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
TILE = {"standard": "32x16", "fa1": "16x64", "fa2": "64x32", "fa3": "48x32", "fa4": "32x16"}
SHAPES = 6


def reference(algorithm):
    path = ROOT / "resources" / "reference" / f"{algorithm}_forward.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.forward


def shapes(seed):
    """Among them: unequal lengths, with rows that see nothing; key counts that no tile divides; grouped heads."""
    yield {"seqlen-q": 64, "seqlen-k": 64, "head-dim": 32, "heads": 1, "kv-heads": 1, "batch": 1, "mask": "none"}
    yield {"seqlen-q": 70, "seqlen-k": 45, "head-dim": 16, "heads": 2, "kv-heads": 1, "batch": 1, "mask": "causal"}
    yield {"seqlen-q": 33, "seqlen-k": 131, "head-dim": 64, "heads": 1, "kv-heads": 1, "batch": 2, "mask": "causal"}
    rng = random.Random(seed)
    for _ in range(SHAPES - 3):
        kv = rng.choice([1, 2])
        yield {
            "seqlen-q": rng.randint(1, 150), "seqlen-k": rng.randint(1, 190), "head-dim": rng.choice([8, 16, 32, 64]),
            "heads": kv * rng.choice([1, 2]), "kv-heads": kv, "batch": rng.choice([1, 2]),
            "mask": rng.choice(["none", "causal"]),
        }


def compare(cli, algorithm, shape, seed, folder, threshold=None):
    words = [cli, "run", "--json", "--algorithm", algorithm, "--dtype", "fp32", "--record", "all", "--seed", str(seed),
             "--tile", TILE[algorithm], "--out-npy", folder]
    for key, value in shape.items():
        words += [f"--{key}", str(value)]
    if threshold is not None:
        words += ["--what-if", f"rescale-threshold={threshold}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"{' '.join(words[1:])}: status {done.returncode}: {done.stderr.strip()}"
    bound = json.loads(done.stdout)["error_bound"]
    q, k, v, o, lse = (np.load(f"{folder}/{name}.npy") for name in ("q", "k", "v", "o", "lse"))
    forward = reference(algorithm)
    for tiles in ({}, {"block_q": 16, "block_k": 32}):
        if algorithm == "standard" and tiles:
            continue
        if threshold is not None:
            tiles = {**tiles, "threshold": threshold}
        got_o, got_lse = forward(q, k, v, shape["mask"] == "causal", **tiles)
        if got_o.shape != o.shape or got_lse.shape != lse.shape:
            return f"{algorithm} {shape}: shapes {got_o.shape}, {got_lse.shape}"
        nothing = lse == -np.inf  # rows that see no key
        if ((got_lse == -np.inf) != nothing).any() or got_o[nothing].any():
            return f"{algorithm} {shape}: rows that see nothing differ"
        worst = max(np.abs(got_o - o).max(), np.abs(got_lse[~nothing] - lse[~nothing]).max(initial=0))
        if not worst <= bound:
            return f"{algorithm} {shape} {tiles}: off by {worst:.3g}, more than {bound:.3g}"
    return None


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: reference_numpy.py PATH/TO/flashstep-cli")
    failures = []
    for number, algorithm in enumerate(TILE):
        for k, shape in enumerate(shapes(number)):
            # Such inputs never outgrow FlashAttention-4's own threshold: with a lower one some rows rescale, some do not.
            for threshold in (None, 0.5) if algorithm == "fa4" else (None,):
                with tempfile.TemporaryDirectory() as folder:
                    failure = compare(sys.argv[1], algorithm, shape, 10 * number + k, folder, threshold)
                if failure:
                    failures.append(failure)
    print("\n".join(failures) if failures else f"{len(TILE)} versions agree on {SHAPES} shapes each")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
