// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/strip_view.h"

#include "ui/appearance.h"
#include "ui/paint/fonts.h"
#include "ui/paint/text.h"
#include "ui/text.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

StripView::StripView(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("kernel.strip"));
    setAccessibleName(tr("Warps over modelled cycles"));
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setCursor(Qt::PointingHandCursor);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&state, &KernelState::loaded, this, [this] { m_launch = ptx::none; });
    connect(&state, &KernelState::moved, this, [this] {
        collect();
        keepInSight();
        update();
        announceChange(this);
    });
    connect(&appearance, &Appearance::changed, this, [this] { updateGeometry(); });
}

QSize StripView::sizeHint() const
{
    const int lanes = std::max<int>(4, static_cast<int>(m_scene.warps.size()));
    return { m_appearance.px(600), m_appearance.px(22 + 18 + 18 * std::min(lanes, 8) + 4) };
}

QSize StripView::minimumSizeHint() const
{
    return { 200, sizeHint().height() };
}

void StripView::collect()
{
    if (m_state.empty())
        return;
    const KernelState::Now& now = m_state.now();
    if (now.launch == m_launch && now.cta == m_cta)
        return;
    m_launch = now.launch;
    m_cta = now.cta;
    const auto& first = m_state.subject().firstSteps;
    m_scene = paint::stripOf(m_state.session(), first[m_launch], first[m_launch + 1], m_cta, m_state.warpCount());
    fit();
    updateGeometry();
}

void StripView::fit()
{
    m_from = static_cast<double>(m_scene.begin);
    m_to = static_cast<double>(std::max(m_scene.end, m_scene.begin + 1));
    update();
}

void StripView::keepInSight()
{
    const auto cycle = static_cast<double>(m_state.empty() ? 0 : m_state.now().cycle);
    const double span = m_to - m_from;
    if (cycle < m_from || cycle > m_to) {
        m_from = std::clamp(cycle - span / 3, static_cast<double>(m_scene.begin),
            std::max(static_cast<double>(m_scene.begin), static_cast<double>(m_scene.end) - span));
        m_to = m_from + span;
    }
}

paint::StripLayout StripView::layoutNow() const
{
    paint::StripLayout layout;
    const double scale = m_appearance.scale();
    layout.rect = QRectF(0, 22, width() / scale, height() / scale - 22);
    layout.from = m_from;
    layout.to = m_to;
    const auto lanes = static_cast<double>(std::max<std::size_t>(1, m_scene.warps.size()));
    layout.lane = std::min(18.0, (layout.rect.height() - layout.ruler - 2) / lanes);
    return layout;
}

void StripView::zoom(double factor, double anchor)
{
    const double least = 40, most = static_cast<double>(std::max(m_scene.end - m_scene.begin, Cycle { 1 }));
    const double span = std::clamp((m_to - m_from) / factor, std::min(least, most), most);
    const double share = (anchor - m_from) / (m_to - m_from);
    m_from = std::clamp(anchor - share * span, static_cast<double>(m_scene.begin),
        std::max(static_cast<double>(m_scene.begin), static_cast<double>(m_scene.end) - span));
    m_to = m_from + span;
    update();
}

void StripView::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_appearance.theme();
    QPainter painter(this);
    painter.fillRect(rect(), theme.panel);
    if (m_state.empty())
        return;
    painter.scale(m_appearance.scale(), m_appearance.scale());
    const double wide = width() / m_appearance.scale();
    painter.fillRect(QRectF(0, 0, wide, 22), theme.alt);
    painter.fillRect(QRectF(0, 0, wide, 1), theme.line);
    painter.fillRect(QRectF(0, 21, wide, 1), theme.line);
    const QFont title = paint::canvasFont(12, QFont::Medium);
    const QString name = tr("CTA %1 by warp").arg(m_state.now().cta);
    painter.setPen(theme.text);
    paint::drawLine(painter, QRectF(12, 0, 200, 22), Qt::AlignLeft, title, name);
    double x = 12 + paint::textWidth(title, name) + 20;
    x += paint::paintUnitLegend(painter, QRectF(x, 0, wide - x - 190, 22), theme);
    painter.setPen(theme.t2);
    const QString gpu = tr("modelled cycles, %1").arg(QString::fromStdString(m_state.subject().gpu).toUpper());
    paint::drawElided(painter, QRectF(x, 0, wide - x - 12, 22), Qt::AlignRight, paint::canvasFont(11), gpu);
    paint::paintStrip(
        painter, m_scene, layoutNow(), m_state.position(), m_state.now().cycle, m_state.now().warp, theme);
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.text, 2));
        painter.drawRect(QRectF(1, 1, wide - 2, height() / m_appearance.scale() - 2));
    }
}

