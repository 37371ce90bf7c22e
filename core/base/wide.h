// SPDX-License-Identifier: Apache-2.0
#pragma once

// FLASHSTEP_WIDE in front of a function: also compiled for AVX2 and AVX-512, and the widest one the CPU has is taken
// at load time. Only for functions whose every output keeps its own order of operations, so that all versions give the
// same bits (-ffp-contract=off keeps FMA out). Sanitizers start too late for the resolvers, and clang 14 has none.
// Defined by the build instead, as nothing or as one target, it serves to compare the versions.
#if defined(FLASHSTEP_WIDE)
#elif defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)           \
    && !defined(__SANITIZE_THREAD__)
#define FLASHSTEP_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FLASHSTEP_WIDE
#endif

// A helper of such a function: it has to melt into each of the versions.
#define FLASHSTEP_INLINE __attribute__((always_inline)) inline
