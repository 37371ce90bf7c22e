// SPDX-License-Identifier: Apache-2.0
// The kernels as parts of this program: which entry is which function.
#include "device.h"

#include "standard.cu"

#include "fa1_forward.cu"

#include "fa2_forward.cu"

namespace flashstep::cuda {

namespace {

struct Entry {
    const char* name;
    const void* function;
};
#define ENTRY(NAME)                                                                                                    \
    {                                                                                                                  \
#NAME, reinterpret_cast < const void*>(NAME)                                                                   \
    }
const Entry entries[] = {
    ENTRY(standard_scores_d64),
    ENTRY(standard_scores_d128),
    ENTRY(standard_scores_d64_fp16),
    ENTRY(standard_scores_d128_fp16),
    ENTRY(standard_scores_d64_traced),
    ENTRY(standard_scores_d128_traced),
    ENTRY(standard_softmax),
    ENTRY(standard_softmax_fp16),
    ENTRY(standard_softmax_traced),
    ENTRY(standard_output_d64),
    ENTRY(standard_output_d128),
    ENTRY(standard_output_d64_fp16),
    ENTRY(standard_output_d128_fp16),
    ENTRY(standard_output_d64_traced),
    ENTRY(standard_output_d128_traced),
    ENTRY(fa1_forward_d64),
    ENTRY(fa1_forward_d128),
    ENTRY(fa1_forward_d64_fp16),
    ENTRY(fa1_forward_d128_fp16),
    ENTRY(fa1_forward_d64_traced),
    ENTRY(fa1_forward_d128_traced),
    ENTRY(fa2_forward_d64),
    ENTRY(fa2_forward_d128),
    ENTRY(fa2_forward_d64_fp16),
    ENTRY(fa2_forward_d128_fp16),
    ENTRY(fa2_forward_d64_traced),
    ENTRY(fa2_forward_d128_traced),
};
#undef ENTRY

} // namespace

const void* kernelEntry(const std::string& entry)
{
    for (const Entry& known : entries)
        if (entry == known.name)
            return known.function;
    return nullptr;
}

} // namespace flashstep::cuda
