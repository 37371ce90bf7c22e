// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_parts.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

// Samples and words, one after the other; what does not fit any more is left out.
class LegendLine {
public:
    LegendLine(QPainter& painter, const QRectF& rect, const Theme& theme)
        : m_painter(painter)
        , m_rect(rect)
        , m_theme(theme)
        , m_x(rect.left())
    {
    }

    template <typename Sample> void add(double width, const QString& words, Sample sample)
    {
        const QFont font = canvasFont(11);
        const double need = width + 7 + textWidth(font, words);
        if (m_x + need > m_rect.right())
            return;
        sample(QRectF(m_x, std::round(m_rect.center().y() - 7), width, 14));
        m_painter.setPen(m_theme.t2);
        drawLine(m_painter, QRectF(m_x + width + 7, m_rect.top(), need, m_rect.height()), Qt::AlignLeft, font, words);
        m_x += need + 18;
    }
    void title(const QString& words, double width)
    {
        m_painter.setPen(m_theme.text);
        drawLine(m_painter, QRectF(m_x, m_rect.top(), width, m_rect.height()), Qt::AlignLeft,
            canvasFont(11, QFont::DemiBold), words);
        m_x += width;
    }

private:
    QPainter& m_painter;
    QRectF m_rect;
    const Theme& m_theme;
    double m_x;
};

void rounded(QPainter& painter, const QRectF& rect, const QColor& fill, const QColor& edge)
{
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setBrush(fill);
    painter.setPen(edge == fill ? QPen(Qt::NoPen) : QPen(edge, 1));
    painter.drawRoundedRect(edge == fill ? rect : rect.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
}

// Whether the CTA has products that run by themselves (WGMMA).
bool startsProducts(const TimelineIndex& index)
{
    const std::vector<Op>& ops = index.trace().program().ops;
    return std::any_of(ops.begin(), ops.end(), [](const Op& op) { return op.kind == OpKind::Mma && op.async; });
}

} // namespace

void paintTimelineLegend(QPainter& painter, const QRectF& rect, const TimelineScene& scene, const Theme& theme)
{
    if (!scene.index)
        return;
    painter.save();
    const double rowHeight = 24;
    LegendLine first(painter, QRectF(rect.left(), rect.top(), rect.width(), rowHeight), theme);
    first.title(QStringLiteral("Key block"), 74);
    const int blocks = std::clamp(scene.index->trace().program().keyBlocks(), 1, 8);
    first.add(24.0 * blocks - 2, QString(), [&](const QRectF& place) {
        for (int j = 0; j < blocks; ++j) {
            const TileColour& colour = theme.keyBlock(j);
            const QRectF box(place.left() + 24 * j, place.top() - 1, 22, 16);
            rounded(painter, box, colour.fill, colour.edge);
            painter.setPen(colour.ink);
            drawLine(painter, box, Qt::AlignHCenter, canvasFont(10, QFont::Medium), QString::number(j));
        }
    });
    const TileColour& amber = theme.tiles[1];
    first.add(24, QStringLiteral("computes"), [&](const QRectF& r) { rounded(painter, r, amber.fill, amber.edge); });
    first.add(24, QStringLiteral("moves, masks, sums, rounds"),
        [&](const QRectF& r) { rounded(painter, r, amber.tint, amber.edge); });
    first.add(3,
        startsProducts(*scene.index) ? QStringLiteral("starts a copy or a product") : QStringLiteral("starts a copy"),
        [&](const QRectF& r) { painter.fillRect(r, amber.edge); });
    first.add(30, QStringLiteral("waiting"),
        [&](const QRectF& r) { fillWait(painter, QRectF(r.left(), r.center().y() - 4, r.width(), 7), theme); });
    first.add(24, QStringLiteral("Q and O"),
        [&](const QRectF& r) { rounded(painter, r, theme.neutral.fill, theme.neutral.edge); });

    if (rect.height() >= 2 * rowHeight) {
        LegendLine second(painter, QRectF(rect.left(), rect.top() + rowHeight, rect.width(), rowHeight), theme);
        second.title(QStringLiteral("Engine"), 74);
        const auto engine = [&](Engine e, const QString& words) {
            if (scene.index->lane(e))
                second.add(24, words, [&](const QRectF& r) {
                    painter.fillRect(r, theme.engine(e));
                    painter.fillRect(QRectF(r.left(), r.bottom() - footHeight, r.width(), footHeight), amber.fill);
                });
        };
        engine(Engine::Tensor, QStringLiteral("tensor core, four quarters of the SM"));
        engine(Engine::Exp, QStringLiteral("MUFU, by quarter"));
        engine(Engine::Alu, QStringLiteral("ALU, by quarter"));
        engine(Engine::Registers, QStringLiteral("register file"));
        engine(Engine::Tmem, QStringLiteral("TMEM port"));
        engine(Engine::Smem, QStringLiteral("SMEM port"));
        engine(Engine::Tma, QStringLiteral("TMA"));
        engine(Engine::L2, QStringLiteral("copies through L2"));
        engine(Engine::Hbm, QStringLiteral("HBM"));
    }
    painter.restore();
}

