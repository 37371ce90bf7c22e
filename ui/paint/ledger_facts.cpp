// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/ledger_facts.h"

#include "core/tensor/exp2_polynomial.h"
#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "ui/paint/tile_parts.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashstep::paint {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr double minusInf = -std::numeric_limits<double>::infinity();

double normOf(std::span<const float> row)
{
    double sum = 0;
    for (const float value : row)
        sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum);
}

std::span<const float> rowOf(const TileValues& values, int row)
{
    if (row >= values.rows)
        return {};
    const auto width = static_cast<std::size_t>(values.cols);
    return { values.data.data() + static_cast<std::size_t>(row) * width, width };
}

double outputNorm(const TileValues& values, int row)
{
    const std::span<const float> one = rowOf(values, row);
    return one.empty() ? none : normOf(one);
}

double withoutOffset(const TileNumbers& tile, double l)
{
    return l * exp2Real(-tile.offset);
}

double largest(std::span<const float> values)
{
    double most = 0;
    for (const float value : values)
        most = std::isnan(value) ? none : std::max(most, static_cast<double>(value));
    return most;
}

// l as the visit before left it.
double sumBefore(const Trace& trace, int b, int h, const TileNumbers& tile, int row, Position p)
{
    if (tile.n <= 1)
        return tile.n == 1 ? 0 : none;
    for (const TileVisit& visit : visitsOf(trace, b, h, tile.i))
        if (visit.n == tile.n - 1) {
            const TileNumbers before = tileNumbers(trace, b, h, tile.i, visit.j, p);
            return withoutOffset(before, before.row[static_cast<std::size_t>(row)].l);
        }
    return none;
}

// The stored numbers of V are of one frame only where one factor holds for all of it.
bool sameFrame(const Inputs& inputs)
{
    return inputs.vFactors.none() || inputs.vFactors.rows >= inputs.v.seqlen;
}

Otherwise otherwise(
    const Program& program, const Inputs* inputs, int b, int h, const TileNumbers& tile, const RowFacts& facts)
{
    Otherwise other;
    other.outputNorm = other.quotientNorm = other.apart = other.l = none;
    const std::vector<float> scores = scoresOf(tile, facts.row);
    const bool there = !std::isnan(facts.blockMax) && !std::isnan(facts.lBefore) && !tile.ownMaximum && !tile.divided;
    const bool moved = facts.decision == RowDecision::Rescale;
    if (!there || (!moved && facts.decision != RowDecision::Kept))
        return other;
    other.decision = moved ? RowDecision::Kept : RowDecision::Rescale;
    other.reference = moved ? facts.before : facts.most;
    other.scale = moved ? 1 : static_cast<double>(exp2Unit(static_cast<float>(facts.before - facts.most)));
    std::vector<float> p = probabilitiesOf(program, scores, other.reference);
    double added = 0;
    for (const float value : p)
        added += static_cast<double>(value);
    other.l = facts.lBefore * other.scale + withoutOffset(tile, added);
    const DType dtype = program.problem.dtype;
    for (float& value : p) {
        other.overflowing += value > maxFinite(dtype) ? 1 : 0;
        value = roundTo(dtype, value);
    }
    other.mostP = largest(p);
    const std::span<const float> before = rowOf(tile.oBefore, facts.row), after = rowOf(tile.oAfter, facts.row);
    if (inputs == nullptr || !sameFrame(*inputs) || !tile.landed || before.empty())
        return other;
    const int kvHead = program.problem.kvHeadOf(program.queryRow(h, tile.firstRow + facts.row).h);
    std::vector<float> o(before.begin(), before.end());
    for (float& value : o)
        value *= static_cast<float>(other.scale);
    for (int k = 0; k < tile.keys; ++k) {
        const std::span<const float> v = inputs->v.row(b, kvHead, tile.firstKey + k);
        for (std::size_t d = 0; d < o.size(); ++d)
            o[d] += p[static_cast<std::size_t>(k)] * v[d];
    }
    other.outputNorm = normOf(o);
    const double raw = other.l * exp2Real(tile.offset), rawActual = facts.l * exp2Real(tile.offset);
    other.quotientNorm = other.outputNorm / raw;
    other.apart = 0;
    for (std::size_t d = 0; d < o.size(); ++d)
        other.apart = std::max(
            other.apart, std::fabs(static_cast<double>(o[d]) / raw - static_cast<double>(after[d]) / rawActual));
    return other;
}

} // namespace

bool keepsLogSumExp(const Program& program)
{
    return program.bufferOf("LSE_prev", static_cast<int>(program.launches.size()) - 1, 0).valid();
}

bool keepsStatistics(const Trace& trace, CtaId cta)
{
    const Program& program = trace.program();
    const auto works = trace.worksOf(cta);
    if (works.empty())
        return false;
    const int launch = program.work(works.front()).launch;
    for (const char* buffer : { "m", "l", "scale", "O" })
        if (!program.bufferOf(buffer, launch, 0).valid())
            return false;
    return true;
}

