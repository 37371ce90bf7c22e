# SPDX-License-Identifier: Apache-2.0
"""FlashAttention-4, forward (arXiv:2603.05451; flash_attn/cute). New against FlashAttention-3: O and l keep their
reference until the maximum has outgrown it by more than a threshold, and a share of the exponentials is a polynomial."""
import numpy as np

NEVER = -1e30  # a maximum before any score: finite, so that nothing is ever inf - inf


def exp2_polynomial(x):
    """2^x without the exponential unit: the integer part goes to the exponent, the rest through a cubic."""
    x = np.maximum(x, -127)
    n = np.floor(x)
    f = (x - n).astype(x.dtype)
    p = ((0.077119089663028717 * f + 0.227564394474029541) * f + 0.695146143436431885) * f + 1
    return np.where(n > -127, np.ldexp(p, n.astype(int)), 0).astype(x.dtype)


def forward(q, k, v, causal=False, block_q=128, block_k=128, threshold=8.0, emulated=0.25):
    """Arrays (batch, heads, seqlen, dim); o as q, lse (batch, heads, seqlen) in natural units. Maxima are in log2 units."""
    (sq, d), sk = q.shape[2:], k.shape[2]
    o = np.zeros(q.shape[:3] + v.shape[3:], q.dtype)
    lse = np.full(q.shape[:3], -np.inf, q.dtype)
    visible = np.arange(sk) <= np.arange(sq)[:, None] + (sk - sq if causal else sk)
    c = np.log2(np.e) / np.sqrt(d)  # the softmax scale, and base 2 instead of e

    for b, h in np.ndindex(q.shape[:2]):
        kv = h * k.shape[1] // q.shape[1]  # query heads share key heads in groups
        for i in range(0, sq, block_q):  # a CTA has two of these tiles under way at once
            rows = slice(i, i + block_q)
            Q = q[b, h, rows]
            O = np.zeros((len(Q), v.shape[3]), q.dtype)
            l, r = np.zeros(len(Q), q.dtype), np.full(len(Q), NEVER, q.dtype)  # r: the reference in use
            last = visible[rows].any(0).sum()
            for j in reversed(range(0, last, block_k)):
                keys = slice(j, j + block_k)
                K = k[b, kv, keys]
                V = v[b, kv, keys]
                S = Q @ K.T * c
                S = np.where(visible[rows, keys], S, -np.inf)
                m = np.maximum(r, S.max(1))
                r_old, r = r, np.where(m - r > threshold, m, r)  # it stays where the maximum has not outgrown it
                alpha = np.exp2(r_old - r)
                if (alpha < 1).any():  # the vote: no row needs it, nothing is done
                    O = alpha[:, None] * O
                l = alpha * l
                x = S - r[:, None]  # up to `threshold`: P may reach 2^threshold
                soft = np.arange(x.shape[1]) % 16 < 16 * emulated  # these columns go to the FMA units
                P = np.where(soft, exp2_polynomial(x), np.exp2(x))
                l = l + P.sum(1)
                O = O + P @ V
            O = O / np.where(l > 0, l, 1)[:, None]  # exact: O and l have the same reference
            with np.errstate(divide="ignore"):  # a row that sees nothing: O = 0, LSE = -inf
                L = (r + np.log2(l)) * np.log(2)
            o[b, h, rows] = O
            lse[b, h, rows] = L
    return o, lse
