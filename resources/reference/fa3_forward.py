# SPDX-License-Identifier: Apache-2.0
"""FlashAttention-3, forward (arXiv:2407.08608, Algorithm 2). New against FlashAttention-2: the order. S of the next block
is computed before P V of this one, so on the GPU the softmax of a block runs beside the product of the block before."""
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
        for i in range(0, sq, block_q):  # a consumer warpgroup; its neighbour does the same on other rows
            rows = slice(i, i + block_q)
            last = visible[rows].any(0).sum()
            blocks = [slice(j, j + block_k) for j in reversed(range(0, last, block_k))]
            if not blocks:
                continue
            # What the producer brings, stage by stage.
            Q = q[b, h, rows]
            K = [k[b, kv, keys] for keys in blocks]
            V = [v[b, kv, keys] for keys in blocks]
            O = np.zeros((len(Q), v.shape[3]), q.dtype)
            l, m = np.zeros(len(Q), q.dtype), np.full(len(Q), NEVER, q.dtype)

            def softmax(S, m_old, l, keys):
                S = np.where(visible[rows, keys], S, -np.inf)
                m = np.maximum(m_old, S.max(1))
                alpha = np.exp(m_old - m)
                l = alpha * l
                P = np.exp(S - m[:, None])
                l = l + P.sum(1)
                return P, m, l, alpha[:, None]

            S = Q @ K[0].T / np.sqrt(d)
            P, m, l, _ = softmax(S, m, l, blocks[0])
            for u in range(1, len(blocks)):
                S = Q @ K[u].T / np.sqrt(d)  # issued first: S of the next block ...
                O = O + P @ V[u - 1]  # ... then P V of this one, which runs beside ...
                P, m, l, alpha = softmax(S, m, l, blocks[u])  # ... the softmax of the next
                O = alpha * O  # not before P V is done: nothing else may write O
            O = O + P @ V[-1]
            with np.errstate(divide="ignore"):  # a row that sees nothing: O = 0, LSE = -inf
                L = m + np.log(l)
            O = O / np.where(l > 0, l, 1)[:, None]
            o[b, h, rows] = O
            lse[b, h, rows] = L
    return o, lse
