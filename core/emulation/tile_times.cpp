// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/grid.h"

#include "core/hardware/cost.h"
#include "core/program/samples.h"

#include <algorithm>
#include <map>

namespace flashstep {

namespace {

constexpr int wavesLong = 3; // after the first tile, the others take equally long

// A program of one launch with nothing but tiles of one shape: `waves` for each CTA that an SM (or a pair) holds.
std::shared_ptr<const Program> programOf(
    const Program& program, std::size_t launch, const Work& work, int residents, int waves)
{
    auto mini = std::make_shared<Program>();
    mini->algorithm = program.algorithm;
    mini->pass = program.pass;
    mini->problem = program.problem;
    mini->tile = program.tile;
    mini->costTile = program.costTile;
    mini->stages = program.stages;
    mini->packed = program.packed;
    mini->headDimUnit = program.headDimUnit;
    mini->softmax = program.softmax;
    mini->source = program.source;
    mini->roles = program.roles;
    mini->buffers = program.buffers;
    mini->barriers = program.barriers;
    mini->waits = program.waits;
    mini->rowSets = program.rowSets;
    mini->launches = program.launches;
    for (LaunchDecl& decl : mini->launches)
        decl.firstWork = decl.workCount = decl.firstCta = decl.ctaCount = 0;

    LaunchDecl& decl = mini->launches[launch];
    const auto ctas = static_cast<std::uint32_t>(residents * decl.clusterSize);
    decl.workCount = ctas * static_cast<std::uint32_t>(waves);
    decl.ctaCount = decl.schedule == Schedule::SingleTile ? decl.workCount : ctas;
    for (std::size_t l = launch + 1; l < mini->launches.size(); ++l) {
        mini->launches[l].firstWork = decl.workCount;
        mini->launches[l].firstCta = decl.ctaCount;
    }
    // Of a pair both ranks' streams: the peer's follow.
    const int streams = decl.ringPositions * (decl.pairs ? decl.clusterSize : 1);
    for (int position = 0; position < streams; ++position) {
        Stream stream = program.streams[work.stream.index() + static_cast<std::size_t>(position)];
        const auto first = static_cast<std::uint32_t>(mini->ops.size());
        mini->ops.insert(mini->ops.end(), program.ops.begin() + stream.firstOp,
            program.ops.begin() + stream.firstOp + stream.opCount);
        for (RoleRange& role : stream.roles)
            role.first = role.first - stream.firstOp + first;
        stream.firstOp = first;
        mini->streams.push_back(std::move(stream));
    }
    Work tile = work;
    tile.stream = StreamId(0);
    mini->works.assign(decl.workCount, tile);
    for (std::uint32_t k = 1; decl.pairs && k < decl.workCount; k += 2)
        mini->works[k].stream = StreamId(static_cast<std::size_t>(decl.ringPositions));
    mini->tileWorks.assign(
        static_cast<std::size_t>(program.problem.batch * program.groups() * program.queryTiles()), 0);
    return mini;
}

Result<Cycle> timeOf(const std::shared_ptr<const Program>& mini, const GpuSpec& gpu, const EmulationOptions& options,
    const Progress& progress)
{
    const Result<std::shared_ptr<const Trace>> trace = emulate(mini, gpu, options, nullptr, progress);
    if (!trace)
        return trace.error();
    return (*trace)->cycles();
}

// One launch with so many CTAs on each SM.
class LaunchTimes {
public:
    LaunchTimes(const Program& program, std::size_t launch, const GpuSpec& sm, const EmulationOptions& options,
        const Progress& progress)
        : m_program(program)
        , m_launch(launch)
        , m_sm(sm)
        , m_options(options)
        , m_progress(progress)
    {
        const LaunchDecl& decl = program.launches[launch];
        for (std::uint32_t w = decl.firstWork; w < decl.firstWork + decl.workCount; ++w) {
            const Work& work = program.works[w];
            if (decl.pairs && (w - decl.firstWork) % 2 == 1)
                continue; // comes along with its pair's first
            const Stream& stream = program.streams[work.stream.index()];
            m_shapes.emplace(std::pair(stream.visitedBlocks, work.stream.index()), &work);
        }
        std::set<int> visited;
        for (const auto& [key, work] : m_shapes)
            visited.insert(key.first);
        m_sampled = decl.sweep > 0 ? visited : sampledBlocks(visited);
    }

