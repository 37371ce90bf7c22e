// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/io/recording.h"
#include "core/trace/trace.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// How long each warp was at each of its ops: from where the op began to where the warp's next one did, as the kernels'
// stamps have it. So the flight of an asynchronous copy belongs to the wait for it, not to the copy.
struct OpTimes {
    static constexpr std::int64_t none = -1; // no key block, no CTA

    struct Row {
        std::uint32_t op = 0, role = 0; // of `ops`, `roles`
        std::uint32_t launch = 0;
        std::int64_t cta = none, i = none, j = none; // CTAs are counted on from launch to launch
        std::int64_t begin = 0, length = 0; // in `unit`
        std::uint32_t origin = 0; // InstanceId of a schedule, or index of Recording::slices()
    };
    std::string what; // "schedule", "a.json"
    std::string standing; // "modelled", "measured on NVIDIA H200"
    std::string unit; // "cycles", "ticks"
    double perSecond = 0; // units in a second; 0: the file does not say
    std::vector<std::string> ops; // "mma out=S", as in the kernels' anchors, in the order in which they first come
    std::vector<std::string> roles; // "warp 0"
    std::vector<Row> rows;
    std::vector<std::int64_t> launchCtas; // of each launch; empty: not known, all is one launch
    std::vector<std::string> notes; // what is not in it
};
// Of a schedule, by the labels that the CUDA kernel of its version carries; an error where there is no such kernel.
[[nodiscard]] Result<OpTimes> opTimes(const Trace& trace);
[[nodiscard]] OpTimes opTimes(const Recording& recording, std::string what);

// The same op of the same warp on the same tile, in both: rows of A and B that belong together, and those that have no
// partner. Where several are alike (commits), or one side does not say of which key block an op is (waits of a
// schedule), the first goes with the first. Nothing is lost: each row of A and of B is in one pair or in one of the
// lists.
struct OpPair {
    std::uint32_t a = 0, b = 0; // of rows
};
struct OpSummary { // of one op's pairs, in A's unit
    std::uint32_t op = 0; // of OpDifferences::ops
    std::uint32_t firstPair = 0, pairs = 0;
    double medianA = 0, medianB = 0;
    double spreadA = 0, spreadB = 0; // between the quartiles
    double sumA = 0, sumB = 0;
    std::uint32_t onlyInA = 0, onlyInB = 0; // rows without a partner
};
struct OpDifferences {
    OpTimes a, b;
    double factor = 1; // turns B's unit into A's
    bool converted = false; // both clocks are known; else B's numbers stand as they are, and a note says so
    std::vector<std::string> ops; // of A, then those of B alone
    std::vector<OpPair> pairs; // op by op, in A's order
    std::vector<OpSummary> summaries; // an entry for each of `ops`
    std::vector<std::uint32_t> onlyInA, onlyInB; // rows
    std::vector<std::string> notes;

    [[nodiscard]] double timeA(const OpPair& pair) const { return static_cast<double>(a.rows[pair.a].length); }
    [[nodiscard]] double timeB(const OpPair& pair) const // in A's unit
    {
        return factor * static_cast<double>(b.rows[pair.b].length);
    }
};
[[nodiscard]] OpDifferences differencesOf(OpTimes a, OpTimes b);

} // namespace flashstep
