// SPDX-License-Identifier: GPL-3.0-or-later
// The part of TimelineCanvas that tells, measures and pins; the other part shows and moves.
#include "core/trace/state.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/views/part_terms.h"
#include "ui/views/term_card.h"
#include "ui/views/timeline_canvas.h"

#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

QString TimelineCanvas::tipAt(const QPointF& point)
{
    const paint::TimelineHit hit = hitAt(point);
    if (hit.part == paint::TimelineHit::Part::Header) {
        const paint::TimelineLayout layout = layoutNow();
        const paint::Lane& lane = layout.lanes[static_cast<std::size_t>(hit.lane)];
        if (!groups()[lane.group].index) // of a recording: its name may be longer than the room for it
            return lane.label;
        return termCardHtml(termOfLane(lane, groups()[lane.group].index), m_session);
    }
    if (hit.recorded) {
        const std::vector<paint::LaneGroup> shown = groups();
        return shown[layoutNow().lanes[static_cast<std::size_t>(hit.lane)].group].source->describe(*hit.recorded);
    }
    if (!hit.instance.valid())
        return {};
    const Trace& trace = m_session.document.trace();
    QStringList lines { paint::describeSlice(trace, hit.instance) };
    const OpKind kind = trace.op(hit.instance).kind;
    if (kind == OpKind::Wait || kind == OpKind::Sync) {
        const Position here = trace.positionAt(static_cast<Cycle>(std::max(0.0, std::round(hit.cycle))));
        lines.append(paint::describeWait(trace, hit.instance, here));
    } else {
        lines.append(m_overlay.describe(hit.instance));
    }
    if (const auto outline = m_overlay.marks(m_pins.shown()).path(trace.ctaOf(hit.instance)))
        if (outline->onRole(hit.instance)
            || (hit.hop && outline->onEngine(hit.instance, trace.hops()[*hit.hop].engine())))
            lines.append(tr("on the critical path of its CTA"));
    return lines.join(QLatin1Char('\n'));
}

void TimelineCanvas::dragMeasure(const QPointF& point)
{
    const paint::SnappedEdge to = paint::snapEdge(layoutNow(), groups(), toCanvas(point));
    m_overlay.setMeasure(paint::TimelineMeasure { m_measureFrom, to });
}

void TimelineCanvas::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape && m_overlay.measure())
        m_overlay.setMeasure(std::nullopt);
    else
        Canvas::keyPressEvent(event);
}

// ---- CTAs -----------------------------------------------------------------------------------------------------------

void TimelineCanvas::changePins()
{
    if (!ready())
        return;
    clampScroll();
    setView(paint::panned(extent(), m_view, 0));
    setAccessibleName(
        m_pins.any() ? tr("Timeline of %1 CTAs").arg(m_pins.shown().size()) : tr("Timeline of the chosen CTA"));
}

void TimelineCanvas::togglePin(CtaId cta)
{
    if (!ready() || !cta.valid() || m_session.document.trace().worksOf(cta).empty()
        || !m_session.document.trace().hasEvents(cta))
        return;
    m_pins.toggle(cta);
    changePins();
}

void TimelineCanvas::pinPair()
{
    if (!ready())
        return;
    const CtaId peer = m_session.document.program().peerOf(chosenCta());
    if (peer != chosenCta() && !m_pins.pinned(peer))
        togglePin(peer);
}

void TimelineCanvas::pinNext()
{
    if (!ready())
        return;
    const std::vector<CtaId> shown = m_pins.shown();
    const std::size_t count = m_session.document.program().ctaCount();
    for (std::size_t k = 1; k < count; ++k) {
        const CtaId next((chosenCta().index() + k) % count);
        if (std::find(shown.begin(), shown.end(), next) != shown.end()
            || m_session.document.trace().worksOf(next).empty() || !m_session.document.trace().hasEvents(next))
            continue;
        togglePin(next);
        return;
    }
}

void TimelineCanvas::unpinAll()
{
    m_pins.clear();
    m_pins.choose(chosenCta());
    changePins();
}