QString whyNoRows(const Trace& trace, CtaId cta)
{
    if (trace.worksOf(cta).empty())
        return QStringLiteral("This CTA has no work.");
    if (!keepsStatistics(trace, cta))
        return QStringLiteral(
            "This version keeps no running statistics: every row's maximum and sum come from S at once.");
    return QStringLiteral("The values of this CTA were not computed, so there are no statistics of its rows.");
}

TileNumbers ledgerTile(const Trace& trace, int b, int h, int i, int j, Position p)
{
    TileNumbers tile = tileNumbers(trace, b, h, i, j, p);
    const Program& program = trace.program();
    if (tile.n <= 1 || program.launches.back().sweep == 0 || !keepsLogSumExp(program))
        return tile;
    if (const auto at = trace.block(b, h, i, tile.n)) // all its visits' maxima are known to the ledger then
        for (const RowState& state : ledgerAt(trace, tile.cta, *at)) {
            const int row = state.row * program.packed + state.h % program.packed - tile.firstRow;
            if (state.b == b && state.h == h && row >= 0 && row < tile.rows)
                if (double& most = tile.row[static_cast<std::size_t>(row)].most; !std::isnan(most))
                    most = state.m * log2e;
        }
    return tile;
}

double gapOf(const TileNumbers& tile, int row)
{
    const TileNumbers::Row& r = tile.row[static_cast<std::size_t>(row)];
    return (tile.lazy ? r.most : r.used) - r.before;
}

QString decisionText(RowDecision decision)
{
    switch (decision) {
    case RowDecision::NothingVisible:
        return QStringLiteral("nothing visible");
    case RowDecision::First:
        return QStringLiteral("first");
    case RowDecision::Rescale:
        return QStringLiteral("rescale");
    case RowDecision::Kept:
        return QStringLiteral("kept");
    default:
        return {};
    }
}

RowDecision decisionOf(const TileNumbers& tile, int row)
{
    if (row < 0 || row >= static_cast<int>(tile.row.size()))
        return RowDecision::Unknown;
    const TileNumbers::Row& r = tile.row[static_cast<std::size_t>(row)];
    if (std::isnan(r.used))
        return RowDecision::Unknown;
    if (r.blockMax == minusInf)
        return RowDecision::NothingVisible;
    if (tile.n == 1 || r.before == minusInf)
        return RowDecision::First;
    return tile.lazy && r.used == r.before ? RowDecision::Kept : RowDecision::Rescale;
}

bool asksRescale(const TileNumbers& tile, int row)
{
    const TileNumbers::Row& r = tile.row[static_cast<std::size_t>(row)];
    return tile.n > 1 && !std::isnan(r.used) && !(r.used == r.before && std::isfinite(r.before));
}

int rowOnShow(const TileNumbers& tile, int chosen)
{
    if (chosen >= tile.firstRow && chosen < tile.firstRow + tile.rows)
        return chosen - tile.firstRow;
    int decided = -1;
    for (int r = 0; r < tile.rows; ++r) {
        const TileNumbers::Row& row = tile.row[static_cast<std::size_t>(r)];
        if (decisionOf(tile, r) == RowDecision::Unknown)
            continue;
        if (gapOf(tile, r) > 0 && std::isfinite(row.before))
            return r;
        decided = decided < 0 ? r : decided;
    }
    return tile.rows == 0 ? -1 : std::max(0, decided);
}

std::vector<WarpVote> warpVotes(const Trace& trace, int b, int h, const TileNumbers& tile)
{
    std::vector<WarpVote> votes;
    if (!tile.lazy || tile.n <= 1)
        return votes;
    for (const TilePart& part : tileParts(trace, b, h, tile.i, tile.j, tile.n)) {
        if (!part.rescale.valid() || !trace.program().op(part.rescale).conditional)
            continue;
        const VotingWarps voting = votingWarps(trace.program(), trace.program().op(part.rescale));
        for (int warp = 0; warp < voting.warps && warp * voting.rowsEach < tile.rows; ++warp) {
            WarpVote& vote = votes.emplace_back();
            vote.firstRow = warp * voting.rowsEach;
            vote.rows = std::min(voting.rowsEach, tile.rows - vote.firstRow);
            for (int r = vote.firstRow; r < vote.firstRow + vote.rows; ++r)
                vote.asking += asksRescale(tile, r) ? 1 : 0;
            if (tile.vote)
                vote.multiplies = voting.multiply(*tile.vote, vote.firstRow);
        }
    }
    return votes;
}

