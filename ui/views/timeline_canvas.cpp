// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/timeline_canvas.h"

#include "core/emulation/run.h"
#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"

#include <QApplication>
#include <QHelpEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

TimelineCanvas::TimelineCanvas(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("timeline"), tr("Timeline of the chosen CTA"), parent)
    , m_overlay(session)
{
    connect(&session.document, &Document::replaced, this, [this] {
        m_indexes.clear();
        m_pins.restart(CtaId::none());
    });
    connect(&session.document, &Document::changed, this, &TimelineCanvas::reset);
    connect(&session.selection, &Selection::changed, this, [this] {
        const std::vector<CtaId> before = m_pins.shown();
        m_pins.choose(m_session.selection.cta());
        if (m_pins.shown() != before)
            reset();
    });
    connect(&session.playback, &Playback::positionChanged, this, &TimelineCanvas::follow);
    connect(&m_overlay, &TimelineOverlay::changed, this, [this] { update(); });
}

CtaId TimelineCanvas::chosenCta() const
{
    return m_session.selection.cta();
}

const paint::TimelineIndex* TimelineCanvas::indexOf(CtaId cta) const
{
    std::unique_ptr<paint::TimelineIndex>& index = m_indexes[cta];
    if (!index || &index->trace() != &m_session.document.trace())
        index = std::make_unique<paint::TimelineIndex>(m_session.document.run()->trace, cta);
    return index.get();
}

const paint::TimelineIndex* TimelineCanvas::index() const
{
    return ready() ? indexOf(m_session.selection.cta()) : nullptr;
}

std::vector<paint::LaneGroup> TimelineCanvas::groups() const
{
    std::vector<paint::LaneGroup> groups;
    if (ready() && !alone())
        for (const CtaId cta : m_pins.shown())
            groups.push_back({ indexOf(cta), nullptr });
    if (groups.empty() && ready() && !alone())
        groups.push_back({ index(), nullptr });
    if (ready())
        addRecording(groups);
    return groups;
}

paint::Extent TimelineCanvas::extent() const
{
    return paint::Extent(groups());
}

paint::TimelineScene TimelineCanvas::scene() const
{
    paint::TimelineScene scene;
    scene.position = m_session.playback.position();
    scene.highlight = m_session.selection.highlight();
    scene.chosen = m_session.selection.cta();
    const std::vector<paint::LaneGroup> shown = groups();
    if (shown.empty())
        return scene;
    if (alone()) {
        scene.playhead = false;
        scene.beside = shown;
        return scene;
    }
    scene.index = shown.front().index;
    scene.beside.assign(shown.begin() + 1, shown.end());
    std::vector<CtaId> ctas;
    for (const paint::LaneGroup& group : shown)
        if (group.index)
            ctas.push_back(group.index->cta());
    scene.marks = &m_overlay.marks(ctas);
    return scene;
}

paint::TimelineLayout TimelineCanvas::layoutNow() const
{
    return paint::layoutTimeline(canvasRect(), groups(), m_view);
}

void TimelineCanvas::setView(const paint::TimelineView& view)
{
    m_view = view;
    update();
    emit viewChanged();
}

void TimelineCanvas::reset()
{
    m_pins.choose(m_session.selection.cta());
    if (!index())
        return;
    // What nobody looks at any more is let go.
    const std::vector<CtaId> shown = m_pins.shown();
    for (auto it = m_indexes.begin(); it != m_indexes.end();)
        it = std::find(shown.begin(), shown.end(), it->first) == shown.end() ? m_indexes.erase(it) : std::next(it);
    fit();
}

void TimelineCanvas::follow()
{
    if (!m_follows || alone() || !index() || m_drag != Drag::None || m_view.to <= m_view.from)
        return;
    const auto cycle = static_cast<double>(m_session.document.trace().timeAt(m_session.playback.position()));
    if (cycle < m_view.from || cycle > m_view.to)
        setView(paint::revealing(extent(), m_view, cycle));
}

void TimelineCanvas::draw(QPainter& painter, const QRectF& rect)
{
    const paint::TimelineScene now = scene();
    const paint::Theme& theme = m_session.appearance.theme();
    const Drawn drawn { m_view, now.highlight, m_pins.shown(), &m_session.document.trace(), m_recording.get(), alone(),
        &theme, size(), m_session.appearance.scale() * devicePixelRatioF(), m_overlay.state() };
    if (drawn != m_drawn) {
        // Another stretch or selection: likely the next frame is another again, so no picture is made of this one.
        m_drawn = drawn;
        m_body = QPixmap();
        paint::paintTimeline(painter, rect, now, m_view, theme);
        return;
    }
    if (m_body.isNull()) {
        m_body = QPixmap(size() * devicePixelRatioF());
        m_body.setDevicePixelRatio(devicePixelRatioF());
        QPainter body(&m_body);
        body.scale(m_session.appearance.scale(), m_session.appearance.scale());
        paint::paintTimelineBody(body, rect, now, m_view, theme);
    }
    const double shrink = 1 / m_session.appearance.scale();
    painter.save();
    painter.scale(shrink, shrink);
    painter.drawPixmap(QPointF(0, 0), m_body);
    painter.restore();
    paint::paintTimelineMoving(painter, rect, now, m_view, theme);
}

