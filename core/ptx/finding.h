// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep::ptx {

// What can be wrong with a kernel that no GPU tells (classes and severities: docs/kernel-checks.md).
enum class Fault : std::uint8_t {
    Race, // class l
    UninitialisedRead, // m
    OutOfRange, // n
    Misaligned, // n
    CopyNotWaited, // o: destination or source of a cp.async touched before its wait
    CopyInFlightAtExit, // k
    DivergentCollective, // j: .sync.aligned, or a lane of the mask that does not come
    BarrierMisuse, // ids or counts that do not fit
    Trap,
    Limit // too many instructions
};
[[nodiscard]] std::string_view name(Fault fault); // "race"
[[nodiscard]] char classOf(Fault fault); // 'l'; 0 where it has no letter

// Who, and at which instruction.
struct Party {
    std::uint32_t cta = 0; // linear
    std::uint32_t warp = 0;
    int lane = -1; // -1: no thread is to blame
    std::uint32_t pc = 0; // into Code::instructions
    bool operator==(const Party&) const = default;
};

struct Finding {
    Fault fault {};
    Party party;
    std::uint64_t address = 0; // generic; 0 where there is none
    std::string place; // "shared + 0x420", "O + 0x40"
    std::optional<Party> other;
    std::string text; // a sentence
    std::uint32_t launch = 0; // of several
    std::uint64_t step = 0; // warp instructions executed before it
};

struct Code;

// Each fault once for each pair of places, however often it happens. A place is a line of the source, with the calls
// it was inlined through: an unrolled loop has many instructions of one. Without lines it is the instruction.
class Findings {
public:
    Findings() = default;
    explicit Findings(std::shared_ptr<const Code> code)
        : m_code(std::move(code))
    {
    }
    void add(Finding finding);
    [[nodiscard]] const std::vector<Finding>& all() const { return m_all; }
    [[nodiscard]] bool empty() const { return m_all.empty(); }

private:
    [[nodiscard]] bool samePlace(std::uint32_t pc, std::uint32_t other) const;

    std::shared_ptr<const Code> m_code;
    std::vector<Finding> m_all;
};

} // namespace flashstep::ptx
