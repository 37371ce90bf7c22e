// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to core/hardware: every fitted figure of every GPU, once. tests/calibration/fit.py finds the values.

#include "core/hardware/spec.h"

#include <array>

namespace flashstep::spec {

struct FittedFigure {
    std::string_view field; // of GpuSpec
    double value = 0;
    std::string_view unit;
    double prior = 0; // what one would take without the fit
    double low = 0, high = 0; // plausible: the fit stays inside
    std::string_view reason; // why the model has the term
    std::string_view priorReason;
    std::string_view fittedTo;
    int fromCapability = 80, toCapability = 103; // of the GPUs it is for

    constexpr operator Figure() const // NOLINT: a table of figures reads better so
    {
        return { value, unit, "tests/calibration/fit.py, docs/hardware-model.md", Confidence::Fitted, fittedTo };
    }
};

inline constexpr std::string_view fa2Rows = "FlashAttention-2 forward, H100, d 128";
inline constexpr std::string_view fa3Rows = "FlashAttention-3 forward, H100, d 128";
inline constexpr std::string_view hopperRows = "FlashAttention-2 and -3 forward, H100, d 128";
inline constexpr std::string_view fa4Rows = "FlashAttention-4 forward, B200 and GB200, d 128";
inline constexpr std::string_view allRows
    = "FlashAttention-2 and -3 forward, H100, and FlashAttention-4 forward, B200 and GB200, d 128";

inline constexpr FittedFigure issueCyclesPerOp { "issueCyclesPerOp", 1.575, "cycle/op", 1.3, 1, 2,
    "A counted vector operation brings addresses, predicates and moves with it, which take issue slots too.",
    "three such instructions to ten counted ones", allRows };
inline constexpr FittedFigure registerContention { "registerContention", 1.52, "cycle/cycle", 1, 0.3, 2.5,
    "Accumulators of mma.sync live in the register file, so vector work takes bandwidth from the tensor core.",
    "an instruction of three operands takes the read ports for a cycle", fa2Rows };
inline constexpr FittedFigure registerContentionWgmma { "registerContentionWgmma", 0.847, "cycle/cycle", 1, 0.3, 2.5,
    "Accumulators of wgmma live in the register file, so one warpgroup's softmax slows another one's products.",
    "an instruction of three operands takes the read ports for a cycle", fa3Rows, 90, 90 };
inline constexpr FittedFigure l2BytesHopper { "l2BytesPerClkPerSm", 21.4, "B/clk/SM", 30, 15, 50,
    "Under load an SM gets less from L2 than its own port could carry.",
    "34.6 measured on an H800 PCIe (3942.4 B/clk over 114 SMs)", hopperRows, 80, 90 };
inline constexpr FittedFigure l2BytesBlackwell { "l2BytesPerClkPerSm", 36, "B/clk/SM", 40, 20, 64,
    "Under load an SM gets less from L2 than its own port could carry.",
    "between Hopper's and the 60 that one log of a B300 has", fa4Rows, 100, 103 };
inline constexpr FittedFigure tileEpilogueHopper { "tileEpilogueCycles", 535, "cycle", 500, 100, 1500,
    "A tile's epilogue and the choice of the next take time beyond the modelled ops.",
    "a few dependent trips to shared memory and one to L2", fa3Rows, 80, 90 };
inline constexpr FittedFigure tileEpilogueBlackwell { "tileEpilogueCycles", 1060, "cycle", 500, 100, 1500,
    "A tile's epilogue and the choice of the next take time beyond the modelled ops.",
    "a few dependent trips to tensor and shared memory and one to L2", fa4Rows, 100, 103 };
inline constexpr FittedFigure tmaLatencyBlackwell { "tmaLatency", 765, "cycle", 900, 300, 1700,
    "A TMA load takes time beyond its bytes, more under load than idle.",
    "927 to 1627 cycles are the least seen on a loaded B200", fa4Rows, 100, 103 };
inline constexpr FittedFigure tmemLoadLatency { "tmemLoadLatency", 98, "cycle", 80, 20, 250,
    "A load from tensor memory, and the wait for it, take time beyond its bytes.",
    "two to three times an access to shared memory (24)", fa4Rows, 100, 103 };
inline constexpr FittedFigure ctaStartHopper { "ctaStartCycles", 780, "cycle", 800, 200, 2500,
    "A new CTA needs time on its slot before its first instruction.",
    "a few dependent misses: arguments, descriptors, instructions", hopperRows, 80, 90 };
inline constexpr FittedFigure ctaStartBlackwell { "ctaStartCycles", 1500, "cycle", 1200, 300, 4000,
    "A new CTA needs time on its slot before its first instruction.",
    "the same of 16 warps, with barriers and tensor memory to set up", fa4Rows, 100, 103 };
inline constexpr FittedFigure launchMicroseconds { "launchMicroseconds", 7.2, "us", 4, 1, 10,
    "A kernel launch costs time that no SM sees.", "1.4 measured between kernels, more from a framework", allRows };
inline constexpr FittedFigure activityAtCapB200 { "activityAtCap", 0.446, "ratio", 0.45, 0.2, 1,
    "Beyond some activity (mean of tensor and exponential utilisation) the power limit lowers the clock.",
    "a part of 1000 W holds its clock until its units are nearly half busy", "FlashAttention-4 forward, B200, d 128",
    100, 100 };

inline constexpr std::array fittedFigures { issueCyclesPerOp, registerContention, registerContentionWgmma,
    l2BytesHopper, l2BytesBlackwell, tileEpilogueHopper, tileEpilogueBlackwell, tmaLatencyBlackwell, tmemLoadLatency,
    ctaStartHopper, ctaStartBlackwell, launchMicroseconds, activityAtCapB200 };

} // namespace flashstep::spec