paint::TimelineHit TimelineCanvas::hitAt(const QPointF& point) const
{
    return paint::hitTest(layoutNow(), groups(), toCanvas(point));
}

bool TimelineCanvas::onPlayhead(const QPointF& point) const
{
    if (alone())
        return false;
    const auto cycle = static_cast<double>(m_session.document.trace().timeAt(m_session.playback.position()));
    return std::abs(layoutNow().timeToX(cycle) - toCanvas(point).x()) <= 4;
}

void TimelineCanvas::seekTo(const QPointF& point)
{
    if (alone()) // its axis is not the run's
        return;
    const double cycle = paint::snapEdge(layoutNow(), groups(), toCanvas(point)).cycle;
    m_session.playback.seek(
        m_session.document.trace().positionAt(static_cast<Cycle>(std::max(0.0, std::round(cycle)))));
}

bool TimelineCanvas::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && ready()) {
        auto* help = static_cast<QHelpEvent*>(event); // NOLINT: what Qt sends with this type
        if (const QString tip = tipAt(help->pos()); !tip.isEmpty())
            QToolTip::showText(help->globalPos(), tip, this);
        else
            QToolTip::hideText();
        return true;
    }
    // Esc takes the measure away first, and what is chosen only then.
    if (event->type() == QEvent::ShortcutOverride && m_overlay.measure()
        && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) { // NOLINT: what Qt sends with this type
        event->accept();
        return true;
    }
    return Canvas::event(event);
}

void TimelineCanvas::mousePressEvent(QMouseEvent* event)
{
    if (!ready() || event->button() != Qt::LeftButton)
        return;
    m_pressed = m_last = event->localPos();
    if ((event->modifiers() & Qt::ShiftModifier) && !alone()) {
        m_measureFrom = paint::snapEdge(layoutNow(), groups(), toCanvas(m_pressed));
        m_drag = Drag::Measure;
        return;
    }
    const bool seeks = onPlayhead(m_pressed) || (!alone() && hitAt(m_pressed).part == paint::TimelineHit::Part::Ruler);
    m_drag = seeks ? Drag::Playhead : Drag::Pressed;
    if (hitAt(m_pressed).part == paint::TimelineHit::Part::Ruler)
        seekTo(m_pressed);
}

void TimelineCanvas::mouseMoveEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const QPointF here = event->localPos();
    if (m_drag == Drag::Pressed && (here - m_pressed).manhattanLength() > QApplication::startDragDistance())
        m_drag = Drag::Pan;
    if (m_drag == Drag::Measure) {
        dragMeasure(here);
    } else if (m_drag == Drag::Playhead) {
        seekTo(here);
    } else if (m_drag == Drag::Pan) {
        const QPointF moved = toCanvas(here - m_last);
        paint::TimelineView view = paint::panned(extent(), m_view, -moved.x() / layoutNow().pixelsPerCycle());
        const paint::TimelineLayout layout = layoutNow();
        view.scroll
            = std::clamp(view.scroll - moved.y(), 0.0, std::max(0.0, layout.contentHeight - layout.plot.height()));
        setView(view);
        m_last = here;
    } else if (m_drag == Drag::None) {
        m_session.selection.hoverInstance(hitAt(here).instance);
        setCursor(onPlayhead(here) ? Qt::SizeHorCursor : Qt::ArrowCursor);
    }
}

void TimelineCanvas::mouseReleaseEvent(QMouseEvent* event)
{
    const bool clicked = m_drag == Drag::Pressed;
    m_drag = Drag::None;
    if (!clicked || !ready())
        return;
    const paint::TimelineHit hit = hitAt(event->localPos());
    if (hit.instance.valid())
        m_session.selection.chooseInstance(hit.instance);
    else if (hit.recorded)
        QToolTip::showText(event->globalPos(), tipAt(event->localPos()), this);
    else
        m_session.selection.clear();
}

void TimelineCanvas::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const paint::TimelineHit hit = hitAt(event->localPos());
    const Trace& trace = m_session.document.trace();
    if (hit.instance.valid() && trace.began(hit.instance))
        m_session.playback.seek(
            trace.ended(hit.instance) ? trace.endPosition(hit.instance) : trace.beginPosition(hit.instance));
    else if (hit.part != paint::TimelineHit::Part::Header)
        seekTo(event->localPos());
}

