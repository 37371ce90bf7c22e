// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/constants.h"

#include "core/hardware/spec.h"

#include <algorithm>
#include <array>

namespace flashstep {

namespace {

// Published rows that the trial fit used.
constexpr std::string_view fa2Rows = "FlashAttention-2 forward, H100, d 128 (10 published rows)";
constexpr std::string_view fa3Rows = "FlashAttention-3 forward, H100, d 128 (14 published rows)";
constexpr std::string_view hopperRows = "FlashAttention-2 and -3 forward, H100, d 128 (10 and 14 published rows)";
constexpr std::string_view fa4Rows = "FlashAttention-4 forward, B200 and GB200, d 128 (13 and 16 published rows)";

// Why a term exists, and what its values rest on: up to compute capability 90 and from 100.
struct Term {
    std::string_view name;
    std::string_view reason;
    std::string_view rows;
    std::string_view blackwellRows;
};
constexpr std::array terms {
    Term { "clock-mhz", "Published times are those of the clock the GPU ran at, which the sources do not state.", {},
        fa4Rows },
    Term { "tensor-utilisation-at-cap",
        "Beyond some tensor utilisation the power limit lowers the clock: f = fmax sqrt(u0 / u).", hopperRows,
        fa4Rows },
    Term { "issue-cycles-per-op",
        "A counted vector operation brings addresses, predicates and moves with it, which take issue slots too.",
        hopperRows, fa4Rows },
    Term { "register-contention",
        "Accumulators of mma.sync live in the register file, so vector work takes bandwidth from the tensor core.",
        fa2Rows, fa2Rows },
    Term { "register-contention-wgmma",
        "Accumulators of wgmma live in the register file, so one warpgroup's softmax slows another one's products.",
        fa3Rows, {} },
    Term {
        "wgmma-latency", "A group of wgmma starts and completes later than it occupies the tensor core.", fa3Rows, {} },
    Term { "tmem-bytes-per-clk", "Vector warps read S and write P through a port of tensor memory.", {}, fa4Rows },
    Term { "tmem-load-latency", "A load from tensor memory takes time beyond its bytes.", {}, fa4Rows },
    Term { "l2-bytes-per-clk-per-sm", "Under load an SM gets less from L2 than the port of one SM alone could carry.",
        hopperRows, fa4Rows },
    Term { "copy-latency", "An asynchronous copy takes time beyond its bytes, more under load than idle.", hopperRows,
        fa4Rows },
    Term { "tma-latency", "A TMA load takes time beyond its bytes, more under load than idle.", fa3Rows, fa4Rows },
    Term { "reduce-add-bytes-per-clk-per-sm", "dQ is added up in L2, at the pace of its atomic units.",
        "FlashAttention-3 backward, H100, d 128 (8 rows of one figure)",
        "FlashAttention-4 backward, B200, d 64 (9 rows under sustained load, not met by the trial)" },
    Term { "barrier-latency", "A waiter runs again some time after the last arrival at its barrier.", hopperRows, {} },
    Term {
        "mbarrier-latency", "A waiter runs again some time after the last arrival at its mbarrier.", hopperRows, {} },
    Term { "row-reduce-cycles",
        "A row is spread over four lanes: two shuffles and scalar maths in a chain for each reduction.", hopperRows,
        hopperRows },
    Term { "mma-step-latency", "Each k-step of a product waits for ldmatrix before its first mma.sync.", fa2Rows,
        fa2Rows },
    Term { "tile-epilogue-cycles", "A tile's epilogue and the choice of the next take time beyond the modelled ops.",
        fa3Rows, fa4Rows },
    Term { "cta-start-cycles", "A new CTA needs time on its slot before its first instruction.", hopperRows, fa4Rows },
    Term { "launch-microseconds", "A kernel launch costs time that no SM sees.", hopperRows, fa4Rows },
};

void add(std::string& rows, std::string_view more)
{
    if (more.empty() || rows.find(more) != std::string::npos)
        return;
    rows += rows.empty() ? "" : "; ";
    rows += more;
}

} // namespace

std::vector<Constant> fittedConstants()
{
    std::vector<Constant> found;
    for (const auto& [field, member] : gpuFigures()) {
        const std::size_t first = found.size(); // of this name
        for (const GpuSpec& gpu : gpuSpecs()) {
            const Figure& figure = gpu.*member;
            if (figure.confidence != Confidence::Fitted)
                continue;
            const std::string name = kebabName(field);
            const auto* term = std::ranges::find(terms, name, &Term::name);
            auto constant = std::find_if(found.begin() + static_cast<std::ptrdiff_t>(first), found.end(),
                [&](const Constant& c) { return c.value == figure.value; });
            if (constant == found.end()) {
                const std::string_view reason = term == terms.end() ? std::string_view() : term->reason;
                constant = found.insert(found.end(), { name, figure.value, figure.unit, {}, reason, {} });
            }
            constant->appliesTo.push_back(gpu.name);
            if (term != terms.end())
                add(constant->fittedTo, gpu.computeCapability < 100 ? term->rows : term->blackwellRows);
        }
    }
    return found;
}

} // namespace flashstep
