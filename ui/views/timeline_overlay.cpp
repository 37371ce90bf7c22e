// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/timeline_overlay.h"

#include "ui/document.h"
#include "ui/paint/timeline_painter.h"
#include "ui/selection.h"

namespace flashstep::ui {

TimelineOverlay::TimelineOverlay(const Session& session, QObject* parent)
    : QObject(parent)
    , m_session(session)
{
    connect(&session.document, &Document::replaced, this, &TimelineOverlay::forget);
    connect(&session.selection, &Selection::changed, this, [this] { m_linksMade = false; });
    connect(this, &TimelineOverlay::changed, this, [this] { ++m_state; });
    connect(&session.insights, &Insights::changed, this, [this] {
        m_linksMade = false;
        emit changed();
    });
}

void TimelineOverlay::forget()
{
    ++m_state;
    m_marks = {};
    m_outlines.clear();
    m_measure.reset();
    m_measured = InstanceId::none();
    m_linksMade = false;
}

const paint::TimelineMarks& TimelineOverlay::marks(const std::vector<CtaId>& shown)
{
    m_marks.paths.clear();
    if (m_session.document.empty())
        return m_marks;
    const Trace& trace = m_session.document.trace();
    for (const CtaId cta : shown) {
        if (!m_showsPath)
            break;
        std::unique_ptr<const paint::PathOutline>& outline = m_outlines[cta];
        if (!outline)
            if (const auto path = m_session.insights.path(cta))
                outline = std::make_unique<const paint::PathOutline>(trace, *path);
        if (outline)
            m_marks.paths[cta] = outline.get();
    }
    if (!m_linksMade)
        makeLinks();
    m_marks.measure = m_measure;
    const InstanceId hovered = m_session.selection.hoveredInstance(), chosen = m_session.selection.instance();
    m_marks.connected = InstanceId::none();
    for (const InstanceId instance : { chosen, hovered })
        if (instance.valid() && trace.began(instance) && trace.op(instance).async)
            m_marks.connected = instance;
    return m_marks;
}

void TimelineOverlay::makeLinks()
{
    m_linksMade = true;
    m_marks.links.clear();
    const InstanceId chosen = m_session.selection.instance();
    const Trace& trace = m_session.document.trace();
    if (!chosen.valid() || !trace.began(chosen))
        return;
    m_marks.links = paint::linksOf(trace, m_session.insights.dependencies(trace.ctaOf(chosen)), chosen);
    if (!m_showsChain)
        return;
    if (const auto chain = chainOf(chosen))
        for (const paint::TimelineLink& link : paint::linksOf(trace, *chain))
            if (std::find(m_marks.links.begin(), m_marks.links.end(), link) == m_marks.links.end())
                m_marks.links.push_back(link);
}

// Of the op itself where it waited, else of the last that its role waited for before it.
std::optional<WaitExplained> TimelineOverlay::chainOf(InstanceId instance)
{
    const std::shared_ptr<const Causes> causes = m_session.insights.causes();
    if (!causes)
        return std::nullopt;
    const Trace& trace = m_session.document.trace();
    for (InstanceId at = instance; at.valid(); at = causes->before(at)) {
        const bool waited = isWaiting(trace.op(at)) ? !trace.ended(at) || trace.endCycle(at) > trace.beginCycle(at)
                                                    : causes->queued(causes->holdingHop(at));
        if (waited)
            return explainWait(*causes, at);
    }
    return std::nullopt;
}

void TimelineOverlay::showPath(bool on)
{
    m_showsPath = on;
    emit changed();
}

void TimelineOverlay::showChain(bool on)
{
    m_showsChain = on;
    m_linksMade = false;
    emit changed();
}

void TimelineOverlay::setMeasure(const std::optional<paint::TimelineMeasure>& measure)
{
    m_measure = measure;
    m_measured = InstanceId::none();
    emit changed();
}

void TimelineOverlay::measureSelection()
{
    const InstanceId chosen = m_session.selection.instance();
    if (m_session.document.empty() || !chosen.valid() || !m_session.document.trace().began(chosen))
        return;
    const Trace& trace = m_session.document.trace();
    const bool between = m_measured.valid() && m_measured != chosen;
    const InstanceId first = m_measured;
    setMeasure(between ? paint::measureBetween(trace, first, chosen) : paint::measureOf(trace, chosen));
    m_measured = between ? InstanceId::none() : chosen;
}

std::vector<Dependency> TimelineOverlay::causesOfSelection()
{
    const InstanceId chosen = m_session.selection.instance();
    if (m_session.document.empty() || !chosen.valid())
        return {};
    return m_session.insights.dependencies(m_session.document.trace().ctaOf(chosen)).into(chosen);
}

std::vector<Dependency> TimelineOverlay::effectsOfSelection()
{
    const InstanceId chosen = m_session.selection.instance();
    if (m_session.document.empty() || !chosen.valid())
        return {};
    return m_session.insights.dependencies(m_session.document.trace().ctaOf(chosen)).outOf(chosen);
}

QStringList TimelineOverlay::describe(InstanceId instance)
{
    constexpr int most = 6; // of each direction
    QStringList lines;
    const Trace& trace = m_session.document.trace();
    const Program& program = trace.program();
    const auto name = [&](InstanceId other) {
        return QStringLiteral("%1 (%2)").arg(paint::sliceLabel(trace, other, true),
            QString::fromStdString(program.roles[trace.op(other).role.index()].name));
    };
    const auto add = [&](const std::vector<Dependency>& edges, bool into) {
        int count = 0;
        for (const Dependency& edge : edges) {
            if (++count > most)
                continue;
            const QString other = name(into ? edge.from : edge.to);
            if (edge.kind == Dependency::Kind::Release)
                lines.append(into ? tr("released by %1").arg(other) : tr("releases %1").arg(other));
            else
                lines.append((into ? tr("needs %1 from %2") : tr("leaves %1 to %2"))
                                 .arg(QString::fromStdString(program.buffers[edge.buffer.index()].name), other));
        }
        if (count > most)
            lines.append(tr("… and %1 more").arg(count - most));
    };
    const Dependencies& all = m_session.insights.dependencies(trace.ctaOf(instance));
    add(all.into(instance), true);
    add(all.outOf(instance), false);
    return lines;
}

} // namespace flashstep::ui
