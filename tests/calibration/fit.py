#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fits the model's constants to published throughput; prints them and what they come to. Changes no file.

    python3 tests/calibration/fit.py build/release/bin/flashstep-cli [--rounds N] [--start values|priors]

What is fitted: every entry of `list constants` and of its `clock_factors`, each with its prior and inside its plausible
range. To what: `core` rows of forward passes at head dimension 128, but for those kept out (seqlen 4096). Rows kept out
and other head dimensions are only looked at. Least squares of log(predicted / published), each prior one more equation,
by Gauss-Newton steps with differences, damped more where a step makes things worse.
"""
import argparse
import csv
import json
import math
import os
import subprocess
import tempfile

PUBLISHED = os.path.join(os.path.dirname(__file__), "..", "..", "resources", "published", "published_results.csv")
ROW_ERROR = 0.03  # what a published number is trusted to
CLOCK_PRIOR_WIDTH = 0.15  # of a machine's clock factor around 1
KEPT_OUT_LENGTHS = ("4096",)


class Parameter:
    def __init__(self, name, scopes, value, prior, low, high, width, scale=1.0):
        self.name, self.scopes, self.value = name, scopes, value
        self.prior, self.low, self.high, self.width, self.scale = prior, low, high, width, scale

    def options(self, value, obeys):
        """--what-if of validate: for each GPU or machine that it stands for and that has rows which obey it."""
        for scope, scale in self.scopes:
            if obeys(scope, self.name):
                yield f"{scope}:{self.name}={value * scale:.6f}"

    def clamped(self, value):
        return min(max(value, self.low), self.high)


def listed(cli, what):
    return json.loads(subprocess.run([cli, "list", what, "--json"], check=True, capture_output=True, text=True).stdout)


def parameters(cli, rows, obeys, start):
    clocks = {}
    for gpu in listed(cli, "gpus")["gpus"]:
        clocks[gpu["name"]] = next(f["value"] for f in gpu["figures"] if f["name"] == "clockMhz")
    document = listed(cli, "constants")
    found = []
    for c in document["constants"]:
        scopes = [(gpu, 1.0) for gpu in c["applies_to"] if obeys(gpu, c["name"])]
        if not scopes:
            continue
        value = c["value"] if start == "values" else c["prior"]
        width = math.log(c["high"] / c["low"]) / 4
        found.append(Parameter(c["name"], scopes, value, c["prior"], c["low"], c["high"], width))
    for f in document["clock_factors"]:
        gpu = next((row["preset_gpu"] for row in rows if row["machine"] == f["machine"]), None)
        if gpu:
            value = f["factor"] if start == "values" else 1.0
            found.append(Parameter("clock-mhz", [(f["machine"], clocks[gpu])], value, 1.0, 0.7, 1.1,
                                   CLOCK_PRIOR_WIDTH))
    return found


class Rows:
    def __init__(self, cli, rows):
        self.cli, self.rows = cli, rows
        self.obeyed_by = {knob["key"]: set(knob["algorithms"]) for knob in listed(cli, "knobs")["knobs"]}
        self.file = tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", delete=False)
        writer = csv.DictWriter(self.file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
        self.file.close()

    def obeys(self, scope, knob):
        return any(scope in (row["preset_gpu"], row["machine"]) and row["preset_algorithm"] in self.obeyed_by[knob]
                   for row in self.rows)

    def predict(self, params=(), values=()):
        """log(predicted / published) of each row, and its JSON."""
        command = [self.cli, "validate", "--published", self.file.name, "--json", "--quiet", "--baseline", "roofline"]
        for parameter, value in zip(params, values):
            for option in parameter.options(value, self.obeys):
                command += ["--what-if", option]
        out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        assert len(out["rows"]) == len(self.rows), "a row that cannot be predicted: " + str(out["uncovered"][:1])
        return [math.log(row["predicted"] / row["published"]) for row in out["rows"]], out["rows"]


def equations(rows, params, values):
    errors, _ = rows.predict(params, values)
    return [e / ROW_ERROR for e in errors] + [
        math.log(v / p.prior) / p.width for p, v in zip(params, values)]


def solve(matrix, right):
    """Gauss with pivots."""
    n = len(right)
    a = [row[:] + [right[k]] for k, row in enumerate(matrix)]
    for k in range(n):
        pivot = max(range(k, n), key=lambda r: abs(a[r][k]))
        a[k], a[pivot] = a[pivot], a[k]
        for r in range(k + 1, n):
            factor = a[r][k] / a[k][k]
            for c in range(k, n + 1):
                a[r][c] -= factor * a[k][c]
    x = [0.0] * n
    for k in reversed(range(n)):
        x[k] = (a[k][n] - sum(a[k][c] * x[c] for c in range(k + 1, n))) / a[k][k]
    return x


def fit(rows, params, rounds):
    values = [p.value for p in params]
    now = equations(rows, params, values)
    cost = sum(e * e for e in now)
    for k in range(rounds):
        columns = []
        for i, p in enumerate(params):
            step = 0.02 if p.name == "clock-mhz" else 0.1
            if values[i] * math.exp(step) > p.high:
                step = -step
            moved = values[:]
            moved[i] = values[i] * math.exp(step)
            columns.append([(b - a) / step for a, b in zip(now, equations(rows, params, moved))])
        n = len(params)
        normal = [[sum(x * y for x, y in zip(columns[i], columns[j])) for j in range(n)] for i in range(n)]
        right = [-sum(x * e for x, e in zip(columns[i], now)) for i in range(n)]
        for damping in (0.05, 0.2, 1.0, 4.0, 16.0):
            damped = [[normal[i][j] * (1 + damping if i == j else 1) for j in range(n)] for i in range(n)]
            delta = solve(damped, right)
            tried = [p.clamped(v * math.exp(d)) for p, v, d in zip(params, values, delta)]
            then = equations(rows, params, tried)
            better = sum(e * e for e in then)
            if better < cost:
                break
        print(f"round {k + 1}: {cost:.1f} -> {better:.1f}", flush=True)
        if better >= cost:
            break
        done = cost - better < 0.003 * cost
        values, now, cost = tried, then, better
        if done:
            break
    return values


def report(title, rows, params, values):
    errors, out = rows.predict(params, values)
    groups = {}
    for e, row, made in zip(errors, rows.rows, out):
        key = (row["preset_gpu"], row["preset_algorithm"], row["machine"], row["head_dim"],
               "causal" if row["causal"] == "1" else "dense")
        groups.setdefault(key, []).append((100 * math.expm1(e), made["roofline_error_percent"]))
    print(title)
    for key, found in sorted(groups.items()):
        e = [x for x, _ in found]
        print(f"  {' '.join(key):<45}{len(e):>4} rows{sum(map(abs, e)) / len(e):>7.1f} %{sum(e) / len(e):>+7.1f}"
              f"  worst {max(e, key=abs):>+6.1f}   roofline {sum(abs(r) for _, r in found) / len(e):>6.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cli")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--start", choices=("values", "priors"), default="priors")
    args = parser.parse_args()
    with open(PUBLISHED, newline="") as file:
        everything = list(csv.DictReader(file))
    core = [row for row in everything if row["tier"] == "core" and row["pass"] == "fwd"]
    of_fit = [row for row in core if row["head_dim"] == "128" and row["seqlen"] not in KEPT_OUT_LENGTHS]
    # Core rows of a B200 are causal and of one machine; what others saw without a mask says what the power cap does.
    of_fit += [row for row in everything if row["tier"] == "extra" and row["pass"] == "fwd"
               and row["preset_gpu"] == "b200" and row["preset_algorithm"] == "fa4" and row["head_dim"] == "128"
               and row["dtype"] == "bf16"]
    kept_out = [row for row in core if row["head_dim"] == "128" and row["seqlen"] in KEPT_OUT_LENGTHS]
    others = [row for row in core if row["head_dim"] != "128"]
    fitted = Rows(args.cli, of_fit)
    params = parameters(args.cli, of_fit, fitted.obeys, args.start)
    values = fit(fitted, params, args.rounds)
    print("constants: value (prior, plausible range)")
    for p, v in zip(params, values):
        print(f"  {p.name:<28}{' '.join(s for s, _ in p.scopes):<24}{v:>10.4g}  ({p.prior:g}, {p.low:g} to {p.high:g})")
    report("fitted to", fitted, params, values)
    report("kept out", Rows(args.cli, kept_out), params, values)
    report("other head dimensions", Rows(args.cli, others), params, values)


if __name__ == "__main__":
    main()
