// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/comparison.h"

#include "core/program/quantise.h"
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
    const bool scaled = !run.inputs->qFactors.none();
    const Inputs values = scaled ? dequantised(*run.inputs) : Inputs {};
    const Inputs& inputs = scaled ? values : *run.inputs;
    ErrorSums sums;
    std::vector<double> o;
    std::vector<double> lse;
    const bool kernelLse = choicesOf(run.scenario).kernelEmptyRowLse;
    const bool all = run.o.data.size() > 0 && run.scenario.record.kind == Record::Kind::All;
    const auto tiles = program.tileWorks.size();
    for (std::size_t t = 0; t < tiles; ++t) {
        const Work& work = program.works[program.tileWorks[t]];
        const CtaId owner = run.trace->ctaOf(WorkId(program.tileWorks[t]));
        if (!all && !(owner.valid() && run.trace->hasValues(owner)))
            continue;
        if (progress.cancelled())
            return Error { "cancelled", "comparison with float64", {} };
        const int firstRow = static_cast<int>(t % static_cast<std::size_t>(program.queryTiles())) * program.tile.rows;
        const int rows = std::min(program.tile.rows, program.headRows() - firstRow);
        o.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(p.headDimV));
        lse.resize(static_cast<std::size_t>(rows));
        const auto exactRows = [&](int h, int row, int count, int at) {
            ReferenceHead head;
            head.q = inputs.q.row(work.b, h, 0).data();
            head.k = inputs.k.row(work.b, p.kvHeadOf(h), 0).data();
            head.v = inputs.v.row(work.b, p.kvHeadOf(h), 0).data();
            head.headDim = p.headDim;
            head.headDimV = p.headDimV;
            head.scale = p.softmaxScale();
            head.visibleKeys = [&p](int query) {
                const Problem::KeyRange keys = p.visibleKeys(query);
                return std::pair(keys.first, keys.last);
            };
            referenceForward(
                head, row, row + count, o.data() + static_cast<std::ptrdiff_t>(at) * p.headDimV, lse.data() + at);
        };
        if (program.packed == 1)
            exactRows(work.h, firstRow, rows, 0);
        for (int r = 0; program.packed > 1 && r < rows; ++r) {
            const Program::QueryRow row = program.queryRow(work.h, firstRow + r);
            exactRows(row.h, row.row, 1, r);
        }
        for (int r = 0; r < rows; ++r) {
            const Program::QueryRow row = program.queryRow(work.h, firstRow + r);
            const auto ours = run.o.row(work.b, row.h, row.row);
            for (int d = 0; d < p.headDimV; ++d) {
                const double e = ErrorSums::difference(ours[static_cast<std::size_t>(d)],
                    o[static_cast<std::size_t>(r) * static_cast<std::size_t>(p.headDimV)
                        + static_cast<std::size_t>(d)]);
                sums.maxO = std::max(sums.maxO, e);
                sums.sumSquares += e * e;
                ++sums.count;
            }
            if (kernelLse && std::isinf(lse[static_cast<std::size_t>(r)]))
                lse[static_cast<std::size_t>(r)] = std::numeric_limits<double>::infinity(); // as the kernel stores it
            sums.maxLse = std::max(sums.maxLse,
                ErrorSums::difference(run.lse.row(work.b, row.h, row.row)[0], lse[static_cast<std::size_t>(r)]));
        }
        progress.at(0.8 + 0.2 * static_cast<double>(t + 1) / static_cast<double>(tiles));
    }
    if (sums.count > 0) {
        run.report.maxAbsError = sums.maxO;
        run.report.rmsError = std::sqrt(sums.sumSquares / static_cast<double>(sums.count));
        run.report.maxAbsErrorLse = sums.maxLse;
    }
    return Nothing {};
}

} // namespace flashstep
