// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/program/program.h"

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// The texts that tell one algorithm: the schedule that was run, the lines of the paper, the CUDA kernel, plain NumPy.
enum class SourceText : std::uint8_t { Schedule, Paper, Cuda, Numpy };
constexpr std::size_t sourceTextCount = 4;
[[nodiscard]] std::string_view name(SourceText text); // "schedule", "paper", "CUDA", "NumPy"

// One line of a text, and which ops it stands for: "mma out=S", "load tensor=K|V", "* paper=9". A kind or *, then
// conditions that all hold: `out`, `in` (the family of a buffer; none), `tensor`, `paper`, `role` (how its name
// begins), `n` (first, later: the n-th visited block), `name` (of a wait).
struct AnchoredLine {
    std::string text;
    std::string number; // the paper's, "" where the line has none of its own
    std::vector<std::string> ops;
};

struct AnchoredText {
    SourceText kind = SourceText::Numpy;
    std::string file; // "resources/reference/fa2_forward.py"
    std::string title; // what it is: "arXiv:2307.08691, Algorithm 1"
    std::string note; // what is not certain about it; may be empty
    std::string language; // of the highlighting: "Python", "C++", ""
    std::vector<AnchoredLine> lines;
};

// The text of one version and pass; nothing where there is none (yet). An error where the table beside it is damaged:
// a line that it names is not there, or is there twice.
[[nodiscard]] Result<std::optional<AnchoredText>> anchoredText(
    SourceText kind, std::string_view algorithm, std::string_view pass);

// A CUDA kernel carries its anchors in itself: `//: mma out=S` at the end of the line where that op begins.
[[nodiscard]] AnchoredText anchorKernel(std::string_view text);

// The same from given bytes: `table` is the list of lines and ops for `text`.
[[nodiscard]] Result<AnchoredText> anchorLines(SourceText kind, std::string_view text, std::string_view table);

// Which line an op stands on: patterns turned into numbers of one program, so that a look-up compares no words.
class LineMap {
public:
    LineMap() = default;
    // An error names the pattern that cannot be read.
    [[nodiscard]] static Result<LineMap> make(const AnchoredText& text, const Program& program);

    [[nodiscard]] int lineOf(const Op& op) const; // from 1; 0: none
    // Like lineOf; a step that no line tells of (a wait, a conversion) stands where its role's last told one does.
    struct Place {
        int line = 0; // 0: the role has not come to any line
        bool exact = false; // the op is told of by the line itself
    };
    [[nodiscard]] Place placeOf(const Program& program, const RoleRange& role, OpId op) const;
    [[nodiscard]] bool anchored(int line) const; // some pattern names it

    // Patterns in the order in which they are tried, and how many ops of the program each was the first to match.
    struct Use {
        int line = 0;
        std::string pattern;
        std::size_t ops = 0;
    };
    [[nodiscard]] std::vector<Use> uses(const Program& program) const;

private:
    struct Pattern {
        int line = 0;
        std::string text;
        std::optional<OpKind> kind;
        std::optional<std::bitset<257>> out, in; // by buffer, the last: none
        std::optional<std::bitset<16>> tensors;
        std::optional<std::bitset<256>> papers, roles;
        std::optional<bool> first;
        std::optional<std::bitset<257>> waits; // by wait, the last: none

        [[nodiscard]] bool matches(const Op& op) const;
    };
    std::vector<Pattern> m_patterns;
    std::vector<bool> m_anchored; // by line
};

} // namespace flashstep
