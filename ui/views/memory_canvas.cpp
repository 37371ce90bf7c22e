// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/memory_canvas.h"

#include "core/emulation/run.h"
#include "core/trace/state.h"
#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/insights.h"
#include "ui/paint/memory_layout.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <utility>

namespace flashstep::ui {

MemoryCanvas::MemoryCanvas(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("memory"), tr("Memory and waits of the chosen CTA"), parent)
{
    m_clock.setInterval(16);
    connect(&m_clock, &QTimer::timeout, this, [this] {
        if (static_cast<double>(m_begun.elapsed()) >= m_lasts || !m_session.appearance.motion()) {
            m_clock.stop();
            m_flights.clear();
        }
        update();
    });
    connect(&session.playback, &Playback::positionChanged, this, &MemoryCanvas::move);
    connect(&session.insights, &Insights::changed, this, [this] { update(); });
    connect(&session.document, &Document::replaced, this, [this] {
        m_clock.stop();
        m_flights.clear();
        m_traffic.reset();
        m_before = {};
    });
}

// After a single step the tiles it moved are drawn travelling, no longer than until the next one is due.
void MemoryCanvas::move()
{
    constexpr double longest = 400, besidesPlaying = 300; // ms
    const Position before = std::exchange(m_before, m_session.playback.position());
    const CtaId cta = std::exchange(m_ctaBefore, m_session.selection.cta());
    m_clock.stop();
    m_flights.clear();
    if (!ready() || !isVisible() || !m_session.appearance.motion() || cta != m_session.selection.cta())
        return;
    const Playback& playback = m_session.playback;
    const Trace& trace = m_session.document.trace();
    const double due = !playback.playing() ? besidesPlaying : playback.speed() > 0 ? 1000 / playback.speed() : 0;
    m_lasts = std::min(longest, due);
    if (m_lasts < 50 || m_before <= before || trace.next(before, playback.level(), playback.followed()) != m_before)
        return;
    m_flights = paint::flightsBetween(trace, m_session.selection.cta(), before, m_before);
    if (m_flights.empty())
        return;
    m_begun.start();
    m_clock.start();
}

bool MemoryCanvas::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && ready()) {
        auto* help = static_cast<QHelpEvent*>(event); // NOLINT: what Qt sends with this type
        const paint::MemoryScene here = scene();
        const QString words
            = paint::describeMemory(here, paint::hitTestMemory(contentRect(), here, toCanvas(help->pos())));
        words.isEmpty() ? QToolTip::hideText() : QToolTip::showText(help->globalPos(), words, this);
        return true;
    }
    return Canvas::event(event);
}

paint::MemoryScene MemoryCanvas::scene() const
{
    paint::MemoryScene scene;
    scene.trace = &m_session.document.trace();
    scene.gpu = &m_session.document.run()->gpu;
    scene.position = m_session.playback.position();
    scene.cta = m_session.selection.cta();
    scene.highlight = m_session.selection.highlight();
    m_traffic = m_session.insights.traffic();
    scene.traffic = m_traffic.get();
    if (m_clock.isActive()) {
        scene.flights = &m_flights;
        scene.flown = m_lasts > 0 ? static_cast<double>(m_begun.elapsed()) / m_lasts : 1;
    }
    return scene;
}

QRectF MemoryCanvas::contentRect() const
{
    const QRectF area = canvasRect();
    const double height = std::max(area.height(), paint::memoryHeight(scene(), area.size()));
    return { 0, -std::min(m_scroll, height - area.height()), area.width(), height };
}

void MemoryCanvas::draw(QPainter& painter, const QRectF& rect)
{
    painter.setClipRect(rect);
    paint::paintMemory(painter, contentRect(), scene(), m_session.appearance.theme());
}

void MemoryCanvas::mousePressEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const paint::MemoryHit hit = paint::hitTestMemory(contentRect(), scene(), toCanvas(event->localPos()));
    if (hit.buffer.valid() && !hit.peer)
        m_session.selection.chooseBuffer(hit.buffer);
    else if (hit.i >= 0)
        m_session.selection.chooseTile({ hit.i, -1 });
}

void MemoryCanvas::mouseMoveEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const paint::MemoryHit hit = paint::hitTestMemory(contentRect(), scene(), toCanvas(event->localPos()));
    m_session.selection.hoverTile({ hit.i, hit.j });
}

void MemoryCanvas::leaveEvent(QEvent* /*event*/)
{
    m_session.selection.hoverTile({});
}

void MemoryCanvas::wheelEvent(QWheelEvent* event)
{
    if (!ready())
        return;
    const double spare = std::max(0.0, paint::memoryHeight(scene(), canvasRect().size()) - canvasRect().height());
    m_scroll = std::clamp(m_scroll - event->angleDelta().y() / 2.0, 0.0, spare);
    update();
    event->accept();
}

std::vector<AccessibleNode> MemoryCanvas::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (!ready())
        return nodes;
    const Trace& trace = m_session.document.trace();
    const Program& program = m_session.document.program();
    const CtaId cta = m_session.selection.cta();
    const Position p = m_session.playback.position();
    for (const BufferState& state : buffersAt(trace, cta, p)) {
        const BufferDecl& buffer = program.buffers[state.buffer.index()];
        QString what = fromView(name(state.kind));
        if (state.i >= 0)
            what += QStringLiteral(", i %1").arg(state.i);
        if (state.j >= 0)
            what += QStringLiteral(", j %1").arg(state.j);
        nodes.push_back({ QAccessible::Cell,
            fromView(name(buffer.space)) + QLatin1Char(' ') + QString::fromStdString(buffer.name), what, {} });
    }
    if (const auto l2 = m_session.insights.traffic(); l2 && l2->known()) {
        const paint::MemoryTraffic::Bytes bytes = l2->at(p);
        nodes.push_back({ QAccessible::Cell, tr("L2"),
            tr("%1 bytes read, %2 of them found in L2, %3 from HBM")
                .arg(bytes.served, 0, 'f', 0)
                .arg(bytes.hits(), 0, 'f', 0)
                .arg(bytes.fromHbm, 0, 'f', 0),
            {} });
    }
    for (std::size_t k = 0; k < trace.streamOf(trace.workAt(cta, p)).roles.size(); ++k)
        nodes.push_back({ QAccessible::Cell,
            tr("registers of %1")
                .arg(QString::fromStdString(
                    program.roles[trace.streamOf(trace.workAt(cta, p)).roles[k].role.index()].name)),
            tr("%1 a thread").arg(paint::registersOf(trace, cta, k, p)), {} });
    for (const BarrierState& state : barriersAt(trace, cta, p)) {
        const BarrierDecl& barrier = program.barriers[state.barrier.index()];
        nodes.push_back({ QAccessible::Cell, tr("barrier ") + QString::fromStdString(barrier.name),
            tr("turn %1, parity %2, %3 of %4 %5 have arrived")
                .arg(state.phase)
                .arg(state.phase % 2)
                .arg(state.arrived)
                .arg(state.expected)
                .arg(QString::fromStdString(barrier.unit)),
            {} });
    }
    for (const RoleState& role : rolesAt(trace, cta, p)) {
        QString what = fromView(name(role.kind));
        if (!role.waitingFor.empty())
            what += tr(" for ") + QString::fromStdString(role.waitingFor);
        nodes.push_back(
            { QAccessible::StaticText, QString::fromStdString(program.roles[role.role.index()].name), what, {} });
    }
    return nodes;
}

} // namespace flashstep::ui
