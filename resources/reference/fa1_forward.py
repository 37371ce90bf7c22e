# SPDX-License-Identifier: Apache-2.0
"""FlashAttention-1, forward (arXiv:2205.14135, Algorithm 1). New against standard attention: S and P exist one tile at
a time, and two factors bring what was summed before, and what this block adds, to a common maximum."""
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
        O, l, m = o[b, h], np.zeros(sq, q.dtype), np.full(sq, NEVER, q.dtype)  # in memory between visits
        for j in range(0, sk, block_k):  # outer loop: a block of K and V stays on chip ...
            keys = slice(j, j + block_k)
            K, V = k[b, kv, keys], v[b, kv, keys]
            for i in range(0, sq, block_q):  # ... while every query tile passes by
                rows = slice(i, i + block_q)
                if not visible[rows, keys].any():
                    continue
                Q = q[b, h, rows]
                O_old, l_old, m_old = O[rows], l[rows], m[rows]
                S = Q @ K.T / np.sqrt(d)
                S = np.where(visible[rows, keys], S, -np.inf)
                m_block = np.maximum(S.max(1), NEVER)
                P = np.exp(S - m_block[:, None])
                l_block = P.sum(1)
                m_new = np.maximum(m_old, m_block)
                alpha, beta = np.exp(m_old - m_new), np.exp(m_block - m_new)  # the two factors
                l_new = alpha * l_old + beta * l_block
                PV = P @ V
                O_new = (alpha * l_old)[:, None] * O_old + beta[:, None] * PV  # undoes the division before
                O[rows] = O_new / np.where(l_new > 0, l_new, 1)[:, None]  # divided at every visit
                l[rows], m[rows] = l_new, m_new
        with np.errstate(divide="ignore"):  # a row that sees nothing: O = 0, LSE = -inf
            lse[b, h] = m + np.log(l)
    return o, lse
