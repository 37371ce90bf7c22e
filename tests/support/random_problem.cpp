// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace flashstep::test {

std::uint64_t Draws::bits()
{
    std::uint64_t z = (m_state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
}

int Draws::between(int low, int high)
{
    return low + static_cast<int>(bits() % static_cast<std::uint64_t>(high - low + 1));
}

std::vector<std::uint64_t> seeds(int count)
{
    const char* given = std::getenv("FLASHSTEP_TEST_SEED");
    const std::uint64_t first = given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
    std::vector<std::uint64_t> all;
    for (int k = 0; k < count; ++k)
        all.push_back(first + static_cast<std::uint64_t>(k));
    return all;
}

namespace {

Mask randomMask(Draws& draw, int seqlenQ, int seqlenK)
{
    const int longest = std::max(seqlenQ, seqlenK);
    switch (draw.between(0, 4)) {
    case 0:
        return {};
    case 1:
    case 2:
        return { MaskKind::Causal };
    case 3:
        return { MaskKind::Window, draw.between(0, longest), draw.between(0, longest) };
    default: // narrow, so that whole blocks on both sides are skipped
        return { MaskKind::Window, draw.between(0, 5), draw.between(0, 3) };
    }
}

// Whole tiles, nearly so, or anything; now and then a single row or key.
int randomLength(Draws& draw, int tile, int tiles)
{
    if (draw.oneIn(8))
        return 1;
    const int whole = draw.between(1, tiles) * tile;
    switch (draw.between(0, 3)) {
    case 0:
        return whole;
    case 1:
        return whole + 1;
    case 2:
        return std::max(1, whole - 1);
    default:
        return draw.between(1, tiles * tile);
    }
}

} // namespace

Scenario randomScenario(std::uint64_t seed, const std::string& algorithm, const Limits& limits)
{
    Draws draw(seed);
    Scenario s;
    s.algorithm = algorithm;
    s.gpu = draw.oneIn(2) ? "a100" : "h100";
    Problem& p = s.problem;
    p.seed = seed;
    p.dtype = draw.pick(limits.dtypes);
    std::vector<int> dims { 8, 16, 24, 32, 40, 64, 64, 64, 72, 96, 128, 160, 192, 224, 256 };
    dims.erase(std::remove_if(dims.begin(), dims.end(), [&](int d) { return d > limits.widestHead; }), dims.end());
    p.headDim = p.headDimV = draw.pick(dims);
    if (algorithm == "standard" && draw.oneIn(2))
        p.headDimV = draw.pick(dims);
    const int eights = algorithm == "fa2" && p.headDim > 128 ? 8 : 4; // warps share the rows equally
    std::vector<TileSize> tiles { { 4, 4 }, { 8, 8 }, { 8, 8 }, { 8, 16 }, { 16, 8 }, { 16, 16 }, { 8, 24 }, { 24, 16 },
        { 32, 32 }, { 32, 64 }, { 64, 64 }, { 128, 32 }, { 128, 128 } };
    if (eights == 4)
        tiles.insert(tiles.end(), { { 4, 12 }, { 20, 12 }, { 8, 12 }, { 12, 20 } });
    TileSize tile;
    do
        tile = draw.pick(tiles);
    while (tile.rows % eights != 0 || tile.keys % eights != 0 || tile.rows * tile.keys > limits.scores);
    s.tile = tile;
    const int across = std::clamp(static_cast<int>(limits.scores / (tile.rows * tile.keys * 4)), 1, 6);
    p.seqlenQ = randomLength(draw, tile.rows, std::max(1, std::min(across, 4)));
    p.seqlenK = randomLength(draw, tile.keys, across);
    if (draw.oneIn(4))
        p.seqlenK = p.seqlenQ;
    p.mask = randomMask(draw, p.seqlenQ, p.seqlenK);
    p.batch = draw.oneIn(3) ? 2 : 1;
    p.kvHeads = draw.oneIn(3) ? 2 : 1;
    p.heads = std::min(limits.heads, p.kvHeads * draw.between(1, 2));
    p.kvHeads = std::min(p.kvHeads, p.heads);
    // Costed as the real kernel's tile, where the shown one is not larger already.
    const TileSize real = p.headDim <= 64 ? TileSize { 128, 128 } : TileSize { 64, 64 };
    if (draw.oneIn(2) && tile.rows <= real.rows && tile.keys <= real.keys)
        s.costTile = real;
    if (p.headDim > 64 && tile.rows * tile.keys > 64 * 64)
        s.costTile = real;
    return s;
}

Scenario scenarioOf(const std::string& algorithm, int seqlenQ, int seqlenK, int headDim, const std::string& mask,
    TileSize tile, DType dtype)
{
    Scenario s;
    s.algorithm = algorithm;
    s.problem.seqlenQ = seqlenQ;
    s.problem.seqlenK = seqlenK;
    s.problem.headDim = s.problem.headDimV = headDim;
    s.problem.mask = maskFromText(mask).value();
    s.problem.dtype = dtype;
    s.tile = tile;
    return s;
}

std::string describe(const Scenario& s)
{
    const Problem& p = s.problem;
    std::string text = s.algorithm + " on " + s.gpu + ", batch " + std::to_string(p.batch) + ", heads "
        + std::to_string(p.heads) + "/" + std::to_string(p.kvHeads) + ", q " + std::to_string(p.seqlenQ) + ", k "
        + std::to_string(p.seqlenK) + ", d " + std::to_string(p.headDim) + "/" + std::to_string(p.headDimV) + ", "
        + p.mask.text() + ", " + std::string(name(p.dtype));
    if (s.tile)
        text += ", tile " + s.tile->text();
    if (s.costTile)
        text += ", costed " + s.costTile->text();
    for (const std::string& spec : s.breaks)
        text += ", break " + spec;
    return text;
}

std::string describe(std::uint64_t seed, const Scenario& scenario)
{
    return "seed " + std::to_string(seed) + ": " + describe(scenario);
}

Run runOf(const Scenario& scenario, std::optional<Inputs> inputs)
{
    Result<Run> run = runScenario(scenario, std::move(inputs), {});
    if (!run)
        throw std::runtime_error(describe(scenario) + ": " + run.error().line());
    return std::move(*run);
}

std::shared_ptr<const Program> programOf(const Scenario& scenario)
{
    const Result<Prepared> prepared = prepare(scenario);
    if (!prepared)
        throw std::runtime_error(describe(scenario) + ": " + prepared.error().line());
    return prepared->program;
}

std::string errorOf(const Scenario& scenario, std::optional<Inputs> inputs)
{
    const Result<Run> run = runScenario(scenario, std::move(inputs), {});
    return run ? std::string() : run.error().line();
}

} // namespace flashstep::test
