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

// FlashAttention-2 as it is, most of the time.
void chooseFa2(Draws& draw, Scenario& s)
{
    if (draw.oneIn(5))
        s.knobs = { { "divide", "now" } };
    else if (draw.oneIn(5))
        s.knobs = { { "scheduler", "lpt" } };
    else if (draw.oneIn(4) && s.problem.headDim <= 128 && s.tile->rows <= 32) { // partial results have to fit
        s.knobs = { { "warp-split", "k" } };
        s.costTile = std::nullopt;
    }
}

// FlashAttention-1 as it was shipped, and what the knobs make of it.
void chooseFa1(Draws& draw, Scenario& s)
{
    static const std::vector<std::vector<std::pair<std::string, std::string>>> forms { {}, {}, {},
        { { "fa1-form", "paper" } }, { { "loop-order", "q-outer" } }, { { "divide", "end" } },
        { { "loop-order", "q-outer" }, { "divide", "end" } } };
    s.knobs = draw.pick(forms);
    if (draw.oneIn(6))
        s.knobs.emplace_back("causal-alignment", "top-left");
    if (draw.oneIn(2)) // few SMs, so that the row tiles are shared out otherwise
        s.knobs.emplace_back("sms", std::to_string(draw.between(1, 4)));
}

// FlashAttention-3 with its choices as the kernel makes them, or any others.
void chooseFa3(Draws& draw, Scenario& s)
{
    const int rows = s.tile->rows;
    int consumers = draw.between(1, 3);
    while (rows % consumers != 0 || (rows > 64 && rows / 2 % consumers != 0))
        --consumers;
    s.knobs.emplace_back("consumer-warpgroups", std::to_string(consumers));
    if (draw.oneIn(2)) // few SMs: a CTA does several works
        s.knobs.emplace_back("sms", std::to_string(draw.between(1, 4)));
    if (draw.oneIn(2))
        return;
    const auto maybe = [&](int chances, const char* key, const std::vector<std::string>& values) {
        if (draw.oneIn(chances))
            s.knobs.emplace_back(key, draw.pick(values));
    };
    maybe(4, "ping-pong", { "on", "off" });
    maybe(4, "intra-overlap", { "off" });
    maybe(6, "warp-specialisation", { "off" });
    maybe(4, "copy", { "cp-async" });
    maybe(4, "multicast", { "on", "on", "off" });
    maybe(3, "stages", { "1", "3", "4" });
    maybe(3, "scheduler", { "linear", "lpt", "persistent", "single-tile" });
    maybe(8, "causal-alignment", { "top-left" });
}

// FlashAttention-4 with its choices as the kernel makes them, or any others.
void chooseFa4(Draws& draw, Scenario& s)
{
    Problem& p = s.problem;
    const auto maybe = [&](int chances, const char* key, const std::vector<std::string>& values) {
        if (draw.oneIn(chances))
            s.knobs.emplace_back(key, draw.pick(values));
    };
    if (p.headDim == 256) {
        if (p.mask.kind == MaskKind::Window)
            p.mask = { MaskKind::Causal };
        if (s.tile->keys % 32 != 0)
            s.knobs.emplace_back("exp2-emulation", "off");
        if (draw.oneIn(2))
            s.knobs.emplace_back("sms", std::to_string(draw.between(2, 5)));
        maybe(3, "scheduler", { "linear", "lpt", "persistent", "single-tile" });
        return;
    }
    if (s.tile->keys % 16 != 0) // else the polynomial's share is no whole number of keys
        s.knobs.emplace_back("exp2-emulation", "off");
    else
        maybe(3, "exp2-emulation", { "off", "off", "0.25", "0.5", "1" });
    if (draw.oneIn(2)) // few SMs: a CTA, or a pair, does several works
        s.knobs.emplace_back("sms", std::to_string(draw.between(1, 4)));
    if (draw.oneIn(2))
        return;
    maybe(3, "rescale-threshold", { "0", "0", "1", "4", "16" });
    maybe(4, "q-stage", { "1", "2" });
    if (!s.costTile && s.tile->keys <= 64) // so that they fit
        maybe(4, "stages", { "2", "3", "4" });
    maybe(3, "scheduler", { "linear", "lpt", "persistent", "single-tile" });
    maybe(4, "two-cta", { "off" });
    maybe(8, "exp2-degree", { "4", "5" });
    maybe(8, "causal-alignment", { "top-left" });
    if (p.heads != p.kvHeads)
        maybe(3, "pack-gqa", { "on", "off" });
}

// Four stages, or the partial O of four warps, may be more than SMEM holds: then smaller tiles.
void makeFit(Scenario& s)
{
    const auto bytes = [&] {
        const TileSize tile = s.costTile.value_or(*s.tile);
        const int d = paddedHeadDim(s.problem.headDim);
        if (s.algorithm == "fa1")
            return tile.rows * (20 * d + 40) + 2 * tile.keys * d;
        const Choices choices = choicesOf(s);
        return 2 * (tile.rows * d + 2 * choices.stages.value_or(2) * tile.keys * d + tile.rows * tile.keys);
    };
    if (bytes() > 160 * 1024)
        s.costTile.reset();
    while (bytes() > 160 * 1024)
        s.tile = TileSize { s.tile->rows % 8 == 0 ? s.tile->rows / 2 : s.tile->rows,
            s.tile->keys % 8 == 0 ? s.tile->keys / 2 : s.tile->keys };
}

} // namespace

