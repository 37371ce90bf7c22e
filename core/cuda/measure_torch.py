# SPDX-License-Identifier: Apache-2.0
"""PyTorch's attention on the same problem, by its flash and its cuDNN backend: one JSON object on standard output.

Times as flashstep-gpu takes them: L2 flushed before each repeat, median, distance of the quartiles. A backend that is
not there, or does not take the problem, says so under "failed"."""
import argparse
import json
import sys

parser = argparse.ArgumentParser()
for option in ("batch", "heads", "seqlen", "head-dim", "repeats"):
    parser.add_argument("--" + option, type=int, required=True)
parser.add_argument("--mask", choices=("none", "causal"), required=True)
args = parser.parse_args()


def quantile(values, q):
    at = q * (len(values) - 1)
    below = int(at)
    above = min(below + 1, len(values) - 1)
    return values[below] + (at - below) * (values[above] - values[below])


def measure(torch, attention, backend, context):
    shape = (args.batch, args.heads, args.seqlen, args.head_dim)
    q, k, v = (torch.randn(shape, device="cuda", dtype=torch.bfloat16) for _ in range(3))
    cache = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 64 << 20)
    flush = torch.empty(2 * cache, dtype=torch.int8, device="cuda")
    times = []
    with context(backend):
        for repeat in range(3 + args.repeats):
            flush.fill_(repeat & 1)
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            attention(q, k, v, is_causal=args.mask == "causal")
            end.record()
            end.synchronize()
            if repeat >= 3:
                times.append(begin.elapsed_time(end))
    times.sort()
    return {"median_ms": quantile(times, 0.5), "spread_ms": quantile(times, 0.75) - quantile(times, 0.25),
            "repeats": args.repeats}


def main():
    try:
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
        from torch.nn.functional import scaled_dot_product_attention
    except ImportError as error:
        return {"torch": None, "failed": str(error)}
    if not torch.cuda.is_available():
        return {"torch": torch.__version__, "failed": "PyTorch sees no CUDA device"}
    results = []
    for name, backend in (("flash", "FLASH_ATTENTION"), ("cudnn", "CUDNN_ATTENTION")):
        row = {"kernel": "torch-" + name}
        try:
            row.update(measure(torch, scaled_dot_product_attention, getattr(SDPBackend, backend), sdpa_kernel))
        except (RuntimeError, AttributeError) as error:
            row["failed"] = str(error).splitlines()[0][:200]
        results.append(row)
    return {"torch": torch.__version__, "cudnn": torch.backends.cudnn.version(),
            "device": {"name": torch.cuda.get_device_name(0)}, "results": results}


json.dump(main(), sys.stdout)
print()
