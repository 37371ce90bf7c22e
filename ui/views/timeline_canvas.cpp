// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/timeline_canvas.h"

#include "core/emulation/run.h"
#include "core/trace/state.h"
#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"

#include <QApplication>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

TimelineCanvas::TimelineCanvas(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("timeline"), tr("Timeline of the chosen CTA"), parent)
{
    connect(&session.document, &Document::changed, this, &TimelineCanvas::reset);
    connect(&session.selection, &Selection::changed, this, [this] {
        if (m_index && m_index->cta() != m_session.selection.cta())
            reset();
    });
    connect(&session.playback, &Playback::positionChanged, this, &TimelineCanvas::follow);
}

const paint::TimelineIndex* TimelineCanvas::index() const
{
    if (!ready())
        return nullptr;
    const CtaId cta = m_session.selection.cta();
    if (!m_index || m_index->cta() != cta || &m_index->trace() != &m_session.document.trace())
        m_index = std::make_unique<paint::TimelineIndex>(m_session.document.run()->trace, cta);
    return m_index.get();
}

paint::TimelineScene TimelineCanvas::scene() const
{
    paint::TimelineScene scene;
    scene.index = index();
    scene.position = m_session.playback.position();
    scene.highlight = m_session.selection.highlight();
    return scene;
}

paint::TimelineLayout TimelineCanvas::layoutNow() const
{
    return paint::layoutTimeline(canvasRect(), *index(), m_view);
}

void TimelineCanvas::setView(const paint::TimelineView& view)
{
    m_view = view;
    update();
    emit viewChanged();
}

void TimelineCanvas::reset()
{
    if (!index()) {
        m_index.reset();
        return;
    }
    paint::TimelineView view = m_view;
    view.scroll = 0;
    setView(paint::wholeCta(*index(), view));
}

void TimelineCanvas::follow()
{
    if (!index() || m_drag != Drag::None || m_view.to <= m_view.from)
        return;
    const auto cycle = static_cast<double>(m_session.document.trace().timeAt(m_session.playback.position()));
    if (cycle < m_view.from || cycle > m_view.to)
        setView(paint::revealing(*index(), m_view, cycle));
}

void TimelineCanvas::draw(QPainter& painter, const QRectF& rect)
{
    paint::paintTimeline(painter, rect, scene(), m_view, m_session.appearance.theme());
}

paint::TimelineHit TimelineCanvas::hitAt(const QPointF& point) const
{
    return paint::hitTest(layoutNow(), *index(), toCanvas(point));
}

bool TimelineCanvas::onPlayhead(const QPointF& point) const
{
    const auto cycle = static_cast<double>(m_session.document.trace().timeAt(m_session.playback.position()));
    return std::abs(layoutNow().timeToX(cycle) - toCanvas(point).x()) <= 4;
}

void TimelineCanvas::seekTo(const QPointF& point)
{
    const double cycle = paint::snapToEdge(layoutNow(), *index(), toCanvas(point));
    m_session.playback.seek(
        m_session.document.trace().positionAt(static_cast<Cycle>(std::max(0.0, std::round(cycle)))));
}

bool TimelineCanvas::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && ready()) {
        auto* help = static_cast<QHelpEvent*>(event); // NOLINT: what Qt sends with this type
        const paint::TimelineHit hit = hitAt(help->pos());
        if (hit.instance.valid())
            QToolTip::showText(help->globalPos(), paint::describeSlice(m_session.document.trace(), hit.instance), this);
        else
            QToolTip::hideText();
        return true;
    }
    return Canvas::event(event);
}