void TimelineCanvas::wheelEvent(QWheelEvent* event)
{
    if (!ready())
        return;
    const paint::TimelineLayout layout = layoutNow();
    const QPoint delta = event->angleDelta();
    if (event->modifiers() & Qt::ControlModifier) {
        const double anchor = layout.xToTime(toCanvas(event->position()).x());
        setView(paint::zoomed(extent(), m_view, std::pow(1.0015, delta.y()), anchor));
    } else if (layout.contentHeight > layout.plot.height() && delta.x() == 0
        && !(event->modifiers() & Qt::ShiftModifier)) {
        paint::TimelineView view = m_view;
        view.scroll = std::clamp(view.scroll - delta.y() / 4.0, 0.0, layout.contentHeight - layout.plot.height());
        setView(view);
    } else {
        const int by = delta.x() != 0 ? delta.x() : delta.y();
        setView(paint::panned(extent(), m_view, -by / 2.0 / layout.pixelsPerCycle()));
    }
    event->accept();
}

void TimelineCanvas::leaveEvent(QEvent* /*event*/)
{
    m_session.selection.hoverTile({});
}

void TimelineCanvas::resizeEvent(QResizeEvent* event)
{
    // Narrow windows have lower lanes, as style.md says.
    const bool narrow = canvasRect().width() < 1100;
    m_view.roleHeight = narrow ? 16 : 20;
    m_view.engineHeight = 18;
    m_view.headerWidth = narrow ? 104 : 124;
    Canvas::resizeEvent(event);
    clampScroll();
}

void TimelineCanvas::clampScroll()
{
    if (!ready())
        return;
    const paint::TimelineLayout layout = layoutNow();
    m_view.scroll = std::clamp(m_view.scroll, 0.0, std::max(0.0, layout.contentHeight - layout.plot.height()));
}

void TimelineCanvas::zoom(double factor)
{
    if (!index())
        return;
    const paint::TimelineLayout layout = layoutNow();
    const auto head = static_cast<double>(m_session.document.trace().timeAt(m_session.playback.position()));
    const bool visible = !alone() && head >= layout.from && head <= layout.to;
    const QPointF pointer = toCanvas(mapFromGlobal(QCursor::pos()));
    const double anchor = layout.plot.contains(pointer) ? layout.xToTime(pointer.x())
        : visible                                       ? head
                                                        : (layout.from + layout.to) / 2;
    setView(paint::zoomed(extent(), m_view, factor, anchor));
}

void TimelineCanvas::pan(double share)
{
    if (!index())
        return;
    const paint::TimelineLayout layout = layoutNow();
    setView(paint::panned(extent(), m_view, share * (layout.to - layout.from)));
}

void TimelineCanvas::focusSelection()
{
    if (!index())
        return;
    if (alone()) {
        fit();
        return;
    }
    const Trace& trace = m_session.document.trace();
    const InstanceId chosen = m_session.selection.instance();
    paint::TimelineView view = m_view;
    if (chosen.valid() && trace.began(chosen)) {
        const auto begin = static_cast<double>(trace.beginCycle(chosen));
        const auto end = static_cast<double>(trace.endCycle(chosen));
        const double margin = std::max(4.0, (end - begin) * 0.5);
        view.from = std::max(0.0, begin - margin);
        view.to = end + margin;
    }
    if (!chosen.valid() || (view.from == m_view.from && view.to == m_view.to))
        view = paint::wholeCta(extent(), view);
    setView(view);
}

void TimelineCanvas::stepSlice(int by)
{
    if (!index() || alone())
        return;
    const InstanceId chosen = m_session.selection.instance();
    const auto place = index()->placeOf(chosen);
    if (!place) { // none yet: what happens at the playhead
        for (const auto& lane : index()->roles())
            if (lane.count > 0) {
                const auto now = static_cast<double>(m_session.document.trace().timeAt(m_session.playback.position()));
                const std::size_t k = index()->firstAfter(lane, now);
                m_session.selection.chooseInstance(index()->instance(lane, k > 0 ? k - 1 : 0));
                break;
            }
    } else {
        const auto& lane = index()->roles()[place->lane];
        const auto moved = static_cast<std::ptrdiff_t>(place->k) + by;
        if (moved >= 0 && moved < static_cast<std::ptrdiff_t>(lane.count))
            m_session.selection.chooseInstance(index()->instance(lane, static_cast<std::size_t>(moved)));
    }
    showSlice(m_session.selection.instance());
}

void TimelineCanvas::showSlice(InstanceId instance)
{
    const Trace& trace = m_session.document.trace();
    if (alone() || !instance.valid() || !trace.began(instance))
        return;
    paint::TimelineView view = paint::revealing(extent(), m_view, static_cast<double>(trace.beginCycle(instance)));
    const paint::TimelineLayout layout = layoutNow();
    if (const paint::Lane* lane = paint::issuePlace(layout, groups(), instance).lane)
        view = paint::revealing(layout, view, *lane);
    setView(view);
}

} // namespace flashstep::ui
