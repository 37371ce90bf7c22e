#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts what the program predicts beside published rows, and what it was fitted with, into the docs, between the markers.

    python3 docs/validation.py build/release/bin/flashstep-cli
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MASK = {"1": "causal", "0": "dense", "0?": "dense"}


def run(cli, *args):
    return json.loads(subprocess.run([cli, *args, "--json"], check=True, capture_output=True, text=True).stdout)


def put(page, name, text):
    path = os.path.join(HERE, page)
    with open(path, encoding="utf-8") as file:
        old = file.read()
    new, count = re.subn(rf"(<!-- begin: {name} -->\n).*?(<!-- end -->)", lambda m: m[1] + text + m[2], old, flags=re.S)
    assert count == 1, f"{page} has no place for {name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(new)


def mean(values):
    return sum(values) / len(values)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def groups(found):
    return table(("GPU", "algorithm", "tier", "rows", "mean error, %", "with signs", "worst", "roofline's mean"),
                 [(g["preset_gpu"], g["preset_algorithm"], g["tier"], g["rows"], f"{g['mean_abs_error_percent']:.1f}",
                   f"{g['mean_error_percent']:+.1f}", f"{g['worst_percent']:.1f}",
                   f"{g['roofline_error_percent']:.1f}") for g in found["groups"]])


def series(found, tier):
    of = {}
    for row in found["rows"]:
        if row["tier"] == tier:
            key = (row["preset_gpu"], row["preset_algorithm"], row["machine"], row["dtype"].split(" ")[0].split("/")[0],
                   row["head_dim"], MASK[row["causal"]], row["knobs"].replace(";", " "))
            of.setdefault(key, []).append(row)
    lines = []
    for key, rows in sorted(of.items()):
        e = [row["error_percent"] for row in rows]
        r = [abs(row["roofline_error_percent"]) for row in rows]
        lines.append((*key, len(rows), f"{mean([abs(x) for x in e]):.1f}", f"{mean(e):+.1f}",
                      f"{max(e, key=abs):+.1f}", f"{mean(r):.0f}"))
    return table(("GPU", "algorithm", "machine", "dtype", "d", "mask", "options", "rows", "mean, %", "with signs", "worst",
                  "roofline"), lines)


def worst(found, tier, count):
    rows = sorted((row for row in found["rows"] if row["tier"] == tier), key=lambda r: -abs(r["error_percent"]))[:count]
    return table(("error, %", "predicted", "published", "unit", "row"),
                 [(f"{r['error_percent']:+.1f}", f"{r['predicted']:.4g}", r["tflops_or_value"], r["unit"],
                   f"{r['paper']} {r['figure_or_table']}: {r['algorithm']} on {r['preset_gpu']}, d {r['head_dim']}, "
                   f"{MASK[r['causal']]}, seqlen {r['seqlen']}, batch {r['batch']}, {r['heads']} heads") for r in rows])


def uncovered(found):
    reasons = {}
    for row in found["uncovered"]:
        reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    return table(("rows", "why not"), [(n, reason) for reason, n in sorted(reasons.items(), key=lambda x: (-x[1], x[0]))])


def constants(cli):
    document = run(cli, "list", "constants")
    text = table(("constant", "value", "unit", "GPUs", "prior, range", "prior's reason", "fitted to"),
                 [(f"`{c['name']}`", f"{c['value']:g}", c["unit"], ", ".join(c["applies_to"]),
                   f"{c['prior']:g}, {c['low']:g} to {c['high']:g}", c["prior_reason"], c["fitted_to"])
                  for c in document["constants"]])
    return text + "\n" + table(("machine", "share of the GPU's clock", "why", "fitted to"),
                               [(f"`{f['machine']}`", f"{f['factor']:g}", f["reason"], f["fitted_to"])
                                for f in document["clock_factors"]])


def guesses(cli):
    """What ten percent of each guess would do to a long grid of each version on each generation."""
    lines = []
    for algorithm, gpu in (("fa2", "a100"), ("fa2", "h100"), ("fa3", "h100"), ("fa2", "b200"), ("fa4", "b200"),
                           ("fa4", "b300")):
        report = run(cli, "run", "--algorithm", algorithm, "--gpu", gpu, "--seqlen-q", "4096", "--head-dim", "128",
                     "--heads", "16", "--record", "none", "--quiet")
        found = sorted(report["guess_effects"], key=lambda g: -max(abs(g["smaller_percent"]), abs(g["larger_percent"])))
        for g in found:
            if max(abs(g["smaller_percent"]), abs(g["larger_percent"])) >= 0.05:
                lines.append((f"{algorithm} {gpu}", f"`{g['figure']}`", f"{g['value']:g} {g['unit']}",
                              f"{g['smaller_percent']:+.1f} %", f"{g['larger_percent']:+.1f} %"))
        small = [f"`{g['figure']}`" for g in found
                 if max(abs(g["smaller_percent"]), abs(g["larger_percent"])) < 0.05]
        lines.append((f"{algorithm} {gpu}", ", ".join(small) or "-", "", "below 0.05 %", "below 0.05 %"))
    return table(("grid", "guess", "value", "10 % smaller", "10 % larger"), lines)


def main():
    cli = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../build/release/bin/flashstep-cli"))
    found = run(cli, "validate", "--baseline", "roofline", "--quiet")
    put("validation.md", "groups", groups(found))
    put("validation.md", "core series", series(found, "core"))
    put("validation.md", "extra series", series(found, "extra"))
    put("validation.md", "worst core rows", worst(found, "core", 12))
    put("validation.md", "worst extra rows", worst(found, "extra", 8))
    put("validation.md", "uncovered", uncovered(found))
    put("validation.md", "guesses", guesses(cli))
    put("hardware-model.md", "constants", constants(cli))


if __name__ == "__main__":
    main()