void paintScrubber(
    QPainter& painter, const QRectF& rect, const TimelineScene& scene, const TimelineView& view, const Theme& theme)
{
    if (!scene.index)
        return;
    const TimelineIndex& index = *scene.index;
    const double cycles = std::max<double>(1, static_cast<double>(index.trace().cycles()));
    const auto toX = [&](double cycle) { return rect.left() + rect.width() * std::clamp(cycle / cycles, 0.0, 1.0); };
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(theme.line, 1));
    painter.setBrush(theme.alt);
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);

    const TimelineIndex::EngineLane* lane = index.lane(Engine::Tensor);
    if (!lane && !index.engines().empty())
        lane = &index.engines().front();
    if (lane) {
        RectBatch bars;
        double before = 0;
        const double step = 3 * cycles / rect.width();
        for (double x = rect.left() + 3, cycle = 3 * cycles / rect.width(); x + 2 <= rect.right() - 3;
             x += 3, cycle += step) {
            const double until = index.busyUntil(*lane, cycle + step);
            const double share = std::clamp((until - before) / (step * lane->servers), 0.0, 1.0);
            before = until;
            const double height = share * (rect.height() - 8);
            if (height >= 0.5)
                bars.add({ x, rect.bottom() - 4 - height, 2, height });
        }
        bars.drawSquare(painter, theme.hatch);
    }
    painter.setPen(QPen(theme.text, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(scrubberWindow(rect, index, view), 3, 3);
    const double x = std::round(toX(static_cast<double>(index.trace().timeAt(scene.position))));
    painter.fillRect(QRectF(x - 1, rect.top(), 2, rect.height()), theme.text);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.text);
    painter.drawPolygon(
        QPolygonF(QVector<QPointF> { { x - 5, rect.top() }, { x + 5, rect.top() }, { x, rect.top() + 6 } }));
    painter.restore();
}

QRectF scrubberWindow(const QRectF& rect, const TimelineIndex& index, const TimelineView& view)
{
    const double cycles = std::max<double>(1, static_cast<double>(index.trace().cycles()));
    const auto toX = [&](double cycle) { return rect.left() + rect.width() * std::clamp(cycle / cycles, 0.0, 1.0); };
    const double from = view.to > view.from ? view.from : index.begin(),
                 to = view.to > view.from ? view.to : index.end();
    return { toX(from) + 0.5, rect.top() + 0.5, std::max(4.0, toX(to) - toX(from) - 1), rect.height() - 1 };
}

double scrubberToCycle(const QRectF& rect, const Trace& trace, double x)
{
    const double share = rect.width() > 0 ? std::clamp((x - rect.left()) / rect.width(), 0.0, 1.0) : 0;
    return share * static_cast<double>(trace.cycles());
}

} // namespace flashstep::paint
