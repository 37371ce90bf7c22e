// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/why.h"
#include "ui/insights.h"
#include "ui/paint/timeline_marks.h"
#include "ui/session.h"

#include <QObject>

namespace flashstep::ui {

// What lies over the timeline's slices: which of it is on, and what it is made of. Made when it is drawn, kept until
// run or selection are others.
class TimelineOverlay : public QObject {
    Q_OBJECT
public:
    explicit TimelineOverlay(const Session& session, QObject* parent = nullptr);

    [[nodiscard]] const paint::TimelineMarks& marks(const std::vector<CtaId>& shown);

    [[nodiscard]] bool showsPath() const { return m_showsPath; }
    void showPath(bool on);
    [[nodiscard]] bool showsChain() const { return m_showsChain; }
    void showChain(bool on); // of the selection, back to the start
    [[nodiscard]] const std::optional<paint::TimelineMeasure>& measure() const { return m_measure; }
    void setMeasure(const std::optional<paint::TimelineMeasure>& measure);
    // The chosen slice; with another one measured already, from that to this.
    void measureSelection();

    // Another whenever the marks of the same selection may be others.
    [[nodiscard]] std::uint64_t state() const { return m_state; }

    // What the chosen slice depends on directly, and what depends on it; empty without one.
    [[nodiscard]] std::vector<Dependency> causesOfSelection();
    [[nodiscard]] std::vector<Dependency> effectsOfSelection();
    // A line each, "needs S0 of PV 6,4 (MMA)": for tool tips and screen readers.
    [[nodiscard]] QStringList describe(InstanceId instance);

signals:
    void changed();

private:
    void forget();
    void makeLinks();
    [[nodiscard]] std::optional<WaitExplained> chainOf(InstanceId instance);

    const Session m_session;
    bool m_showsPath = true, m_showsChain = false;
    std::optional<paint::TimelineMeasure> m_measure;
    InstanceId m_measured; // whose stretch it is, where it is a slice's
    std::map<CtaId, std::unique_ptr<const paint::PathOutline>> m_outlines;
    bool m_linksMade = false;
    std::uint64_t m_state = 0;
    paint::TimelineMarks m_marks;
};

} // namespace flashstep::ui
