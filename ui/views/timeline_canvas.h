// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/recording_source.h"
#include "ui/paint/timeline_painter.h"
#include "ui/views/canvas.h"
#include "ui/views/timeline_overlay.h"
#include "ui/views/timeline_pins.h"

#include <QPixmap>

#include <map>
#include <memory>

class QMenu;

namespace flashstep {
struct Run;
}

namespace flashstep::ui {

// The chosen CTA over time, and those pinned beside it: roles, engines, counters. The ruler and the playhead are
// dragged to seek, with Shift to measure, the rest to pan.
class TimelineCanvas : public Canvas {
    Q_OBJECT
public:
    TimelineCanvas(const Session& session, QWidget* parent);

    [[nodiscard]] paint::TimelineScene scene() const;
    [[nodiscard]] paint::TimelineScene runScene() const; // without a recording
    [[nodiscard]] const paint::TimelineView& view() const { return m_view; }
    void setView(const paint::TimelineView& view);
    [[nodiscard]] paint::TimelineLayout layoutNow() const;
    // Of the chosen CTA, made again when run or CTA have changed.
    [[nodiscard]] const paint::TimelineIndex* index() const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

    [[nodiscard]] TimelineOverlay& overlay() { return m_overlay; }
    [[nodiscard]] paint::Extent extent() const; // of all groups on show
    [[nodiscard]] CtaId chosenCta() const;
    [[nodiscard]] const PinnedCtas& pins() const { return m_pins; }
    void togglePin(CtaId cta);
    [[nodiscard]] bool follows() const { return m_follows; }
    void setFollows(bool on);
    // A recording beside the run, or by itself; nullptr: none any more.
    void setRecording(std::shared_ptr<const paint::RecordingLanes> recording);
    [[nodiscard]] const std::shared_ptr<const paint::RecordingLanes>& recording() const { return m_recording; }
    void setAlone(bool on);
    [[nodiscard]] bool alone() const { return m_alone && m_recording; }
    void showSlice(InstanceId instance); // moves so that it is on show
    // The window of the run that is on show: all of it while a recording is shown alone.
    [[nodiscard]] paint::TimelineView runView() const { return alone() ? paint::TimelineView {} : m_view; }
    // What can be done with what is under a point; the caller shows it.
    [[nodiscard]] std::unique_ptr<QMenu> menuAt(const QPointF& point);

public slots:
    void pinPair(); // both CTAs of the chosen one's cluster
    void pinNext(); // the one after those on show
    void unpinAll();
    void zoomIn() { zoom(1.5); }
    void zoomOut() { zoom(1 / 1.5); }
    void panLeft() { pan(-0.15); }
    void panRight() { pan(0.15); }
    void focusSelection(); // again: the whole CTA
    void nextSlice() { stepSlice(1); }
    void previousSlice() { stepSlice(-1); }

signals:
    void viewChanged();
    void recordingChanged();
    void exportAsked();

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    bool event(QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    enum class Drag { None, Pressed, Pan, Playhead, Measure };
    void dragMeasure(const QPointF& point);
    void changePins();
    void addRecording(std::vector<paint::LaneGroup>& groups) const;
    [[nodiscard]] std::vector<AccessibleNode> recordingNodes() const;
    void fit();
    void clampScroll();
    [[nodiscard]] QString tipAt(const QPointF& point);
    [[nodiscard]] AccessibleNode roleNode(const paint::TimelineIndex& index, std::size_t lane) const;
    [[nodiscard]] const paint::TimelineIndex* indexOf(CtaId cta) const;
    [[nodiscard]] std::vector<paint::LaneGroup> groups() const;
    void zoom(double factor);
    void pan(double share);
    void stepSlice(int by);
    void follow(); // keeps the playhead on show
    void reset();
    void seekTo(const QPointF& point);
    [[nodiscard]] paint::TimelineHit hitAt(const QPointF& point) const;
    [[nodiscard]] bool onPlayhead(const QPointF& point) const;

    paint::TimelineView m_view;
    // An index is a function of run and CTA, and says of which, so that it can never be of others.
    mutable std::map<CtaId, std::unique_ptr<paint::TimelineIndex>> m_indexes;
    mutable TimelineOverlay m_overlay;
    PinnedCtas m_pins;
    std::shared_ptr<const paint::RecordingLanes> m_recording;
    bool m_alone = false;
    mutable std::vector<std::unique_ptr<paint::RecordingSource>> m_recordingGroups; // for this run, and no other
    mutable const Trace* m_recordingBeside = nullptr;
    bool m_follows = true;
    paint::SnappedEdge m_measureFrom;

    // What was drawn below the playhead, while nothing but the position changes.
    struct Drawn {
        paint::TimelineView view;
        paint::Highlight highlight;
        std::vector<CtaId> shown;
        const Trace* trace = nullptr;
        const paint::RecordingLanes* recording = nullptr;
        bool alone = false;
        const paint::Theme* theme = nullptr;
        QSize size;
        double scale = 0;
        std::uint64_t marks = 0;
        bool operator==(const Drawn&) const = default;
    };
    Drawn m_drawn;
    QPixmap m_body; // null until it was drawn a second time
    Drag m_drag = Drag::None;
    QPointF m_pressed, m_last;
};

} // namespace flashstep::ui