void TimelineCanvas::setFollows(bool on)
{
    m_follows = on;
    follow();
    emit viewChanged();
}

// ---- menu -----------------------------------------------------------------------------------------------------------

std::unique_ptr<QMenu> TimelineCanvas::menuAt(const QPointF& point)
{
    auto menu = std::make_unique<QMenu>(this);
    if (!ready())
        return menu;
    const Trace& trace = m_session.document.trace();
    const paint::TimelineLayout layout = layoutNow();
    const paint::TimelineHit hit = hitAt(point);
    if (const InstanceId at = hit.instance; at.valid() && trace.began(at)) {
        const QString name = paint::sliceLabel(trace, at, true);
        menu->addAction(tr("Go to where %1 begins").arg(name), this,
            [this, at] { m_session.playback.seek(m_session.document.trace().beginPosition(at)); });
        if (trace.ended(at))
            menu->addAction(tr("Go to where %1 ends").arg(name), this,
                [this, at] { m_session.playback.seek(m_session.document.trace().endPosition(at)); });
        menu->addAction(tr("What %1 depends on, and what on it").arg(name), this, [this, at] {
            m_overlay.showChain(false);
            m_session.selection.chooseInstance(at);
        });
        menu->addAction(tr("The whole chain behind %1").arg(name), this, [this, at] {
            m_session.selection.chooseInstance(at);
            m_overlay.showChain(true);
        });
        menu->addAction(tr("Measure %1").arg(name), this, [this, at] {
            m_session.selection.chooseInstance(at);
            m_overlay.measureSelection();
        });
        menu->addSeparator();
    }
    if (m_overlay.measure())
        menu->addAction(tr("Remove the measure"), this, [this] { m_overlay.setMeasure(std::nullopt); });
    const std::vector<paint::LaneGroup> shown = groups();
    const std::size_t group = hit.lane >= 0 ? layout.lanes[static_cast<std::size_t>(hit.lane)].group : 0;
    const CtaId here = shown[group].index ? shown[group].index->cta() : chosenCta();
    if (here != chosenCta())
        menu->addAction(
            tr("Choose CTA %1").arg(here.index()), this, [this, here] { m_session.selection.chooseCta(here); });
    menu->addAction(
        m_pins.pinned(here) ? tr("Unpin CTA %1").arg(here.index()) : tr("Pin CTA %1 here").arg(here.index()), this,
        [this, here] { togglePin(here); });
    QMenu* beside = menu->addMenu(tr("Pin another CTA beside"));
    const Program& program = m_session.document.program();
    const CtaId peer = program.peerOf(here);
    int offered = 0;
    for (std::size_t k = 0; k < program.ctaCount() && offered < 24; ++k) {
        const CtaId other((here.index() + k) % program.ctaCount());
        const bool onShow = std::any_of(shown.begin(), shown.end(),
            [&](const paint::LaneGroup& each) { return each.index && each.index->cta() == other; });
        if (onShow || trace.worksOf(other).empty() || !trace.hasEvents(other))
            continue;
        ++offered;
        const QString text = tr("CTA %1 on SM %2").arg(other.index()).arg(trace.span(other).sm);
        beside->addAction(
            other == peer ? tr("%1, of the same cluster").arg(text) : text, this, [this, other] { togglePin(other); });
    }
    beside->setEnabled(offered > 0);
    QAction* unpin = menu->addAction(tr("Unpin all"), this, &TimelineCanvas::unpinAll);
    unpin->setEnabled(m_pins.any());
    menu->addSeparator();
    menu->addAction(tr("Export this view …"), this, &TimelineCanvas::exportAsked);
    return menu;
}