Scenario randomScenario(std::uint64_t seed, const std::string& algorithm, const Limits& limits)
{
    Draws draw(seed);
    const bool hopper = algorithm == "fa3";
    const bool blackwell = algorithm == "fa4";
    Scenario s;
    s.algorithm = algorithm;
    s.gpu = draw.oneIn(2) && !hopper ? "a100" : "h100";
    if (blackwell)
        s.gpu = draw.pick<std::string>({ "b200", "b200", "gb200", "b300" });
    Problem& p = s.problem;
    p.seed = seed;
    p.dtype = draw.pick(limits.dtypes);
    std::vector<int> dims { 8, 16, 24, 32, 40, 64, 64, 64, 72, 96, 128, 160, 192, 224, 256 };
    const bool wide = blackwell && limits.widestHead == 256 && draw.oneIn(8); // a kernel of its own
    const int widest = algorithm == "fa1" || blackwell ? std::min(128, limits.widestHead) : limits.widestHead;
    std::erase_if(dims, [&](int d) { return d > widest; });
    p.headDim = p.headDimV = draw.pick(dims);
    if (hopper && p.headDim == 192 && draw.oneIn(2))
        p.headDimV = 128;
    if (wide)
        p.headDim = p.headDimV = 256;
    else if (blackwell && limits.widestHead >= 192 && draw.oneIn(6)) {
        p.headDim = 192;
        p.headDimV = 128;
    }
    if (algorithm == "standard" && draw.oneIn(2))
        p.headDimV = draw.pick(dims);
    const int eights = algorithm == "fa2" && p.headDim > 128 ? 8 : 4; // warps share the rows equally
    std::vector<TileSize> tiles { { 4, 4 }, { 8, 8 }, { 8, 8 }, { 8, 16 }, { 16, 8 }, { 16, 16 }, { 8, 24 }, { 24, 16 },
        { 32, 32 }, { 32, 64 }, { 64, 64 }, { 128, 32 }, { 128, 128 } };
    if (eights == 4)
        tiles.insert(tiles.end(), { { 4, 12 }, { 20, 12 }, { 8, 12 }, { 12, 20 } });
    if (hopper)
        tiles.insert(tiles.end(), { { 3, 2 }, { 6, 10 }, { 9, 8 }, { 24, 16 }, { 12, 8 }, { 48, 16 }, { 2, 6 } });
    const int unit = hopper ? 1 : eights;
    TileSize tile;
    do
        tile = draw.pick(tiles);
    while (tile.rows % unit != 0 || tile.keys % unit != 0 || tile.rows * tile.keys > limits.scores);
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
    if (p.headDim > 64 && tile.rows * tile.keys > 64 * 64 && !blackwell)
        s.costTile = real;
    if (algorithm == "fa1") {
        chooseFa1(draw, s);
        if (s.costTile) // the shipped kernel's row tiles
            s.costTile->rows = std::max(16, tile.rows);
    }
    if (algorithm == "fa2")
        chooseFa2(draw, s);
    if (blackwell) {
        if (s.costTile)
            s.costTile = TileSize { 128, 128 };
        chooseFa4(draw, s);
    }
    if (hopper) {
        chooseFa3(draw, s);
        if (s.costTile) // 64 rows for each consumer warpgroup
            s.costTile = TileSize { std::max(192, tile.rows), std::max(64, tile.keys) };
    }
    if (algorithm == "fa1" || hopper)
        makeFit(s);
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
    if (algorithm == "fa4") {
        s.gpu = "b200";
        if (tile.keys % 16 != 0) // the polynomial's share would be no whole number of keys
            s.knobs = { { "exp2-emulation", "off" } };
    }
    if (algorithm == "fa3") { // as many consumer warpgroups as share the rows equally
        s.gpu = "h100";
        const int consumers = headDim <= 96 && tile.rows % 3 == 0 ? 3 : tile.rows % 2 == 0 ? 2 : 1;
        s.knobs = { { "consumer-warpgroups", std::to_string(consumers) } };
    }
    return s;
}

Scenario with(Scenario s, const std::vector<std::pair<std::string, std::string>>& knobs)
{
    s.knobs.insert(s.knobs.end(), knobs.begin(), knobs.end());
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
    for (const auto& [key, value] : s.knobs)
        text += ", " + key + "=" + value;
    for (const std::string& spec : s.breaks)
        text += ", break " + spec;
    return text;
}

std::string describe(std::uint64_t seed, const Scenario& scenario)
{
    return "seed " + std::to_string(seed) + ": " + describe(scenario);
}

Result<Run> runOfManyTiles(RunOptions::Grid grid)
{
    Scenario s = scenarioOf("fa3", 256, 128, 128, "none", { 32, 16 }, DType::Bf16);
    s.problem.heads = s.problem.kvHeads = 4;
    s.knobs.emplace_back("sms", "4");
    s.record = { Record::Kind::OneCta, 1 };
    RunOptions options;
    options.grid = grid;
    return runScenario(s, std::nullopt, {}, options);
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
