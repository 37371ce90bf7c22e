// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <QString>

#include <memory>
#include <span>
#include <vector>

namespace flashstep::paint {

// When a CTA, or a work tile of it, is at a position.
enum class GridState : std::uint8_t { ToCome, Running, Done };
[[nodiscard]] QString name(GridState state); // "to come", "running", "done"

// What the grid view says of the whole run, in numbers.
struct GridSummary {
    int sms = 0, usedSms = 0;
    std::size_t launches = 0, ctas = 0, works = 0; // those that ran
    int waves = 0; // CTAs that follow each other in one place of an SM, at most, of one launch
    Cycle begin = 0, end = 0; // of the first CTA and of the last one
    Cycle tailBegin = 0; // the first SM of the last launch goes idle for good
    int tailSms = 0; // that work after that
    double tailBusy = 0; // of them, on average over the tail
    int lastSms = 0; // that the last launch used
    double lastShare = 0; // of the run that the last launch takes
    double tailShare = 0; // of the run
    std::size_t stuck = 0; // CTAs that never end
};

// Who runs where and when, ready to be drawn: SMs that were used, the places on each for CTAs, the CTAs in each place,
// their work tiles. A function of an immutable trace.
class GridIndex {
public:
    explicit GridIndex(std::shared_ptr<const Trace> trace);

    // A work tile while its CTA was at it. Of CTAs whose events are not kept only the stay is known.
    struct Part {
        WorkId work;
        std::uint32_t begin = 0, end = 0; // cycles: its first op begins, its last one ends
        std::uint32_t beginPosition = 0, endPosition = 0;
    };
    struct Stay {
        CtaId cta;
        std::uint32_t begin = 0, end = 0; // cycles
        std::uint32_t firstPart = 0, partCount = 0;
        int wave = 1; // of its launch, in this place
        std::uint8_t launch = 0;
        bool ends = true; // false: stuck for ever
    };
    struct Lane { // one place for a CTA
        std::vector<Stay> stays; // by begin; they do not overlap
    };
    struct Row { // an SM
        int sm = 0;
        std::vector<Lane> lanes; // by slot
        std::uint32_t end = 0; // of its last CTA
    };

    [[nodiscard]] const Trace& trace() const { return *m_trace; }
    [[nodiscard]] const std::vector<Row>& rows() const { return m_rows; }
    [[nodiscard]] const GridSummary& summary() const { return m_summary; }
    [[nodiscard]] const QString& sentence() const { return m_sentence; } // gridSentence, made once
    [[nodiscard]] int slotsPerSm() const { return m_slots; }
    [[nodiscard]] std::span<const Part> partsOf(const Stay& stay) const
    {
        return std::span(m_parts).subspan(stay.firstPart, stay.partCount);
    }
    // When the w-th wave of the last launch first begins somewhere.
    [[nodiscard]] const std::vector<std::uint32_t>& waveBegins() const { return m_waveBegins; }
    // When the first CTA of each launch begins.
    [[nodiscard]] const std::vector<std::uint32_t>& launchBegins() const { return m_launchBegins; }
    [[nodiscard]] const Stay* find(CtaId cta) const; // nullptr: it never ran

    // The cycle of a position; of the last one the end of the run, also where only some SMs' events are kept.
    [[nodiscard]] Cycle timeAt(Position p) const;
    [[nodiscard]] static GridState stateOf(const Part& part, Position p);
    [[nodiscard]] GridState stateOf(const Stay& stay, Position p) const;

private:
    struct Place {
        std::uint32_t row = never, lane = 0, stay = 0;
    };
    static constexpr std::uint32_t never = 0xffffffffU;
    void addStays();
    void addParts(Stay& stay);
    void summarise();

    std::shared_ptr<const Trace> m_trace;
    std::vector<Row> m_rows;
    std::vector<Part> m_parts;
    std::vector<Place> m_places; // by CTA
    std::vector<std::uint32_t> m_waveBegins, m_launchBegins;
    GridSummary m_summary;
    QString m_sentence;
    int m_slots = 1;
};

// "Q5 h2", "b1 h2 Q5": which work tile it is; the batch only where there are several.
[[nodiscard]] QString workLabel(const Program& program, const Work& work);
// "scores" of "standard_scores": a launch without the name of its algorithm.
[[nodiscard]] QString launchLabel(const Program& program, std::size_t launch);
// How the tiles come to the CTAs: "scheduler lpt: longest tiles first, each CTA takes the next one". Read off the
// program.
[[nodiscard]] QString scheduleText(const Program& program, const LaunchDecl& launch);
// "132 SMs, 256 CTAs in 2 waves; tail 12 % of the time: on average 18 SMs work in it; …"
[[nodiscard]] QString gridSentence(const GridIndex& index);
// A CTA at a position for tool tips and screen readers; with the work tile the point was at, where one is known.
[[nodiscard]] QString describeStay(
    const GridIndex& index, const GridIndex::Stay& stay, const GridIndex::Part* part, Position p);

} // namespace flashstep::paint