void TimelineCanvas::contextMenuEvent(QContextMenuEvent* event)
{
    if (!ready())
        return;
    QPointF point = event->pos();
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    if (byKey) { // about what is chosen, where it lies
        const paint::TimelineLayout layout = layoutNow();
        const std::vector<paint::LaneGroup> shown = groups();
        const InstanceId chosen = m_session.selection.instance();
        const paint::SlicePlace place
            = chosen.valid() ? paint::issuePlace(layout, shown, chosen) : paint::SlicePlace {};
        const double scale = width() / std::max(1.0, canvasRect().width());
        if (place.lane)
            point
                = QPointF(std::clamp(layout.timeToX(place.begin) + 1, layout.plot.left() + 1, layout.plot.right() - 1),
                      (place.lane->top + place.lane->bottom()) / 2)
                * scale;
        else
            point = QPointF(8, 40) * scale;
    }
    QMenu* menu = menuAt(point).release();
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->popup(byKey ? mapToGlobal(point.toPoint()) : event->globalPos());
    event->accept();
}

// ---- what a screen reader is told -----------------------------------------------------------------------------------

AccessibleNode TimelineCanvas::roleNode(const paint::TimelineIndex& index, std::size_t lane) const
{
    const Trace& trace = index.trace();
    const auto& role = index.roles()[lane];
    const paint::TimelineLayout layout = layoutNow();
    const InstanceId current = trace.currentOp(index.cta(), role.place, m_session.playback.position());
    AccessibleNode node { QAccessible::Row, QString::fromStdString(trace.program().roles[role.role.index()].name),
        current.valid() ? paint::sliceLabel(trace, current, true) : tr("not started"), {} };
    const std::size_t from = index.firstVisible(role, layout.from);
    const std::size_t to = std::min(index.firstAfter(role, layout.to), from + 200);
    const auto tell = [&](InstanceId slice) {
        QString value = tr("%1 to %2 cycles").arg(trace.beginCycle(slice)).arg(trace.endCycle(slice));
        if (const QString reason = paint::waitReason(trace, slice); !reason.isEmpty())
            value += tr(", until %1").arg(reason);
        node.children.push_back({ QAccessible::Cell, paint::sliceLabel(trace, slice, true), value, {} });
    };
    bool told = !current.valid();
    for (std::size_t k = from; k < to; ++k)
        if (const InstanceId slice = index.instance(role, k); trace.began(slice)) {
            tell(slice);
            told = told || slice == current;
        }
    if (!told) // it is always told of, wherever the view has been moved to
        tell(current);
    return node;
}

// A node per role with what it does now, and the slices on show below it; pinned CTAs after those; then what is chosen,
// with what it depends on, and what is measured.
std::vector<AccessibleNode> TimelineCanvas::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (!ready())
        return nodes;
    const Trace& trace = m_session.document.trace();
    const Position p = m_session.playback.position();
    nodes.push_back({ QAccessible::StaticText, tr("position"), QString::number(p.value), {} });
    nodes.push_back({ QAccessible::StaticText, tr("cycle"), QString::number(trace.timeAt(p)), {} });
    const std::vector<paint::LaneGroup> shown = groups();
    for (std::size_t g = 0; g < shown.size(); ++g) {
        AccessibleNode group { QAccessible::Grouping, shown[g].title(), {}, {} };
        if (!shown[g].index)
            continue;
        std::vector<AccessibleNode>& rows = g == 0 ? nodes : group.children;
        for (std::size_t lane = 0; lane < shown[g].index->roles().size(); ++lane)
            rows.push_back(roleNode(*shown[g].index, lane));
        if (g > 0)
            nodes.push_back(std::move(group));
    }
    for (AccessibleNode& node : recordingNodes())
        nodes.push_back(std::move(node));
    if (const InstanceId chosen = m_session.selection.instance(); chosen.valid()) {
        AccessibleNode node { QAccessible::Grouping, tr("chosen slice"), paint::describeSlice(trace, chosen), {} };
        for (const QString& line : m_overlay.describe(chosen))
            node.children.push_back({ QAccessible::StaticText, tr("dependency"), line, {} });
        nodes.push_back(std::move(node));
    }
    if (const auto& measure = m_overlay.measure())
        nodes.push_back({ QAccessible::StaticText, tr("measured"),
            QStringLiteral("%1: %2 → %3")
                .arg(paint::measureText(trace, *measure), paint::edgeText(trace, measure->from),
                    paint::edgeText(trace, measure->to)),
            {} });
    return nodes;
}

} // namespace flashstep::ui
