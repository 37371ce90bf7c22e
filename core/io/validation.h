// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/emulation/predict.h"
#include "core/io/published_results.h"

namespace flashstep {

// A published number beside ours.
struct ValidatedRow {
    std::size_t result = 0; // of PublishedResults
    double predicted = 0, roofline = 0; // in the row's unit
    double errorPercent = 0, rooflineErrorPercent = 0;
    double clockMhz = 0;
};

// Rows of one GPU, algorithm, pass and tier.
struct ValidatedGroup {
    std::string presetGpu, presetAlgorithm, pass, tier;
    std::size_t rows = 0;
    double meanAbsErrorPercent = 0;
    double meanErrorPercent = 0; // with its sign: which way it errs
    double worstPercent = 0; // the largest, without its sign
    double rooflineErrorPercent = 0; // mean, without signs
};

struct Validation {
    std::vector<ValidatedRow> rows;
    std::vector<std::size_t> uncovered; // of PublishedResults; each has a reason
    std::vector<ValidatedGroup> groups; // core before extra, then as they first occur
};

// 100 (predicted - published) / published.
[[nodiscard]] double errorPercent(double predicted, double published);

// Predicts every result that has a scenario, each scenario once. A scenario that this version refuses leaves its result
// without one, and with the reason. The error is "cancelled". Scenarios are shared out among so many threads, the
// caller's own among them (0: one for each core); what comes out does not depend on how many.
[[nodiscard]] Result<Validation> validate(PublishedResults& published, const Progress& progress, unsigned threads = 0);
[[nodiscard]] std::vector<ValidatedGroup> groupsOf(
    const PublishedResults& published, const std::vector<ValidatedRow>& rows);

} // namespace flashstep
