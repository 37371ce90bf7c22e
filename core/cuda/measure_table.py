# SPDX-License-Identifier: Apache-2.0
"""The page of measured figures, from what measure.sh kept: measure_table.py WORK PAGE RECORDINGS CLI

Writes between the markers of PAGE and copies the recordings. Only results that name a device, its driver and the
kernels' hash count; without any, nothing is written and the status is 1. CLI, where it can run, says what the emulator
expects."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
OURS = ("standard", "fa1_forward", "fa2_forward")
TITLES = {"standard": "standard", "fa1_forward": "FA1", "fa2_forward": "FA2", "torch-flash": "PyTorch, flash",
          "torch-cudnn": "PyTorch, cuDNN"}
PRESETS = (("GB200", "gb200"), ("B200", "b200"), ("B300", "b300"), ("H200", "h200"), ("H100", "h100"), ("A100", "a100"))


def read(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"measure_table.py: {path}: {error}")


def preset_of(device):
    return next((preset for word, preset in PRESETS if word in device), None)


def emulated(cli, arguments):
    """Standard output of the emulator; None where it cannot say."""
    try:
        done = subprocess.run([cli, *arguments], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def scenario(kernel, preset, problem):
    algorithm = kernel.split("_")[0]
    options = ["--algorithm", algorithm, "--gpu", preset, "--tile", "64x64", "--record", "none"]
    if algorithm == "fa1":
        options += ["--what-if", "fa1-form=paper"]
    for key in ("batch", "heads", "kv_heads", "seqlen_q", "seqlen_k", "head_dim", "mask"):
        options += ["--" + key.replace("_", "-"), str(problem[key])]
    return options


def read_times(work):
    """{(seqlen, head dim, mask): {kernel: result}}, the problem of each, and what they were measured on."""
    table, problems, machines, torch = defaultdict(dict), {}, {}, set()
    for path in sorted((work / "time").glob("*.json")):
        seqlen, dim, mask, kernel = path.stem.split("-")
        key, data = (int(seqlen), int(dim), mask), read(path)
        if kernel == "torch":
            if data.get("torch"):
                torch.add(f"PyTorch {data['torch']}, cuDNN {data.get('cudnn')}")
            for row in data.get("results", []):
                table[key][row["kernel"]] = row
            continue
        name = kernel.rsplit("_d", 1)[0]
        if "failed" in data:
            table[key][name] = data
            continue
        device = data.get("device", {})
        if not (device.get("name") and device.get("driver_cuda") and data.get("kernels")):
            sys.exit(f"measure_table.py: {path} does not say what it was measured on")
        driver = device.get("driver") or device["driver_cuda"]
        machines[(device["name"], driver, device["cuda"], data["kernels"])] = device
        problems[key] = data["problem"]
        table[key][name] = data["results"][0]
    return table, problems, machines, torch


def cell(row):
    if row is None:
        return "–"
    if "failed" in row:
        return "not run: " + row["failed"].replace("|", "/")
    return f"{row['median_ms']:.4g} ± {row['spread_ms'] / 2:.2g}"


def times(work, cli, out):
    table, problems, machines, torch = read_times(work)
    if not machines or not any("median_ms" in row for rows in table.values() for row in rows.values()):
        sys.exit("measure_table.py: nothing has been measured (stage time)")
    if len(machines) > 1:
        sys.exit("measure_table.py: results of several machines or builds are mixed; remove " + str(work))
    (device, driver, cuda, kernels), = machines
    preset = preset_of(device)
    out.append(f"Device: {device}, driver {driver}, CUDA {cuda}, kernels {kernels}" +
               "".join(", " + one for one in sorted(torch)) + ".")
    out.append("")
    out.append("Median of 30 repeats in ms ± half the distance between the quartiles. bf16, normal inputs, L2 flushed "
               "before each repeat. In brackets what the emulator expects of the same problem and tile.")
    columns = [*OURS, "torch-flash", "torch-cudnn"]
    out += ["", "| seqlen | head dim | mask | batch x heads | " + " | ".join(TITLES[c] for c in columns)
            + " | FA1 / FA2 | standard / FA2 |", "|" + "---|" * (6 + len(columns))]
    for key in sorted(table):
        if key not in problems:
            continue
        rows, problem = table[key], problems[key]
        cells = []
        for column in columns:
            text = cell(rows.get(column))
            said = None
            if preset and column in OURS and "median_ms" in (rows.get(column) or {}):
                said = emulated(cli, ["run", "--json", *scenario(column, preset, problem)])
            cells.append(text + (f" ({json.loads(said)['microseconds'] / 1000:.4g})" if said else ""))
        ratios = []
        for other in ("fa1_forward", "standard"):
            pair = [(rows.get(name) or {}).get("median_ms") for name in (other, "fa2_forward")]
            ratios.append(f"{pair[0] / pair[1]:.3g}" if all(pair) else "–")
        out.append(f"| {key[0]} | {key[1]} | {key[2]} | {problem['batch']} x {problem['heads']} | " +
                   " | ".join(cells + ratios) + " |")
    return preset


def checks(work, out):
    rows = [read(path) for path in sorted((work / "check").glob("*.json"))]
    results = [result for row in rows for result in row.get("results", [])]
    if not results:
        return
    out += ["", "Against attention in fp64 on the device, random and hostile inputs, outputs poisoned first:", "",
            "| kernel | cases right | O off by up to | LSE off by up to |", "|---|---|---|---|"]
    for result in results:
        out.append(f"| {result['kernel']} | {result['cases'] - result['failed']} of {result['cases']} | "
                   f"{result['max_abs_error']:.3g} | {result['max_abs_error_lse']:.3g} |")


def mean_by_op(rows):
    return {op: statistics.fmean(values) for op, values in rows.items()}


def emulated_ops(cli, kernel, preset, problem):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spans.csv")
        arguments = ["export", "--format", "csv", "--table", "spans", "--out", path, *scenario(kernel, preset, problem)]
        if preset is None or emulated(cli, arguments) is None:
            return {}
        rows = defaultdict(list)
        with open(path, encoding="utf-8") as file:
            names = file.readline().strip().split(",")
            for line in file:
                row = dict(zip(names, line.strip().split(",")))
                rows[row["op"]].append(float(row["end"]) - float(row["begin"]))
        return mean_by_op(rows)


def recordings(work, target, cli, preset, out):
    found = sorted((work / "record").glob("*.json"))
    for path in found:
        data = read(path)
        about = data["metadata"]
        if not (about.get("device") and about.get("driver") and about.get("kernel", {}).get("hash")):
            sys.exit(f"measure_table.py: {path} does not say what it was measured on")
        rows = defaultdict(list)
        for event in data["traceEvents"]:
            if event["ph"] == "X":
                rows[event["args"]["op"]].append(event["args"]["end"] - event["args"]["begin"])
        measured = mean_by_op(rows)
        problem = about["problem"]["problem"]
        expected = emulated_ops(cli, path.stem, preset, problem)
        out += ["", f"`{path.stem}`, {problem['seqlen_q']} x {problem['seqlen_k']}, one head, "
                f"{about['median_ms']:.4g} ms (with stamps {about['traced_ms']:.4g} ms): mean clocks of an op in a "
                "warp, one run", "", "| op | runs | measured | emulated |", "|---|---|---|---|"]
        for op in sorted(measured, key=lambda name: -measured[name] * len(rows[name])):
            said = f"{expected[op]:.0f}" if op in expected else "–"
            out.append(f"| {op} | {len(rows[op])} | {measured[op]:.0f} | {said} |")
    for path in found:
        target.mkdir(parents=True, exist_ok=True)
        device = "".join(c if c.isalnum() else "-" for c in read(path)["metadata"]["device"].lower())
        beside = target / f".{path.name}.part"
        shutil.copyfile(path, beside)
        beside.replace(target / f"{device}_{path.name}")


def main():
    work, page, target, cli = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        sys.exit(f"measure_table.py: {page} has no '{BEGIN}' … '{END}'")
    out = []
    preset = times(work, cli, out)
    checks(work, out)
    recordings(work, target, cli, preset, out)
    made = text[:text.index(BEGIN) + len(BEGIN)] + "\n" + "\n".join(out) + "\n" + text[text.index(END):]
    beside = page.with_name(page.name + ".part")
    beside.write_text(made, encoding="utf-8")
    beside.replace(page)


main()
