// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/emulation/predict.h"
#include "core/io/published_results.h"

#include <string>
#include <vector>

namespace flashstep {

// The versions at a glance: what each of them is predicted to reach on each GPU, at one size.
struct OverviewRequest {
    int headDim = 128, seqlen = 8192;
    std::vector<MaskKind> masks { MaskKind::None, MaskKind::Causal };
    std::vector<std::string> gpus { "a100", "h100", "b200" };
    std::vector<std::string> algorithms; // empty: all that there are
};

// A published figure of the same GPU, version, pass, head dimension, mask and length, in a 16-bit format.
struct PublishedFigure {
    std::string place; // "FA3 (arXiv 2407.08608) Fig 5d"
    std::string source; // its address
    std::string label; // what was measured, in words
    std::string tier; // "core", "extra"
    double tflops = 0; // times are converted with the conventional flops
    double errorPercent = 0; // of the row's prediction
    bool sameWork = false; // the row's batch, heads and knobs too
};

struct OverviewRow {
    Scenario scenario;
    std::string title; // "FlashAttention-2"
    Prediction prediction;
    double peakTflops = 0; // of the GPU's tensor cores at its clock
    std::vector<PublishedFigure> published; // core before extra, the same work before other; never interpolated
    [[nodiscard]] double peakShare() const { return prediction.tflops() / peakTflops; }
};

// A version that a GPU does not run, and why.
struct OverviewGap {
    std::string algorithm, gpu, reason;
};

struct Overview {
    std::vector<OverviewRow> rows; // by version, GPU and mask, in the order asked for
    std::vector<OverviewGap> gaps;
};

// The work of a row: bf16, 2048 / head dimension heads, and as many sequences as make 16k tokens (32k for
// FlashAttention-4), as in the papers.
[[nodiscard]] Scenario overviewScenario(
    const std::string& algorithm, const std::string& gpu, MaskKind mask, int headDim, int seqlen);

// An error where nothing can be predicted, or "cancelled".
[[nodiscard]] Result<Overview> overview(
    const OverviewRequest& request, const PublishedResults& published, const Progress& progress);
// What the program carries (resources/published/published_results.csv).
[[nodiscard]] const PublishedResults& shippedResults();

} // namespace flashstep
