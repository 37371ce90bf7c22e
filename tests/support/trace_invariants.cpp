// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trace_invariants.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <tuple>

namespace flashstep::test {

bool sameBits(const std::vector<float>& a, const std::vector<float>& b)
{
    if (a.size() != b.size())
        return false;
    for (std::size_t k = 0; k < a.size(); ++k)
        if (std::memcmp(&a[k], &b[k], sizeof(float)) != 0 && !(std::isnan(a[k]) && std::isnan(b[k])))
            return false;
    return true;
}

namespace {

// A role's ops, one work after the other.
void expectRoleInOrder(const Trace& trace, CtaId cta, std::size_t role)
{
    Position before { 0 };
    for (const WorkId work : trace.worksOf(cta)) {
        const RoleRange& range = trace.streamOf(work).roles[role];
        for (std::uint32_t k = range.first; k < range.first + range.count; ++k) {
            const Op& op = trace.program().ops[k];
            const InstanceId instance = trace.instance(work, OpId(k));
            ASSERT_EQ(trace.opOf(instance), OpId(k));
            ASSERT_EQ(trace.workOf(instance), work);
            ASSERT_EQ(trace.ctaOf(instance), cta);
            const bool leftOut = (op.when == When::First && work != trace.worksOf(cta).front())
                || (op.when == When::Last && work != trace.worksOf(cta).back());
            ASSERT_EQ(trace.began(instance), !leftOut) << "work " << work.index() << " op " << k;
            if (leftOut)
                continue;
            ASSERT_TRUE(trace.ended(instance)) << "work " << work.index() << " op " << k;
            ASSERT_LT(before, trace.beginPosition(instance)) << "work " << work.index() << " op " << k;
            ASSERT_LT(trace.beginPosition(instance), trace.endPosition(instance));
            ASSERT_GE(trace.beginCycle(instance), trace.span(cta).begin);
            ASSERT_LE(trace.endCycle(instance), trace.span(cta).end);
            // What runs on its own lets its role go on at once; all else holds it to the end.
            const bool goesOn = op.async || (op.kind == OpKind::Arrive && op.reach != Reach::Own)
                || (op.kind == OpKind::NextTile && !op.in[0].valid());
            before = goesOn ? trace.beginPosition(instance) : trace.endPosition(instance);
        }
    }
}

} // namespace

void expectTimesInOrder(const Trace& trace)
{
    const Program& program = trace.program();
    for (std::uint32_t p = 1; p < trace.end().value; ++p)
        ASSERT_LE(trace.timeAt(Position { p }), trace.timeAt(Position { p + 1 })) << "event " << p;
    ASSERT_EQ(trace.timeAt(trace.end()), trace.cycles());
    std::vector<int> done(program.works.size());
    for (std::size_t c = 0; c < program.ctaCount(); ++c) {
        const CtaId cta(c);
        ASSERT_FALSE(trace.worksOf(cta).empty()) << "CTA " << c;
        for (const WorkId work : trace.worksOf(cta)) {
            ++done[work.index()];
            ASSERT_EQ(trace.ctaOf(work), cta);
        }
        for (std::size_t k = 0; k < trace.streamOf(trace.worksOf(cta).front()).roles.size(); ++k)
            expectRoleInOrder(trace, cta, k);
    }
    for (std::size_t w = 0; w < done.size(); ++w)
        ASSERT_EQ(done[w], 1) << "work " << w;
}

namespace {

bool perQuarter(Engine e)
{
    return e == Engine::Tensor || e == Engine::Exp || e == Engine::Alu || e == Engine::Issue;
}

bool takesTurns(Engine e)
{
    return e == Engine::Issue || e == Engine::Alu || e == Engine::Smem;
}

void expectEnginesServeOneAtATime(const Trace& trace)
{
    const Program& program = trace.program();
    std::map<std::tuple<Engine, int, int>, std::vector<std::pair<Cycle, Cycle>>> booked;
    for (const Hop& hop : trace.hops()) {
        const InstanceId instance(hop.instance);
        const int sm = hop.engine() == Engine::Hbm ? 0 : trace.span(trace.ctaOf(instance)).sm;
        const int quarter
            = perQuarter(hop.engine()) ? program.roles[program.op(trace.opOf(instance)).role.index()].quarter : 0;
        for (int q = std::max(quarter, 0); q < (quarter < 0 ? 4 : quarter + 1); ++q) // a warpgroup has all four
            booked[{ hop.engine(), sm, q }].emplace_back(hop.begin, hop.end());
        ASSERT_GE(hop.begin, trace.beginCycle(instance));
    }
    // Of engines that take turns, bookings lie over each other; only all of them together have to fit.
    std::erase_if(booked, [](const auto& of) { return takesTurns(std::get<0>(of.first)); });
    for (auto& [key, hops] : booked) {
        std::sort(hops.begin(), hops.end());
        // Engines keep 1/64 cycles and hops whole ones, rounded outwards: neighbours may share the cycle they meet in.
        for (std::size_t k = 1; k < hops.size(); ++k)
            ASSERT_LE(hops[k - 1].second - 1, hops[k].first) << name(std::get<0>(key)) << " of SM " << std::get<1>(key)
                                                             << " quarter " << std::get<2>(key) << ", hop " << k;
    }
    const double smCycles = static_cast<double>(trace.cycles()) * trace.smCount();
    for (std::size_t e = 0; e < engineCount; ++e) {
        const auto engine = static_cast<Engine>(e);
        const double servers = engine == Engine::Hbm
            ? static_cast<double>(trace.cycles())
            : smCycles * (perQuarter(engine) || engine == Engine::Registers ? 4 : 1);
        // Copies may still be on their way into SMEM in the last cycles: booked past the end, by less than a tile's
        // time.
        EXPECT_LE(trace.busy(engine), servers * 1.0 + 4096) << name(engine);
    }
}

} // namespace

void expectWithinCapacity(const Trace& trace, const GpuSpec& gpu)
{
    expectEnginesServeOneAtATime(trace);
    const Program& program = trace.program();
    // What is resident on each SM, at each moment a CTA comes or goes; those that go make room for those that come.
    std::map<int, std::vector<std::tuple<Cycle, int, std::size_t>>> changes;
    std::map<std::tuple<int, int>, std::vector<std::pair<Cycle, Cycle>>> slots;
    for (std::size_t c = 0; c < program.ctaCount(); ++c) {
        const CtaSpan& span = trace.span(CtaId(c));
        changes[span.sm].emplace_back(span.begin, +1, c);
        changes[span.sm].emplace_back(span.end, -1, c);
        slots[{ span.sm, span.slot }].emplace_back(span.begin, span.end);
        ASSERT_LT(span.sm, trace.smCount());
        ASSERT_LT(span.slot, trace.ctasPerSm());
    }
    for (auto& [slot, spans] : slots) {
        std::sort(spans.begin(), spans.end());
        for (std::size_t k = 1; k < spans.size(); ++k)
            ASSERT_LE(spans[k - 1].second, spans[k].first)
                << "two CTAs at once in slot " << std::get<1>(slot) << " of SM " << std::get<0>(slot);
    }
    for (auto& [sm, list] : changes) {
        std::sort(list.begin(), list.end());
        double bytes = 0;
        double threads = 0;
        double registers = 0;
        for (const auto& [cycle, sign, cta] : list) {
            const LaunchDecl& launch = program.launchOf(CtaId(cta));
            bytes += sign * (static_cast<double>(launch.smemBytes) + gpu.reservedSmemPerCtaKib * 1024);
            threads += sign * launch.threads;
            registers += sign * static_cast<double>(launch.threads) * launch.registersPerThread;
            ASSERT_LE(bytes, gpu.smemPerSmKib * 1024) << "SM " << sm << " at cycle " << cycle;
            ASSERT_LE(threads, gpu.maxThreadsPerSm) << "SM " << sm << " at cycle " << cycle;
            ASSERT_LE(registers, gpu.registersPerSm) << "SM " << sm << " at cycle " << cycle;
        }
        ASSERT_EQ(threads, 0) << "SM " << sm;
    }
}

void expectCountersToAddUp(const Trace& trace)
{
    const Program& program = trace.program();
    std::array<double, counterCount> totals {};
    for (std::uint32_t p = 0;; ++p) {
        for (std::size_t k = 0; k < counterCount; ++k)
            ASSERT_EQ(trace.counter(static_cast<Counter>(k), Position { p }), totals[k])
                << name(static_cast<Counter>(k)) << " at " << p;
        if (p == trace.end().value)
            break;
        const Event event = trace.eventAt(p);
        if (!event.ends)
            continue;
        const OpCounts counts = countsOf(program, program.work(trace.workOf(event.instance)), trace.op(event.instance));
        const auto vote = trace.voteOf(event.instance);
        const std::array<std::int64_t, counterCount> added { counts.globalRead, counts.globalWrite, counts.flops,
            counts.exp2, counts.exp2Emulated, vote ? vote->rowsDone : counts.rescales, vote ? vote->rowsSkipped : 0,
            vote ? vote->warpsDone : 0, vote ? vote->warpsSkipped : 0 };
        for (std::size_t k = 0; k < counterCount; ++k)
            totals[k] += static_cast<double>(added[k]);
    }
}

void expectEveryPairCoveredOnce(const Trace& trace)
{
    const Program& program = trace.program();
    const Problem& p = program.problem;
    for (const bool scores : { true, false }) {
        std::vector<std::uint8_t> covered(static_cast<std::size_t>(p.batch * p.heads)
            * static_cast<std::size_t>(p.seqlenQ) * static_cast<std::size_t>(p.seqlenK));
        for (std::uint32_t k = 0; k < trace.end().value; ++k) {
            const Event event = trace.eventAt(k);
            const Op& op = program.op(trace.opOf(event.instance));
            if (!event.ends || op.kind != OpKind::Mma || op.transposed != scores)
                continue;
            const WorkId id = trace.workOf(event.instance);
            const Work& work = program.work(id);
            const int firstKey = program.keyBlock(work, op) * program.tile.keys;
            // The product of a pair is that of both CTAs' works.
            for (std::size_t w = id.index(); w < id.index() + (op.reach == Reach::Both ? 2 : 1); ++w)
                program.rows(op).forEach([&](int r) {
                    const auto [h, row] = program.queryRow(work.h, program.firstRow(program.works[w], op) + r);
                    for (int key = firstKey; row < p.seqlenQ && key < std::min(firstKey + program.tile.keys, p.seqlenK);
                         ++key) {
                        if (op.keys.valid() && !program.rowSets[op.keys.index()].contains(key - firstKey))
                            continue; // another warp's key
                        const auto head = static_cast<std::size_t>(work.b * p.heads + h);
                        ++covered[(head * static_cast<std::size_t>(p.seqlenQ) + static_cast<std::size_t>(row))
                                * static_cast<std::size_t>(p.seqlenK)
                            + static_cast<std::size_t>(key)];
                    }
                });
        }
        for (std::size_t k = 0; k < covered.size(); ++k) {
            const int key = static_cast<int>(k % static_cast<std::size_t>(p.seqlenK));
            const int row
                = static_cast<int>(k / static_cast<std::size_t>(p.seqlenK) % static_cast<std::size_t>(p.seqlenQ));
            ASSERT_LE(covered[k], 1) << (scores ? "S" : "O") << " row " << row << " key " << key;
            ASSERT_GE(covered[k], p.visible(row, key) ? 1 : 0)
                << (scores ? "S" : "O") << " row " << row << " key " << key;
        }
    }
}

void expectSameEvents(const Trace& a, const Trace& b)
{
    ASSERT_EQ(a.end(), b.end());
    ASSERT_EQ(a.cycles(), b.cycles());
    for (std::uint32_t p = 0; p < a.end().value; ++p) {
        ASSERT_EQ(a.eventAt(p).instance, b.eventAt(p).instance) << "event " << p;
        ASSERT_EQ(a.eventAt(p).ends, b.eventAt(p).ends) << "event " << p;
        ASSERT_EQ(a.timeAt(Position { p + 1 }), b.timeAt(Position { p + 1 })) << "event " << p;
    }
    ASSERT_EQ(a.hops().size(), b.hops().size());
    for (std::size_t k = 0; k < a.hops().size(); ++k) {
        const Hop& x = a.hops()[k];
        const Hop& y = b.hops()[k];
        ASSERT_TRUE(x.instance == y.instance && x.begin == y.begin && x.packed == y.packed) << "hop " << k;
    }
    for (std::size_t c = 0; c < a.program().ctaCount(); ++c) {
        const CtaSpan& x = a.span(CtaId(c));
        const CtaSpan& y = b.span(CtaId(c));
        ASSERT_TRUE(x.begin == y.begin && x.end == y.end && x.sm == y.sm && x.slot == y.slot) << "CTA " << c;
    }
}

void expectSameValues(const Trace& a, const Trace& b, CtaId cta)
{
    ASSERT_TRUE(a.hasValues(cta) && b.hasValues(cta)) << "CTA " << cta.index();
    const Program& program = a.program();
    for (std::uint32_t p = 0; p <= a.end().value; ++p) {
        if (p > 0 && a.ctaOf(a.eventAt(p - 1).instance) != cta)
            continue;
        for (std::size_t k = 0; k < program.buffers.size(); ++k)
            ASSERT_TRUE(sameBits(
                a.value(cta, BufferId(k), Position { p }).data, b.value(cta, BufferId(k), Position { p }).data))
                << program.buffers[k].name << " of CTA " << cta.index() << " at " << p;
    }
}

std::string stateText(const Trace& trace, CtaId cta, Position p)
{
    const Program& program = trace.program();
    std::string text = fmt::format("position {} cycle {} cta {}\n", p.value, trace.timeAt(p), cta.index());
    for (const RoleState& role : rolesAt(trace, cta, p)) {
        text += fmt::format("role {} {}", program.roles[role.role.index()].name, name(role.kind));
        if (role.current.valid())
            text += fmt::format(" {} since {}", labelOf(program, program.op(trace.opOf(role.current))), role.since);
        text += role.waitingFor.empty() ? "\n" : fmt::format(" for {}\n", role.waitingFor);
    }
    for (const BarrierState& barrier : barriersAt(trace, cta, p))
        text += fmt::format("barrier {} {} of {}, turn {}\n", program.barriers[barrier.barrier.index()].name,
            barrier.arrived, barrier.expected, barrier.phase);
    for (const BufferState& buffer : buffersAt(trace, cta, p))
        text += fmt::format("buffer {} {} i={} j={} {}{}\n", program.buffers[buffer.buffer.index()].name,
            name(buffer.kind), buffer.i, buffer.j, buffer.fraction, buffer.normalised ? " normalised" : "");
    for (const RowState& row : ledgerAt(trace, cta, p))
        text += fmt::format("row {} blocks {} m {:.4f} before {:.4f} l {:.4f} {} scale {:.4f}\n", row.row, row.blocks,
            row.m, row.mBefore, row.l, row.decision, row.scale);
    return text;
}

std::string stateWithValues(const Trace& trace, CtaId cta, Position p)
{
    std::string text = stateText(trace, cta, p);
    for (std::size_t k = 0; k < trace.program().buffers.size(); ++k) {
        const TileValues values = trace.value(cta, BufferId(k), p);
        text += fmt::format("{} {}x{} block {} ", trace.program().buffers[k].name, values.rows, values.cols,
            trace.keyBlockIn(cta, BufferId(k), p));
        for (const float x : values.data) { // one bit pattern for every NaN
            std::uint32_t bits = 0xffffffffU;
            if (!std::isnan(x))
                std::memcpy(&bits, &x, sizeof bits);
            text.append(reinterpret_cast<const char*>(&bits), sizeof bits);
        }
    }
    return text;
}

std::vector<int> visitedKeyBlocks(const Problem& p, TileSize tile, int i)
{
    std::vector<int> blocks;
    const int count = (p.seqlenK + tile.keys - 1) / tile.keys;
    for (int j = count - 1; j >= 0; --j) {
        bool seen = p.mask.kind == MaskKind::None;
        for (int row = i * tile.rows; row < (i + 1) * tile.rows && !seen; ++row) {
            for (int key = j * tile.keys; key < (j + 1) * tile.keys && !seen; ++key) {
                const std::int64_t shift = p.mask.topLeft ? 0 : std::int64_t { p.seqlenK } - p.seqlenQ;
                const std::int64_t distance = std::int64_t { key } - row - shift;
                seen = distance <= (p.mask.kind == MaskKind::Window ? p.mask.right : 0)
                    && (p.mask.kind == MaskKind::Causal || distance >= -std::int64_t { p.mask.left });
            }
        }
        if (seen)
            blocks.push_back(j);
    }
    return blocks;
}

std::vector<int> visitedKeyBlocks(const Program& program, int i)
{
    const LaunchDecl& launch = program.launches.back();
    const int together = launch.tilesPerWork * (launch.pairs ? 2 : 1);
    std::set<int, std::greater<>> visited;
    for (int tile = i / together * together; tile < (i / together + 1) * together; ++tile)
        for (int row = tile * program.tile.rows; row < (tile + 1) * program.tile.rows; row += 1)
            for (const int j : visitedKeyBlocks(program.problem, { 1, program.tile.keys }, row / program.packed))
                visited.insert(j);
    if (visited.empty() && program.algorithm == "fa4")
        return { 0 };
    if (program.algorithm == "fa1")
        return { visited.rbegin(), visited.rend() };
    return { visited.begin(), visited.end() };
}

} // namespace flashstep::test