    Result<std::vector<TileTime>> run(int residents)
    {
        std::vector<TileTime> times(m_program.streams.size());
        std::vector<std::pair<int, TileTime>> sampled; // by key blocks
        for (const auto& [key, work] : m_shapes) {
            if (!m_sampled.contains(key.first) || m_program.streams[key.second].opCount == 0)
                continue;
            const Result<TileTime> time = sample(*work, residents);
            if (!time)
                return time.error();
            times[key.second] = *time;
            sampled.emplace_back(key.first, *time);
        }
        for (const auto& [key, work] : m_shapes)
            if (times[key.second].first == 0)
                times[key.second] = between(sampled, key.first);
        const LaunchDecl& decl = m_program.launches[m_launch];
        for (const auto& [key, work] : m_shapes)
            if (decl.pairs)
                times[key.second + static_cast<std::size_t>(decl.ringPositions)] = times[key.second];
        return times;
    }

private:
    Result<TileTime> sample(const Work& work, int residents)
    {
        const auto time = [&](int waves) {
            return timeOf(programOf(m_program, m_launch, work, residents, waves), m_sm, m_options, m_progress);
        };
        const double all = m_program.streams[work.stream.index()].standsFor;
        const int waves = all == 1 ? wavesLong : 2; // a part of a sweep is long enough
        const Result<Cycle> one = time(1);
        if (!one)
            return one.error();
        const Result<Cycle> many = time(waves);
        if (!many)
            return many.error();
        const Cycle next = (*many - *one) / (waves - 1);
        if (all == 1)
            return TileTime { *one, next };
        const auto whole = static_cast<Cycle>(static_cast<double>(next) * all);
        return TileTime { whole + std::max<Cycle>(0, *one - next), whole }; // it begins once
    }

    static TileTime between(const std::vector<std::pair<int, TileTime>>& sampled, int blocks)
    {
        const auto above
            = std::find_if(sampled.begin(), sampled.end(), [&](const auto& s) { return s.first >= blocks; });
        const auto below = above == sampled.begin() ? above : above - 1;
        const double span = above->first - below->first;
        const double part = span == 0 ? 0 : (blocks - below->first) / span;
        const auto mix = [&](Cycle a, Cycle b) { return a + static_cast<Cycle>(static_cast<double>(b - a) * part); };
        return { mix(below->second.first, above->second.first), mix(below->second.next, above->second.next) };
    }

    const Program& m_program;
    std::size_t m_launch;
    const GpuSpec& m_sm;
    const EmulationOptions& m_options;
    const Progress& m_progress;
    std::map<std::pair<int, std::size_t>, const Work*> m_shapes; // by key blocks and stream
    std::set<int> m_sampled; // key blocks of the shapes that are run
};

// All tiles of the launch visit as many key blocks. Then the SMs go in step, and all of them ask HBM for Q and hand it
// O at once, so that each gets its share. Else they have drifted apart, and one that asks has the bus nearly to itself.
bool equalTiles(const Program& program, const LaunchDecl& launch)
{
    const auto blocks
        = [&](std::uint32_t work) { return program.streams[program.works[work].stream.index()].visitedBlocks; };
    for (std::uint32_t w = launch.firstWork + 1; w < launch.firstWork + launch.workCount; ++w)
        if (blocks(w) != blocks(launch.firstWork))
            return false;
    return true;
}

} // namespace

Result<TileTimes> tileTimes(
    const Program& program, const GpuSpec& gpu, const EmulationOptions& options, const Progress& progress)
{
    EmulationOptions alone;
    alone.swizzled = options.swizzled;
    alone.jitterSeed = options.jitterSeed;
    alone.assumedRescaleRate = options.assumedRescaleRate;
    alone.warmKeys = true;
    TileTimes times(program.launches.size());
    for (std::size_t l = 0; l < program.launches.size(); ++l) {
        const LaunchDecl& launch = program.launches[l];
        GpuSpec sm = gpu;
        sm.sms.value = launch.clusterSize;
        if (equalTiles(program, launch))
            sm.hbmGBps.value = gpu.hbmGBps * launch.clusterSize / gpu.sms;
        const int most = launch.schedule == Schedule::SingleTile ? std::max(1, occupancyOf(gpu, launch).ctasPerSm) : 1;
        LaunchTimes launchTimes(program, l, sm, alone, progress);
        for (int residents = 1; residents <= most; ++residents) {
            Result<std::vector<TileTime>> found = launchTimes.run(residents);
            if (!found)
                return found.error();
            times[l].push_back(std::move(*found));
        }
    }
    return times;
}

} // namespace flashstep