void StripView::seekTo(const QPointF& point, bool choosesWarp)
{
    if (m_state.empty())
        return;
    const paint::StripLayout layout = layoutNow();
    const QPointF at = point / m_appearance.scale();
    const int lane = static_cast<int>((at.y() - layout.rect.top() - layout.ruler) / layout.lane);
    auto warp = static_cast<std::size_t>(m_state.now().warp);
    if (at.y() > layout.rect.top() + layout.ruler && lane >= 0 && lane < static_cast<int>(m_scene.warps.size())
        && choosesWarp) {
        warp = static_cast<std::size_t>(lane);
        if (!m_state.followsAny() && warp != m_state.now().warp)
            m_state.follow(m_state.now().cta, static_cast<std::uint32_t>(warp));
    }
    if (at.x() < layout.rect.left() + layout.gutter)
        return;
    const paint::StripSlice* slice = paint::sliceAt(m_scene, warp, layout.cycleAt(at.x()));
    if (slice != nullptr)
        m_state.seek(slice->step);
    else if (!m_scene.warps[warp].empty())
        m_state.seek(m_scene.warps[warp].front().step);
}

void StripView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton)
        seekTo(event->localPos(), true);
}

void StripView::mouseMoveEvent(QMouseEvent* event)
{
    if ((event->buttons() & Qt::LeftButton) != 0)
        seekTo(event->localPos(), false);
}

void StripView::wheelEvent(QWheelEvent* event)
{
    const paint::StripLayout layout = layoutNow();
    const double anchor = layout.cycleAt(event->position().x() / m_appearance.scale());
    if ((event->modifiers() & Qt::ControlModifier) != 0)
        zoom(std::pow(1.0015, event->angleDelta().y()), anchor);
    else {
        const double span = m_to - m_from;
        const double by = -(event->angleDelta().y() + event->angleDelta().x()) / 1200.0 * span;
        m_from = std::clamp(m_from + by, static_cast<double>(m_scene.begin),
            std::max(static_cast<double>(m_scene.begin), static_cast<double>(m_scene.end) - span));
        m_to = m_from + span;
        update();
    }
    event->accept();
}

bool StripView::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && !m_state.empty()) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const paint::StripLayout layout = layoutNow();
        const QPointF at = QPointF(help->pos()) / m_appearance.scale();
        const int lane = static_cast<int>((at.y() - layout.rect.top() - layout.ruler) / layout.lane);
        const paint::StripSlice* slice = at.y() > layout.rect.top() + layout.ruler && lane >= 0
            ? paint::sliceAt(m_scene, static_cast<std::size_t>(lane), layout.cycleAt(at.x()))
            : nullptr;
        if (slice != nullptr) {
            const ptx::Step& step = m_state.session().step(slice->step);
            const ptx::Code& code = *m_state.session().run().codes[m_launch];
            QToolTip::showText(help->globalPos(),
                tr("warp %1: %2\nissued at cycle %3, done at %4; %5")
                    .arg(lane)
                    .arg(QString::fromStdString(code.statementAt(step.pc).text()), paint::grouped(step.issued),
                        paint::grouped(step.done), fromView(ptx::name(slice->unit))),
                this);
        } else
            QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

std::vector<AccessibleNode> StripView::accessibleNodes() const
{
    if (m_state.empty())
        return {};
    std::vector<AccessibleNode> nodes { { QAccessible::StaticText, tr("modelled cycle"),
        QString::number(m_state.now().cycle), {} } };
    for (std::size_t w = 0; w < m_scene.warps.size(); ++w)
        nodes.push_back(
            { QAccessible::StaticText, tr("warp %1").arg(w), tr("%1 instructions").arg(m_scene.warps[w].size()), {} });
    return nodes;
}

} // namespace flashstep::ui
