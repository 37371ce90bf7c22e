# SPDX-License-Identifier: Apache-2.0
"""FlashAttention-2, forward (arXiv:2307.08691, Algorithm 1). New against FlashAttention-1: the query tile is in the outer
loop, so O, l and m never leave the chip; O is divided once, at the end; one number, the LSE, is kept for a row."""
import numpy as np

NEVER = -1e30  # a maximum before any score: finite, so that nothing is ever inf - inf


def forward(q, k, v, causal=False, block_q=64, block_k=64):
    """Arrays (batch, heads, seqlen, dim); o as q, lse (batch, heads, seqlen) in natural units."""
    (sq, d), sk = q.shape[2:], k.shape[2]
    o = np.zeros(q.shape[:3] + v.shape[3:], q.dtype)
    lse = np.full(q.shape[:3], -np.inf, q.dtype)
    visible = np.arange(sk) <= np.arange(sq)[:, None] + (sk - sq if causal else sk)

    for b, h in np.ndindex(q.shape[:2]):
        kv = h * k.shape[1] // q.shape[1]  # query heads share key heads in groups
        for i in range(0, sq, block_q):  # outer loop: a CTA for each query tile
            rows = slice(i, i + block_q)
            Q = q[b, h, rows]
            O = np.zeros((len(Q), v.shape[3]), q.dtype)
            l, m = np.zeros(len(Q), q.dtype), np.full(len(Q), NEVER, q.dtype)
            last = visible[rows].any(0).sum()  # keys beyond it are hidden from the whole tile
            for j in reversed(range(0, last, block_k)):  # from right to left, as the kernel goes
                keys = slice(j, j + block_k)
                K = k[b, kv, keys]
                V = v[b, kv, keys]
                S = Q @ K.T / np.sqrt(d)
                S = np.where(visible[rows, keys], S, -np.inf)
                m_old, m = m, np.maximum(m, S.max(1))
                alpha = np.exp(m_old - m)  # one factor is left: O has not been divided
                O, l = alpha[:, None] * O, alpha * l
                P = np.exp(S - m[:, None])
                l = l + P.sum(1)
                O = O + P @ V
            O = O / np.where(l > 0, l, 1)[:, None]  # the only division
            with np.errstate(divide="ignore"):  # a row that sees nothing: O = 0, LSE = -inf
                L = m + np.log(l)
            o[b, h, rows] = O
            lse[b, h, rows] = L
    return o, lse
