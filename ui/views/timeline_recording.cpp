// SPDX-License-Identifier: GPL-3.0-or-later
// The part of TimelineCanvas that shows a recording, beside the run or by itself.
#include "core/io/recording_write.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/views/timeline_canvas.h"

#include <algorithm>

namespace flashstep::ui {

namespace {

constexpr std::size_t mostLanesTold = 256, mostSlicesTold = 200; // of each lane

QString qt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<int>(text.size()));
}

} // namespace

void TimelineCanvas::setRecording(std::shared_ptr<const paint::RecordingLanes> recording)
{
    m_recording = std::move(recording);
    m_recordingGroups.clear();
    m_recordingBeside = nullptr;
    m_alone = m_alone && m_recording;
    fit();
    emit recordingChanged();
}

void TimelineCanvas::setAlone(bool on)
{
    if (on == m_alone)
        return;
    m_alone = on;
    m_recordingGroups.clear();
    fit();
    emit recordingChanged();
}

void TimelineCanvas::fit()
{
    if (!ready())
        return;
    paint::TimelineView view = m_view;
    view.scroll = 0;
    setView(paint::wholeCta(extent(), view));
}

void TimelineCanvas::addRecording(std::vector<paint::LaneGroup>& groups) const
{
    if (!m_recording)
        return;
    const Trace& trace = m_session.document.trace();
    if (m_recordingGroups.empty() || m_recordingBeside != &trace) {
        const Recording& recording = m_recording->recording();
        const paint::RecordingAxis axis = alone()
            ? paint::aloneAxis(recording)
            : paint::besideAxis(recording, trace.clockMhz(), 0, static_cast<double>(trace.cycles()));
        m_recordingGroups = paint::recordingGroups(m_recording, axis, alone());
        m_recordingBeside = &trace;
    }
    for (const auto& group : m_recordingGroups)
        groups.push_back({ nullptr, group.get() });
}

paint::TimelineScene TimelineCanvas::runScene() const
{
    paint::TimelineScene scene;
    scene.position = m_session.playback.position();
    scene.index = index();
    return scene;
}

// A node for the recording, with what is to be known of it; in it one for each lane with its slices.
std::vector<AccessibleNode> TimelineCanvas::recordingNodes() const
{
    if (!m_recording)
        return {};
    const Recording& recording = m_recording->recording();
    AccessibleNode node { QAccessible::Grouping, tr("recording %1").arg(m_recording->name()), qt(recording.standing()),
        {} };
    const auto add = [&](const QString& name, const QString& value) {
        node.children.push_back({ QAccessible::StaticText, name, value, {} });
    };
    std::vector<paint::LaneGroup> groups;
    addRecording(groups);
    add(tr("clock"), qt(recording.clock().statement));
    add(tr("lanes"), QString::number(recording.tracks().size()));
    add(tr("slices"), QString::number(recording.slices().size()));
    add(tr("shown"), alone() ? tr("alone") : tr("beside the run"));
    for (const paint::LaneGroup& group : groups)
        if (group.source->laneCount() == 0 && group.title().startsWith(QStringLiteral("Recording")))
            add(tr("title"), group.title());
    for (const std::string& note : recording.notes())
        add(tr("note"), qt(note));
    if (recording.tracks().size() > mostLanesTold)
        add(tr("lanes told of"), QString::number(mostLanesTold));
    for (const Recording::Track& track :
        recording.tracks().first(std::min<std::size_t>(recording.tracks().size(), mostLanesTold))) {
        AccessibleNode lane { QAccessible::Row, qt(recording.laneName(track)),
            tr("%n slice(s)", nullptr, static_cast<int>(track.slices)), {} };
        for (const Recording::Slice& slice :
            recording.slicesOf(track).first(std::min<std::size_t>(track.slices, mostSlicesTold)))
            lane.children.push_back({ QAccessible::Cell, qt(recording.text(slice.name)),
                tr("%1 to %2 %3").arg(slice.begin).arg(slice.end).arg(qt(recording.clock().unitName())), {} });
        node.children.push_back(std::move(lane));
    }
    return { std::move(node) };
}

} // namespace flashstep::ui
