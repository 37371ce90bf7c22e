# SPDX-License-Identifier: Apache-2.0
"""Standard attention, forward: three kernels that hand S and P over through memory (arXiv:2205.14135, Algorithm 0)."""
import numpy as np

NEVER = -1e30  # a maximum before any score: finite, so that nothing is ever inf - inf


def forward(q, k, v, causal=False):
    """Arrays (batch, heads, seqlen, dim); o as q, lse (batch, heads, seqlen) in natural units."""
    (sq, d), sk = q.shape[2:], k.shape[2]
    o = np.zeros(q.shape[:3] + v.shape[3:], q.dtype)
    lse = np.full(q.shape[:3], -np.inf, q.dtype)
    visible = np.ones((sq, sk), bool)
    if causal:  # aligned at the bottom right: the last query sees every key
        visible = np.arange(sk) <= np.arange(sq)[:, None] + (sk - sq)

    for b, h in np.ndindex(q.shape[:2]):
        kv = h * k.shape[1] // q.shape[1]  # query heads share key heads in groups
        # First kernel: all scores, written to memory.
        Q, K = q[b, h], k[b, kv]
        S = Q @ K.T / np.sqrt(d)

        # Second kernel: the softmax of whole rows, read from memory and written back.
        S = np.where(visible, S, -np.inf)
        m = np.maximum(S.max(1), NEVER)
        P = np.exp(S - m[:, None])
        l = P.sum(1)
        P = P / np.where(l > 0, l, 1)[:, None]
        with np.errstate(divide="ignore"):  # a row that sees nothing: O = 0, LSE = -inf
            lse[b, h] = m + np.log(l)

        # Third kernel: P is read once more.
        V = v[b, kv]
        O = P @ V
        o[b, h] = O
    return o, lse