void TimelineCanvas::mousePressEvent(QMouseEvent* event)
{
    if (!ready() || event->button() != Qt::LeftButton)
        return;
    m_pressed = m_last = event->localPos();
    const bool seeks = onPlayhead(m_pressed) || hitAt(m_pressed).part == paint::TimelineHit::Part::Ruler;
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
    if (m_drag == Drag::Playhead) {
        seekTo(here);
    } else if (m_drag == Drag::Pan) {
        const QPointF moved = toCanvas(here - m_last);
        paint::TimelineView view = paint::panned(*index(), m_view, -moved.x() / layoutNow().pixelsPerCycle());
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
        setView(paint::zoomed(*index(), m_view, std::pow(1.0015, delta.y()), anchor));
    } else if (layout.contentHeight > layout.plot.height() && delta.x() == 0
        && !(event->modifiers() & Qt::ShiftModifier)) {
        paint::TimelineView view = m_view;
        view.scroll = std::clamp(view.scroll - delta.y() / 4.0, 0.0, layout.contentHeight - layout.plot.height());
        setView(view);
    } else {
        const int by = delta.x() != 0 ? delta.x() : delta.y();
        setView(paint::panned(*index(), m_view, -by / 2.0 / layout.pixelsPerCycle()));
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
    if (ready()) {
        const paint::TimelineLayout layout = layoutNow();
        m_view.scroll = std::clamp(m_view.scroll, 0.0, std::max(0.0, layout.contentHeight - layout.plot.height()));
    }
}

void TimelineCanvas::zoom(double factor)
{
    if (!index())
        return;
    const paint::TimelineLayout layout = layoutNow();
    const auto head = static_cast<double>(m_session.document.trace().timeAt(m_session.playback.position()));
    const bool visible = head >= layout.from && head <= layout.to;
    const QPointF pointer = toCanvas(mapFromGlobal(QCursor::pos()));
    const double anchor = layout.plot.contains(pointer) ? layout.xToTime(pointer.x())
        : visible                                       ? head
                                                        : (layout.from + layout.to) / 2;
    setView(paint::zoomed(*index(), m_view, factor, anchor));
}

void TimelineCanvas::pan(double share)
{
    if (!index())
        return;
    const paint::TimelineLayout layout = layoutNow();
    setView(paint::panned(*index(), m_view, share * (layout.to - layout.from)));
}

void TimelineCanvas::focusSelection()
{
    if (!index())
        return;
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
        view = paint::wholeCta(*index(), view);
    setView(view);
}

void TimelineCanvas::stepSlice(int by)
{
    if (!index())
        return;
    const Trace& trace = m_session.document.trace();
    InstanceId chosen = m_session.selection.instance();
    for (const auto& lane : index()->roles()) {
        if (!chosen.valid() && lane.count > 0)
            chosen = index()->instance(lane, 0);
        const auto found = std::find(lane.instances.begin(), lane.instances.end(), chosen.index());
        if (!chosen.valid() || found == lane.instances.end())
            continue;
        const auto moved = found - lane.instances.begin() + by;
        if (moved >= 0 && moved < static_cast<std::ptrdiff_t>(lane.count))
            chosen = index()->instance(lane, static_cast<std::size_t>(moved));
        m_session.selection.chooseInstance(chosen);
        setView(paint::revealing(*index(), m_view, static_cast<double>(trace.beginCycle(chosen))));
        return;
    }
}

// A node per role with what it does now, and the slices on show below it.
std::vector<AccessibleNode> TimelineCanvas::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (!ready())
        return nodes;
    const Trace& trace = m_session.document.trace();
    const Program& program = m_session.document.program();
    const Position p = m_session.playback.position();
    const paint::TimelineLayout layout = layoutNow();
    nodes.push_back({ QAccessible::StaticText, tr("position"), QString::number(p.value), {} });
    nodes.push_back({ QAccessible::StaticText, tr("cycle"), QString::number(trace.timeAt(p)), {} });
    for (const auto& lane : index()->roles()) {
        const InstanceId current = trace.currentOp(m_session.selection.cta(), lane.place, p);
        AccessibleNode node { QAccessible::Row, QString::fromStdString(program.roles[lane.role.index()].name),
            current.valid() ? paint::sliceLabel(trace, current, true) : tr("not started"), {} };
        const std::size_t from = index()->firstVisible(lane, layout.from);
        const std::size_t to = std::min(index()->firstAfter(lane, layout.to), from + 200);
        for (std::size_t k = from; k < to; ++k) {
            const InstanceId slice = index()->instance(lane, k);
            if (trace.began(slice))
                node.children.push_back({ QAccessible::Cell, paint::sliceLabel(trace, slice, true),
                    tr("%1 to %2 cycles").arg(trace.beginCycle(slice)).arg(trace.endCycle(slice)), {} });
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

} // namespace flashstep::ui
