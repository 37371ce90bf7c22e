# SPDX-License-Identifier: Apache-2.0
"""Opens what `export --format npz` writes with NumPy and holds the arrays against each other and against the outputs.

    python3 tests/golden/npz_numpy.py build/release/bin/flashstep-cli
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    sys.exit("npz_numpy: numpy is missing (Debian: python3-numpy)")

BASE = {"seqlen-q": 70, "seqlen-k": 90, "head-dim": 32, "mask": "causal", "dtype": "bf16", "record": "all"}
RUNS = [
    {"algorithm": "standard", "gpu": "a100", "tile": "32x16"},
    {"algorithm": "fa1", "gpu": "a100", "tile": "16x64"},
    {"algorithm": "fa2", "gpu": "a100", "tile": "16x16", "heads": 4, "kv-heads": 2, "batch": 2},
    {"algorithm": "fa2", "gpu": "a100", "tile": "32x16", "dtype": "fp32", "mask": "window:20,5"},
    {"algorithm": "fa3", "gpu": "h100", "tile": "48x32"},
    {"algorithm": "fa3", "gpu": "h100", "tile": "48x32", "dtype": "e4m3"},
    {"algorithm": "fa4", "gpu": "b200", "tile": "32x16", "heads": 2},
    {"algorithm": "fa4", "gpu": "b200", "tile": "32x32", "head-dim": 128, "seqlen-q": 150, "seqlen-k": 200},
    {"algorithm": "fa4", "gpu": "b200", "tile": "32x32", "heads": 4, "kv-heads": 1},
]


def run(words, expected=0):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == expected, f"{' '.join(words)}: status {done.returncode}: {done.stderr.strip()}"
    return done


def options(shape):
    return [word for key, value in shape.items() for word in (f"--{key}", str(value))]


class Archive:
    def __init__(self, path):
        self.arrays = np.load(path)
        self.index = json.loads(self.arrays["index.json"])
        names = set(self.arrays.files) - {"index.json"}
        assert names == set(self.index["arrays"]), names ^ set(self.index["arrays"])

    def __getitem__(self, name):
        return self.arrays[name]

    def of(self, kind):
        """The arrays of a kind, S or P, by (prefix, i, j)."""
        for name in self.index["arrays"]:
            prefix, _, plain = name.rpartition("/")
            parts = plain.split("_")
            if parts[0] == kind and len(parts) == 3:
                yield prefix, int(parts[1]), int(parts[2]), self.arrays[name]

    def facts(self, name):
        return self.index["arrays"][name]


def named(prefix, *parts):
    return (prefix + "/" if prefix else "") + "_".join(str(part) for part in parts)


def head_of(prefix):
    return (0, 0) if not prefix else tuple(int(part) for part in prefix[1:].split("h"))


def rows_of(tensor, archive, b, h, begin, end):
    """Rows [begin, end) of a tile's head; of heads packed together row r is query r / p of head h + r mod p."""
    p = archive.index["packed_heads"]
    return np.stack([tensor[b, h + r % p, r // p] for r in range(begin, end)])


def visible(index, queries, keys):
    """Which of the keys each query sees: bottom-right alignment."""
    at = queries[:, None] + index["seqlen_k"] - index["seqlen_q"]
    if index["mask"] == "none":
        return np.ones((len(queries), len(keys)), bool)
    if index["mask"] == "causal":
        return keys[None, :] <= at
    left, right = map(int, index["mask"].split(":")[1].split(","))
    return (keys[None, :] >= at - left) & (keys[None, :] <= at + right)


def check_scores(archive):
    group = archive.index["heads"] // archive.index["kv_heads"]
    covered = {}
    for prefix, i, j, s in archive.of("S"):
        b, h = head_of(prefix)
        kv = "" if (b, h // group) == (0, 0) else f"b{b}h{h // group}"
        q, k = archive[named(prefix, "Q", i)], archive[named(kv, "K", j)]
        want = q.astype(np.float64) @ k.astype(np.float64).T
        assert s.shape == want.shape and s.dtype == np.float32
        assert np.allclose(s, want, rtol=1e-5, atol=1e-4), f"S_{i}_{j}: off by {np.abs(s - want).max()}"
        facts = archive.facts(named(prefix, "S", i, j))
        assert facts["rows"][1] - facts["rows"][0] == s.shape[0] and facts["keys"][1] - facts["keys"][0] == s.shape[1]
        covered.setdefault((b, h), 0)
        covered[(b, h)] += s.size
    assert len(covered) * archive.index["packed_heads"] == archive.index["batch"] * archive.index["heads"], covered
    return covered


def check_probabilities(archive, tolerance):
    """P is the exponential of S in the frame of its block, and the sum of P V in the last frame is O."""
    index = archive.index
    p, group = index["packed_heads"], index["heads"] // index["kv_heads"]
    sums = {}
    assert {entry[:3] for entry in archive.of("P")} == {entry[:3] for entry in archive.of("S")}
    for prefix, i, j, probabilities in archive.of("P"):
        b, h = head_of(prefix)
        facts = archive.facts(named(prefix, "P", i, j))
        queries = np.arange(*facts["rows"]) // p
        seen = visible(index, queries, np.arange(*facts["keys"]))
        assert not probabilities[~seen].any(), f"P_{i}_{j} is not masked"
        if named(prefix, "m_used", i, j) not in index["arrays"]:
            frame = archive[named(prefix, "LSE", i)]  # no running statistics: divided already
            last = frame
        else:
            frame, last = archive[named(prefix, "m_used", i, j)], archive[named(prefix, "m_used", i)]
        if index["algorithm"] == "fa1":
            last = archive[named(prefix, "m_used", i)]
        s = archive[named(prefix, "S", i, j)].astype(np.float64) * index["softmax_scale"]
        with np.errstate(invalid="ignore"):
            want = np.where(seen, np.exp(s - frame[:, None]), 0) * 2.0 ** index["p_offset_log2"]
        want = np.nan_to_num(want)
        assert np.allclose(probabilities, want, rtol=tolerance, atol=tolerance), \
            f"P_{i}_{j}: off by {np.abs(probabilities - want).max()}"
        kv = "" if (b, h // group) == (0, 0) else f"b{b}h{h // group}"
        with np.errstate(invalid="ignore"):
            to_last = np.nan_to_num(np.exp(frame - last))
        part = to_last[:, None] * (probabilities.astype(np.float64) @ archive[named(kv, "V", j)])
        sums[prefix, i] = sums.get((prefix, i), 0) + part
    assert len(sums) > 1
    for (prefix, i), o in sums.items():
        if named(prefix, "l", i) in index["arrays"]:
            l = archive[named(prefix, "l", i)].astype(np.float64)
            o = np.where(l[:, None] > 0, o / np.where(l > 0, l, 1)[:, None], 0)
        o = o / 2.0 ** index["p_offset_log2"]
        assert np.allclose(o, archive[named(prefix, "O", i)], rtol=4 * tolerance, atol=4 * tolerance), \
            f"O_{i}: off by {np.abs(o - archive[named(prefix, 'O', i)]).max()}"


def check_outputs(archive, folder):
    o, lse = np.load(f"{folder}/o.npy"), np.load(f"{folder}/lse.npy")
    tiles = 0
    for name, facts in archive.index["arrays"].items():
        plain = name.rpartition("/")[2].split("_")
        if len(plain) != 2 or plain[0] not in ("O", "LSE"):
            continue
        want = rows_of(o if plain[0] == "O" else lse[..., None], archive, facts["b"], facts["h"], *facts["rows"])
        got = archive[name].reshape(want.shape)
        assert np.array_equal(got, want), f"{name} is not the run's output"
        tiles += 1
    assert tiles > 1


def check_statistics(archive):
    for name, facts in archive.index["arrays"].items():
        prefix, _, plain = name.rpartition("/")
        parts = plain.split("_")
        if parts[0] != "LSE" or named(prefix, "l", facts["i"]) not in archive.index["arrays"]:
            continue
        l, used = archive[named(prefix, "l", facts["i"])], archive[named(prefix, "m_used", facts["i"])]
        with np.errstate(divide="ignore"):
            assert np.allclose(used + np.log(l), archive[name], atol=1e-4), name


def check_moment(cli, folder):
    shape = {**BASE, **RUNS[3]}
    target = f"{folder}/at.npz"
    run([cli, "export", "--quiet", "--format", "npz", "--at", "block(i=1, n=2)", "--out", target, *options(shape)])
    archive = Archive(target)
    state = json.loads(run([cli, "dump", "--what", "state", "--json", "--at", "block(i=1, n=2)", "--buffer", "all",
                            *options(shape)]).stdout)
    by_buffer = {facts["buffer"]: archive[name] for name, facts in archive.index["arrays"].items()}
    compared = 0
    for buffer in state["buffers"]:
        if buffer["name"] not in by_buffer:
            assert buffer["state"] == "empty", buffer["name"]
            continue
        values = np.array([[math.nan if x == "nan" else float(x) for x in row] for row in buffer["values"]])
        assert np.array_equal(by_buffer[buffer["name"]].reshape(values.shape), values.astype(np.float32),
                              equal_nan=True), buffer["name"]
        compared += 1
    assert compared > 4 and archive.index["event"] == state["position"], compared
    assert any(name.startswith("O_1") for name in archive.index["arrays"]), list(archive.index["arrays"])


def check_inputs(cli, folder):
    """Q, K and V of one archive are those of three files."""
    outputs = []
    given = [f"{folder}/{name}.npy" for name in "qkv"]
    np.savez(f"{folder}/stored.npz", **{name: np.load(path) for name, path in zip("qkv", given)})
    np.savez_compressed(f"{folder}/packed.npz", **{name: np.load(path) for name, path in zip("qkv", given)})
    np.savez(f"{folder}/single.npz", np.load(given[2]))
    for q, k, v in (given, [f"{folder}/stored.npz"] * 3, [f"{folder}/packed.npz"] * 2 + [f"{folder}/single.npz"]):
        run([cli, "run", "--quiet", "--q", q, "--k", k, "--v", v, "--tile", "16x16", "--out-npy", f"{folder}/out"])
        outputs.append(np.load(f"{folder}/out/o.npy"))
    assert all(np.array_equal(outputs[0], o, equal_nan=True) for o in outputs)
    np.savez(f"{folder}/other.npz", a=np.zeros((1, 1, 4, 8)), b=np.zeros((1, 1, 4, 8)))
    said = run([cli, "run", "--q", f"{folder}/other.npz", "--k", given[1], "--v", given[2]], expected=2).stderr
    assert "no array q in it" in said and "a, b" in said, said


def check_refusals(cli, folder):
    target = f"{folder}/none.npz"
    said = run([cli, "export", "--format", "npz", "--out", target, *options({**BASE, **RUNS[3], "record": "none"})],
               expected=2).stderr
    assert "--record" in said and said.count("\n") == 1 and not os.path.exists(target), said


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: npz_numpy.py PATH/TO/flashstep-cli")
    cli = str(pathlib.Path(sys.argv[1]).resolve())
    for shape in RUNS:
        shape = {**BASE, **shape}
        with tempfile.TemporaryDirectory() as folder:
            target = f"{folder}/all.npz"
            run([cli, "export", "--quiet", "--format", "npz", "--out", target, *options(shape)])
            run([cli, "run", "--quiet", "--out-npy", folder, *options(shape)])
            archive = Archive(target)
            try:
                quantised = shape["dtype"] == "e4m3"
                check_scores(archive)
                if not quantised:  # e4m3 holds three bits of P
                    check_probabilities(archive, 1e-4 if shape["dtype"] == "fp32" else 2e-2)
                check_outputs(archive, folder)
                check_statistics(archive)
                again = f"{folder}/again.npz"
                run([cli, "export", "--quiet", "--format", "npz", "--out", again, *options(shape)])
                assert pathlib.Path(target).read_bytes() == pathlib.Path(again).read_bytes(), "other bytes"
                if shape["algorithm"] == "fa1":
                    check_inputs(cli, folder)
            except AssertionError as error:
                sys.exit(f"npz_numpy: {shape}: {error}")
    with tempfile.TemporaryDirectory() as folder:
        check_moment(cli, folder)
        check_refusals(cli, folder)
    print(f"npz_numpy: {len(RUNS)} archives")


if __name__ == "__main__":
    main()
