// SPDX-License-Identifier: Apache-2.0
#include "core/io/op_differences.h"

#include "core/io/recorded_scenario.h"
#include "core/io/source_anchors.h"
#include "core/io/spans.h"
#include "core/ptx/kernel_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <tuple>

namespace flashstep {

namespace {

// Numbers for words, in the order in which they come.
class Names {
public:
    explicit Names(std::vector<std::string>& list)
        : m_list(list)
    {
    }
    std::uint32_t of(std::string_view name)
    {
        const auto [at, isNew] = m_numbers.emplace(std::string(name), static_cast<std::uint32_t>(m_list.size()));
        if (isNew)
            m_list.emplace_back(name);
        return at->second;
    }

private:
    std::vector<std::string>& m_list;
    std::map<std::string, std::uint32_t, std::less<>> m_numbers;
};

// The label of an op: the anchor of the line that tells of it, or its kind.
class AnchorLabels {
public:
    AnchorLabels(const AnchoredText& text, LineMap map)
        : m_text(text)
        , m_map(std::move(map))
    {
    }
    [[nodiscard]] std::string of(const Op& op) const
    {
        const int line = m_map.lineOf(op);
        return line > 0 ? m_text.lines[static_cast<std::size_t>(line) - 1].ops.front() : std::string(name(op.kind));
    }

private:
    const AnchoredText& m_text;
    LineMap m_map;
};

// "mma out=S (0, 1)": what stands before the tile.
std::string_view labelIn(std::string_view sliceName)
{
    const std::size_t tile = sliceName.rfind(" (");
    return tile == std::string_view::npos || !sliceName.ends_with(')') ? sliceName : sliceName.substr(0, tile);
}

// CTAs of each launch of a kernel of ours on the problem that the file names; empty where it does not say.
std::vector<std::int64_t> launchesOf(const Recording& recording)
{
    const cuda::KernelPlan* kernel = cuda::findKernelPlan(recording.metadataText("kernel", "name"));
    const Result<ScenarioFile> file = recordedScenario(recording);
    if (kernel == nullptr || !file)
        return {};
    const Result<cuda::LaunchPlan> plan = ptx::planKernel(*kernel, file->scenario.problem);
    std::vector<std::int64_t> ctas;
    for (const cuda::Launch& launch : plan ? plan->launches : std::vector<cuda::Launch> {})
        ctas.push_back(static_cast<std::int64_t>(launch.grid[0]) * launch.grid[1] * launch.grid[2]);
    return ctas;
}

double quantile(const std::vector<double>& sorted, double share)
{
    const double at = share * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const std::size_t high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

struct Spread {
    double median = 0, between = 0, sum = 0;
};
Spread spreadOf(std::vector<double> values)
{
    if (values.empty())
        return {};
    std::sort(values.begin(), values.end());
    return { quantile(values, 0.5), quantile(values, 0.75) - quantile(values, 0.25),
        std::accumulate(values.begin(), values.end(), 0.0) };
}

// Rows of one side in the order of what they are; op and role by numbers that both sides share. The CTA is the one of
// its launch.
struct Keyed {
    std::uint32_t op = 0, role = 0, launch = 0, row = 0;
    std::int64_t cta = 0, i = 0, j = 0, begin = 0;
    [[nodiscard]] auto what() const { return std::tie(op, launch, cta, role, i, j); }
};

std::vector<Keyed> keyed(const OpTimes& times, Names& ops, Names& roles)
{
    std::vector<std::uint32_t> opNumbers, roleNumbers;
    for (const std::string& op : times.ops)
        opNumbers.push_back(ops.of(op));
    for (const std::string& role : times.roles)
        roleNumbers.push_back(roles.of(role));
    std::vector<std::int64_t> firstCta(times.launchCtas.size() + 1, 0);
    for (std::size_t k = 0; k < times.launchCtas.size(); ++k)
        firstCta[k + 1] = firstCta[k] + times.launchCtas[k];
    std::vector<Keyed> rows;
    rows.reserve(times.rows.size());
    for (std::size_t k = 0; k < times.rows.size(); ++k) {
        const OpTimes::Row& row = times.rows[k];
        rows.push_back({ opNumbers[row.op], roleNumbers[row.role], row.launch, static_cast<std::uint32_t>(k),
            row.cta - firstCta[row.launch], row.i, row.j, row.begin });
    }
    return rows;
}

// Key blocks tell two instances of an op apart only where both sides name them always.
void forgetUnnamedBlocks(std::vector<Keyed>& a, std::vector<Keyed>& b, std::size_t ops)
{
    std::vector<bool> unnamed(ops, false);
    for (const std::vector<Keyed>* side : { &a, &b })
        for (const Keyed& row : *side)
            if (row.j == OpTimes::none)
                unnamed[row.op] = true;
    for (std::vector<Keyed>* side : { &a, &b }) {
        for (Keyed& row : *side)
            row.j = unnamed[row.op] ? OpTimes::none : row.j;
        std::sort(side->begin(), side->end(), [](const Keyed& x, const Keyed& y) {
            return std::tuple_cat(x.what(), std::tie(x.begin, x.row))
                < std::tuple_cat(y.what(), std::tie(y.begin, y.row));
        });
    }
}

// Launches that the two sides cut into CTAs differently have no CTAs in common.
std::vector<bool> incomparable(OpDifferences& d)
{
    const std::size_t both = std::min(d.a.launchCtas.size(), d.b.launchCtas.size());
    std::vector<bool> launches(std::max(d.a.launchCtas.size(), d.b.launchCtas.size()) + 1, false);
    for (std::size_t k = 0; k < both; ++k) {
        if (d.a.launchCtas[k] == d.b.launchCtas[k])
            continue;
        launches[k] = true;
        d.notes.push_back(fmt::format("launch {} has {} CTAs in {}, {} in {}: its ops cannot be compared one by one",
            k + 1, d.a.launchCtas[k], d.a.what, d.b.launchCtas[k], d.b.what));
    }
    return launches;
}

std::string perSecondText(const OpTimes& times)
{
    return fmt::format("{} of {} ({}) at {:.6g} MHz", times.unit, times.what, times.standing, times.perSecond / 1e6);
}

void noteClocks(OpDifferences& d)
{
    d.converted = d.a.perSecond > 0 && d.b.perSecond > 0;
    d.factor = d.converted ? d.a.perSecond / d.b.perSecond : 1;
    if (!d.converted)
        d.notes.push_back(fmt::format("the clock of {} is not known: its {} stand beside the {} of {} as they are",
            d.b.perSecond > 0 ? d.a.what : d.b.what, d.b.unit, d.a.unit, d.a.what));
    else if (d.factor != 1)
        d.notes.push_back(
            fmt::format("{} are turned into {}: times {:.6g}", perSecondText(d.b), perSecondText(d.a), d.factor));
}

void summarise(OpDifferences& d, const std::vector<Keyed>& a, const std::vector<Keyed>& b)
{
    d.summaries.resize(d.ops.size());
    std::vector<std::uint32_t> opOfA(d.a.rows.size()), opOfB(d.b.rows.size());
    for (const Keyed& row : a)
        opOfA[row.row] = row.op;
    for (const Keyed& row : b)
        opOfB[row.row] = row.op;
    for (const std::uint32_t row : d.onlyInA)
        ++d.summaries[opOfA[row]].onlyInA;
    for (const std::uint32_t row : d.onlyInB)
        ++d.summaries[opOfB[row]].onlyInB;
    std::size_t at = 0;
    for (std::uint32_t op = 0; op < d.ops.size(); ++op) {
        OpSummary& summary = d.summaries[op];
        summary.op = op;
        summary.firstPair = static_cast<std::uint32_t>(at);
        std::vector<double> timesA, timesB;
        for (; at < d.pairs.size() && opOfA[d.pairs[at].a] == op; ++at) {
            timesA.push_back(d.timeA(d.pairs[at]));
            timesB.push_back(d.timeB(d.pairs[at]));
        }
        summary.pairs = static_cast<std::uint32_t>(timesA.size());
        const Spread ofA = spreadOf(std::move(timesA)), ofB = spreadOf(std::move(timesB));
        summary.medianA = ofA.median;
        summary.spreadA = ofA.between;
        summary.sumA = ofA.sum;
        summary.medianB = ofB.median;
        summary.spreadB = ofB.between;
        summary.sumB = ofB.sum;
    }
}

} // namespace

Result<OpTimes> opTimes(const Trace& trace)
{
    const Program& program = trace.program();
    Result<std::optional<AnchoredText>> text = anchoredText(SourceText::Cuda, program.algorithm, program.pass);
    if (!text)
        return text.error();
    if (!*text)
        return Error { fmt::format("there is no CUDA kernel of {} {} whose ops it could be compared by",
                           program.algorithm, program.pass),
            "", "standard, fa1, fa2 forward" };
    Result<LineMap> map = LineMap::make(**text, program);
    if (!map)
        return map.error();
    const AnchorLabels labels(**text, std::move(*map));
    OpTimes times;
    times.what = "schedule";
    times.standing = "modelled";
    times.unit = "cycles";
    times.perSecond = trace.clockMhz() * 1e6;
    Names ops(times.ops), roles(times.roles);
    std::vector<std::uint32_t> opNumbers(program.ops.size(), ~0U), roleNumbers;
    for (const RoleDecl& role : program.roles)
        roleNumbers.push_back(roles.of(role.name));
    std::size_t previous = ~std::size_t { 0 };
    forEachSpan(trace, Range::whole(trace),
        { [](CtaId) { return true; },
            [&](const Span& span) {
                std::uint32_t& number = opNumbers[span.opId.index()];
                if (number == ~0U)
                    number = ops.of(labels.of(*span.op));
                const std::uint32_t role = roleNumbers[span.op->role.index()];
                const auto cta = static_cast<std::int64_t>(span.cta.index());
                if (previous < times.rows.size() && times.rows[previous].role == role
                    && times.rows[previous].cta == cta)
                    times.rows[previous].length = span.begin - times.rows[previous].begin;
                previous = times.rows.size();
                times.rows.push_back({ number, role, program.work(span.work).launch, cta, span.i, span.j, span.begin,
                    span.end - span.begin, static_cast<std::uint32_t>(span.instance.index()) });
                return true;
            } });
    for (const LaunchDecl& launch : program.launches)
        times.launchCtas.push_back(launch.ctaCount);
    std::size_t untimed = 0;
    for (std::size_t c = 0; c < program.ctaCount(); ++c)
        untimed += trace.hasEvents(CtaId(c)) ? 0 : 1;
    if (untimed > 0)
        times.notes.push_back(fmt::format(
            "the schedule timed {} of {} CTAs in two steps: their ops have no times", untimed, program.ctaCount()));
    return times;
}

OpTimes opTimes(const Recording& recording, std::string what)
{
    OpTimes times;
    times.what = std::move(what);
    times.standing = recording.modelled() ? "modelled" : recording.standing();
    times.unit = recording.clock().unitName();
    times.perSecond = recording.clock().known ? recording.clock().perSecond() : 0;
    times.launchCtas = launchesOf(recording);
    Names ops(times.ops), roles(times.roles);
    std::size_t open = 0;
    const std::int64_t ctas = std::accumulate(times.launchCtas.begin(), times.launchCtas.end(), std::int64_t { 0 });
    for (const Recording::Track& track : recording.tracks()) {
        const std::span<const Recording::Slice> slices = recording.slicesOf(track);
        for (std::size_t k = 0; k < slices.size(); ++k) {
            const Recording::Slice& slice = slices[k];
            const std::string_view role = recording.textOf(slice, "role");
            open += slice.open ? 1 : 0;
            times.rows.push_back({ ops.of(labelIn(recording.text(slice.name))),
                roles.of(role.empty() ? recording.text(track.name) : role), 0,
                recording.integer(slice, "cta", OpTimes::none), recording.integer(slice, "i", OpTimes::none),
                recording.integer(slice, "j", OpTimes::none), slice.begin, slice.end - slice.begin,
                static_cast<std::uint32_t>(track.firstSlice + k) });
        }
    }
    std::int64_t past = 0;
    for (const OpTimes::Row& row : times.rows)
        past = std::max(past, row.cta + 1);
    if (past > ctas)
        times.launchCtas.clear(); // not launched as the kernel's own data say
    for (OpTimes::Row& row : times.rows)
        for (std::int64_t first = 0; row.launch + 1 < times.launchCtas.size(); ++row.launch) {
            first += times.launchCtas[row.launch];
            if (row.cta < first)
                break;
        }
    if (const std::int64_t dropped = std::atoll(recording.metadataText("dropped_stamps").c_str()); dropped > 0)
        times.notes.push_back(fmt::format("{}: {} stamps found no room and are missing", times.what, dropped));
    if (open > 0)
        times.notes.push_back(fmt::format("{}: {} ops have no end", times.what, open));
    return times;
}

OpDifferences differencesOf(OpTimes a, OpTimes b)
{
    OpDifferences d;
    d.a = std::move(a);
    d.b = std::move(b);
    d.notes.insert(d.notes.end(), d.a.notes.begin(), d.a.notes.end());
    d.notes.insert(d.notes.end(), d.b.notes.begin(), d.b.notes.end());
    noteClocks(d);
    std::vector<std::string> roleNames;
    Names ops(d.ops), roles(roleNames);
    std::vector<Keyed> rowsA = keyed(d.a, ops, roles), rowsB = keyed(d.b, ops, roles);
    forgetUnnamedBlocks(rowsA, rowsB, d.ops.size());
    const std::vector<bool> apart = incomparable(d);
    std::size_t x = 0, y = 0;
    while (x < rowsA.size() || y < rowsB.size()) {
        if (y == rowsB.size() || (x < rowsA.size() && rowsA[x].what() < rowsB[y].what()))
            d.onlyInA.push_back(rowsA[x++].row);
        else if (x == rowsA.size() || rowsB[y].what() < rowsA[x].what())
            d.onlyInB.push_back(rowsB[y++].row);
        else if (apart[rowsA[x].launch]) {
            d.onlyInA.push_back(rowsA[x++].row);
            d.onlyInB.push_back(rowsB[y++].row);
        } else
            d.pairs.push_back({ rowsA[x++].row, rowsB[y++].row });
    }
    summarise(d, rowsA, rowsB);
    return d;
}

} // namespace flashstep
