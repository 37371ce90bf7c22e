// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/recording.h"
#include "ui/paint/timeline_layout.h"

#include <memory>

namespace flashstep::paint {

// Where a recording lies on the axis of a timeline: alone in its own units from its first slice on, or beside a run.
struct RecordingAxis {
    double factor = 1; // axis units for one of the recording's clock
    double offset = 0; // where its beginning lies
    QString words; // the same for people: "1 ns = 1.83 cycles of the run"; "clock unknown: drawn to fit"
    QString unit; // of the axis, where the recording is alone
};
// In the recording's own unit, or a thousand of them or a million, where it is many thousands of those long.
[[nodiscard]] RecordingAxis aloneAxis(const Recording& recording);
// At the begin of a run of so many cycles. A clock that the file does not state is not guessed: the recording is drawn
// to fit, and says so.
[[nodiscard]] RecordingAxis besideAxis(const Recording& recording, double clockMhz, double begin, double end);

// The lanes of a recording, ready to be drawn: nested slices lie in further lanes below, each slice has its colour.
class RecordingLanes {
public:
    explicit RecordingLanes(std::shared_ptr<const Recording> recording, QString name);

    struct Lane {
        std::uint32_t track = 0, row = 0;
        std::vector<std::uint32_t> slices; // of that row; empty where the track has one row
    };
    struct Process {
        std::size_t firstLane = 0, lanes = 0;
    };
    static constexpr std::size_t mostLanes = 4096;

    [[nodiscard]] const Recording& recording() const { return *m_recording; }
    [[nodiscard]] const QString& name() const { return m_name; }
    [[nodiscard]] const std::vector<Lane>& lanes() const { return m_lanes; }
    [[nodiscard]] const std::vector<Process>& processes() const { return m_processes; }
    [[nodiscard]] std::size_t lanesLeftOut() const { return m_leftOut; }
    [[nodiscard]] std::size_t count(const Lane& lane) const;
    [[nodiscard]] const Recording::Slice& slice(const Lane& lane, std::size_t k) const;
    [[nodiscard]] std::uint32_t number(const Lane& lane, std::size_t k) const; // in Recording::slices()
    [[nodiscard]] QString laneName(const Lane& lane) const;

    // Key block, or the place of its name among names, which give a slice its colour; -1: none.
    [[nodiscard]] int colourOf(std::uint32_t slice) const { return m_colours[slice]; }
    [[nodiscard]] bool waits(const Recording::Slice& slice) const;
    [[nodiscard]] bool colouredByBlock() const { return m_byBlock; }
    [[nodiscard]] bool blocksRepeat() const { return m_blocksRepeat; } // there are more of them than colours
    [[nodiscard]] const std::vector<QString>& colourNames() const { return m_colourNames; } // where not by block

    // "recording NAME: measured on …; clock: …".
    [[nodiscard]] QString title(const RecordingAxis& axis) const;
    [[nodiscard]] QString describe(std::uint32_t slice) const;

private:
    void addLanes();
    void colour();

    std::shared_ptr<const Recording> m_recording;
    QString m_name;
    std::vector<Lane> m_lanes;
    std::vector<Process> m_processes;
    std::size_t m_leftOut = 0;
    std::vector<std::int8_t> m_colours; // by slice
    bool m_byBlock = false, m_blocksRepeat = false;
    std::vector<QString> m_colourNames;
    Recording::Text m_wait = Recording::none, m_sync = Recording::none;
};

// A stretch of those lanes as a group of a timeline.
class RecordingSource : public SliceSource {
public:
    RecordingSource(std::shared_ptr<const RecordingLanes> lanes, RecordingAxis axis, QString title,
        std::size_t firstLane, std::size_t laneCount);

    [[nodiscard]] QString title() const override { return m_title; }
    [[nodiscard]] std::size_t laneCount() const override { return m_laneCount; }
    [[nodiscard]] QString laneName(std::size_t lane) const override;
    [[nodiscard]] double toAxis(double ticks) const override;
    [[nodiscard]] double begin() const override;
    [[nodiscard]] double end() const override;
    void visit(std::size_t lane, double from, double to, double detail,
        const std::function<void(const Slice&)>& visitor) const override;
    [[nodiscard]] std::optional<std::uint32_t> sliceAt(std::size_t lane, double axis, double slack) const override;
    [[nodiscard]] QString describe(std::uint32_t slice) const override { return m_lanes->describe(slice); }

    [[nodiscard]] const RecordingLanes::Lane& lane(std::size_t k) const { return m_lanes->lanes()[m_firstLane + k]; }
    // The same with its first lanes alone.
    [[nodiscard]] std::unique_ptr<RecordingSource> upTo(std::size_t lanes) const;

private:
    [[nodiscard]] double toTicks(double axis) const;
    [[nodiscard]] std::size_t firstEndingAfter(const RecordingLanes::Lane& lane, double ticks) const;
    [[nodiscard]] std::size_t firstBeginningFrom(
        const RecordingLanes::Lane& lane, std::size_t from, double ticks) const;

    std::shared_ptr<const RecordingLanes> m_lanes;
    RecordingAxis m_axis;
    QString m_title;
    std::size_t m_firstLane, m_laneCount;
};

// The groups of a whole recording: its title, then one for each process. They must outlive what is drawn of them.
[[nodiscard]] std::vector<std::unique_ptr<RecordingSource>> recordingGroups(
    const std::shared_ptr<const RecordingLanes>& lanes, const RecordingAxis& axis, bool alone);

} // namespace flashstep::paint