std::vector<TileVisit> visitsOf(const Trace& trace, int b, int h, int i)
{
    const Program& program = trace.program();
    const WorkId id = trace.workOfTile(b, h, i);
    std::vector<TileVisit> visits;
    if (!trace.ctaOf(id).valid())
        return visits;
    const Work& work = program.work(id);
    for (const StepDecl& step : trace.streamOf(trace.productsOf(id)).steps)
        if (step.i == i - work.i)
            visits.push_back({ step.n, work.jBase + step.j });
    std::sort(visits.begin(), visits.end(), [](const TileVisit& x, const TileVisit& y) { return x.n < y.n; });
    return visits;
}

std::vector<float> probabilitiesOf(const Program& program, std::span<const float> scores, double reference)
{
    const SoftmaxForm& form = program.softmax;
    const float shift = (reference == minusInf ? 0.0F : static_cast<float>(reference)) - form.offset;
    std::vector<float> p(scores.size());
    exp2UnitRow(scores.data(), p.data(), static_cast<int>(scores.size()), 1.0F, shift);
    if (form.emulated.empty())
        return p;
    std::vector<float> byPolynomial(scores.size());
    exp2PolynomialRow(
        scores.data(), byPolynomial.data(), static_cast<int>(scores.size()), 1.0F, shift, form.polynomialDegree);
    for (std::size_t k = 0; k < p.size() && k < form.emulated.size(); ++k)
        if (form.emulated[k])
            p[k] = byPolynomial[k];
    return p;
}

double referenceOfP(const TileNumbers& tile, int row)
{
    const TileNumbers::Row& r = tile.row[static_cast<std::size_t>(row)];
    return tile.ownMaximum ? r.blockMax : r.used;
}

std::vector<float> scoresOf(const TileNumbers& tile, int row)
{
    const std::span<const float> one = rowOf(tile.s, row);
    return { one.begin(), one.end() };
}

bool Ceiling::clips() const
{
    return exp2Real(log2Most) > holds;
}

Ceiling ceilingOf(const Program& program)
{
    const SoftmaxForm& form = program.softmax;
    return { (form.conditional ? static_cast<double>(form.threshold) : 0) + static_cast<double>(form.offset),
        program.problem.dtype, static_cast<double>(maxFinite(program.problem.dtype)) };
}

bool sumIsNan(const TileNumbers& tile, int row, const RowState& state)
{
    return std::isnan(tile.row[static_cast<std::size_t>(row)].l) && std::isnan(state.l) && tile.n > 0
        && state.blocks >= tile.n;
}

RowFacts rowFacts(const Trace& trace, const Inputs* inputs, int b, int h, const TileNumbers& tile, int row, Position p)
{
    RowFacts facts;
    facts.row = row;
    const TileNumbers::Row& r = tile.row[static_cast<std::size_t>(row)];
    facts.decision = decisionOf(tile, row);
    facts.asks = asksRescale(tile, row);
    facts.blockMax = r.blockMax;
    facts.before = r.before;
    facts.used = r.used;
    facts.most = r.most;
    facts.scale = r.scale;
    facts.gap = gapOf(tile, row);
    facts.lBefore = sumBefore(trace, b, h, tile, row, p);
    facts.l = withoutOffset(tile, r.l);
    facts.lAdded = facts.mostP = none;
    if (const double reference = referenceOfP(tile, row); !std::isnan(reference) && !std::isnan(r.blockMax)) {
        facts.lAdded = 0;
        for (const float value : probabilitiesOf(trace.program(), scoresOf(tile, row), reference))
            facts.lAdded += static_cast<double>(value);
        facts.lAdded = withoutOffset(tile, facts.lAdded);
        facts.mostP = largest(rowOf(tile.p, row));
    }
    facts.outputBefore = tile.n == 1 ? 0 : outputNorm(tile.oBefore, row);
    facts.outputAfter = outputNorm(tile.oAfter, row);
    facts.quotientNorm = tile.divided ? facts.outputAfter : facts.outputAfter / r.l;
    if (tile.divided && !std::isnan(r.used)) {
        RowFacts::Divided& divided = facts.divided.emplace();
        divided.ownMaximum = tile.ownMaximum;
        divided.oldFactor = tile.n == 1 ? none : r.scale;
        divided.blockFactor = tile.ownMaximum
            ? static_cast<double>(exp2Unit(static_cast<float>(r.blockMax == minusInf ? minusInf : r.blockMax - r.used)))
            : 1;
        divided.inverse = r.l > 0 ? 1 / r.l : none;
    }
    const Program& program = trace.program();
    if (std::isnan(r.l) && facts.decision != RowDecision::Unknown)
        for (const RowState& state : ledgerAt(trace, tile.cta, p))
            if (state.b == b && state.h / program.packed == h / program.packed
                && state.row * program.packed + state.h % program.packed == tile.firstRow + row)
                facts.sumIsNan = facts.sumIsNan || sumIsNan(tile, row, state);
    facts.outputIsNan = tile.recorded && tile.landed && std::isnan(facts.outputAfter);
    facts.otherwise = otherwise(trace.program(), inputs, b, h, tile, facts);
    return facts;
}

} // namespace flashstep::paint
