// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"

#include <initializer_list>
#include <string>
#include <vector>

namespace flashstep::test {

// A small generator of its own, so that what a seed means never changes with a library.
class Draws {
public:
    explicit Draws(std::uint64_t seed)
        : m_state(seed)
    {
    }
    [[nodiscard]] std::uint64_t bits(); // splitmix64
    [[nodiscard]] int between(int low, int high); // both ends included
    [[nodiscard]] bool oneIn(int chances) { return between(1, chances) == 1; }
    template <typename T> [[nodiscard]] T pick(const std::vector<T>& from)
    {
        return from[static_cast<std::size_t>(between(0, static_cast<int>(from.size()) - 1))];
    }

private:
    std::uint64_t m_state;
};

// `count` seeds in a row, the first from FLASHSTEP_TEST_SEED where that is set: to repeat one, or to try others.
[[nodiscard]] std::vector<std::uint64_t> seeds(int count);

// How large random problems may be: score elements of one head in their tiles, and the widest head.
struct Limits {
    int scores = 40'000;
    int widestHead = 256;
    std::vector<DType> dtypes { DType::Fp32, DType::Fp16, DType::Bf16 };
    int heads = 4;
};

// A scenario that can run: any mask, lengths that are no multiple of the tile, one row, one key, more rows than keys,
// rows that see nothing, grouped heads, shown tiles from 4 x 4 to 128 x 128 with or without a larger costed one; of fa1
// and fa3 as they are, and as their knobs make them, on all SMs and on few.
[[nodiscard]] Scenario randomScenario(std::uint64_t seed, const std::string& algorithm, const Limits& limits = {});

// A scenario by hand; everything else as it is by default. (fa3 with consumer warpgroups that share the rows equally.)
[[nodiscard]] Scenario scenarioOf(const std::string& algorithm, int seqlenQ, int seqlenK, int headDim,
    const std::string& mask, TileSize tile, DType dtype = DType::Fp32);

// The same with knobs, after those that it has.
[[nodiscard]] Scenario with(Scenario s, const std::vector<std::pair<std::string, std::string>>& knobs);

// "seed 17: fa2 …", for SCOPED_TRACE: what repeats the failure.
[[nodiscard]] std::string describe(std::uint64_t seed, const Scenario& scenario);
[[nodiscard]] std::string describe(const Scenario& scenario);

// The run of a scenario that must be possible; an exception, which fails the test, where it is not.
[[nodiscard]] Run runOf(const Scenario& scenario, std::optional<Inputs> inputs = std::nullopt);
// FlashAttention-3 on 4 SMs, 4 heads of 256 x 128, timed as asked for; the values of CTA 1 are kept.
[[nodiscard]] Result<Run> runOfManyTiles(RunOptions::Grid grid);
[[nodiscard]] std::shared_ptr<const Program> programOf(const Scenario& scenario);
// The line of the error that a scenario gives; empty where it runs.
[[nodiscard]] std::string errorOf(const Scenario& scenario, std::optional<Inputs> inputs = std::nullopt);

} // namespace flashstep::test
