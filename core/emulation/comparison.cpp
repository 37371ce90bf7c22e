// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/comparison.h"

#include "core/tensor/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashstep {

namespace {

struct ErrorSums {
    double maxO = 0, sumSquares = 0, maxLse = 0;
    std::uint64_t count = 0;

    // Not finite in the reference: equal is right, anything else is infinitely wrong.
    static double difference(double ours, double exact)
    {
        if (std::isfinite(exact) && std::isfinite(ours))
            return std::fabs(ours - exact);
        const bool same = (std::isnan(ours) && std::isnan(exact)) || ours == exact;
        return same ? 0 : std::numeric_limits<double>::infinity();
    }
};

} // namespace

Status compareWithReference(Run& run, const Progress& progress)
{
    const Program& program = *run.program;
    const Problem& p = program.problem;
    ErrorSums sums;
    std::vector<double> o;
    std::vector<double> lse;
    const LaunchDecl& launch = program.launches.back();
    for (std::uint32_t k = launch.firstCta; k < launch.firstCta + launch.ctaCount; ++k) {
        if (!run.trace->hasValues(CtaId(k))
            && !(run.o.data.size() > 0 && run.scenario.record.kind == Record::Kind::All))
            continue;
        if (progress.cancelled())
            return Error { "cancelled", "comparison with float64", {} };
        const Cta& cta = program.ctas[k];
        const int rows = program.rowsInside(cta);
        o.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(p.headDimV));
        lse.resize(static_cast<std::size_t>(rows));
        ReferenceHead head;
        head.q = run.inputs->q.row(cta.b, cta.h, 0).data();
        head.k = run.inputs->k.row(cta.b, p.kvHeadOf(cta.h), 0).data();
        head.v = run.inputs->v.row(cta.b, p.kvHeadOf(cta.h), 0).data();
        head.headDim = p.headDim;
        head.headDimV = p.headDimV;
        head.scale = p.softmaxScale();
        head.visibleKeys = [&p](int row) {
            const Problem::KeyRange keys = p.visibleKeys(row);
            return std::pair(keys.first, keys.last);
        };
        referenceForward(head, cta.row, cta.row + rows, o.data(), lse.data());
        for (int r = 0; r < rows; ++r) {
            const auto ours = run.o.row(cta.b, cta.h, cta.row + r);
            for (int d = 0; d < p.headDimV; ++d) {
                const double e = ErrorSums::difference(ours[static_cast<std::size_t>(d)],
                    o[static_cast<std::size_t>(r) * static_cast<std::size_t>(p.headDimV)
                        + static_cast<std::size_t>(d)]);
                sums.maxO = std::max(sums.maxO, e);
                sums.sumSquares += e * e;
                ++sums.count;
            }
            sums.maxLse = std::max(sums.maxLse,
                ErrorSums::difference(run.lse.row(cta.b, cta.h, cta.row + r)[0], lse[static_cast<std::size_t>(r)]));
        }
        progress.at(0.8 + 0.2 * (k - launch.firstCta + 1) / launch.ctaCount);
    }
    if (sums.count > 0) {
        run.report.maxAbsError = sums.maxO;
        run.report.rmsError = std::sqrt(sums.sumSquares / static_cast<double>(sums.count));
        run.report.maxAbsErrorLse = sums.maxLse;
    }
    return Nothing {};
}

} // namespace flashstep
