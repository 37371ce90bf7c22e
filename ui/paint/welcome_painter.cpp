// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/welcome_painter.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double gap = 12, pad = 12;
constexpr double titleHeight = 24, gpuHeight = 22, rateHeight = 39, engineHeight = 15;
constexpr double cardHeight = gpuHeight + 2 * rateHeight + 6 * engineHeight + 20;
constexpr double widestColumn = 340;
constexpr int wrapped = int { Qt::TextWordWrap } | int { Qt::AlignLeft } | int { Qt::AlignTop };

const QFont& ideaFont()
{
    static const QFont font = canvasFont(12);
    return font;
}

double ideaHeight(double width, const WelcomeScene& scene)
{
    double height = 0;
    const QFontMetricsF metrics(ideaFont());
    for (const WelcomeColumn& column : scene.columns)
        height = std::max(height, metrics.boundingRect(QRectF(0, 0, width, 1000), wrapped, column.idea).height());
    return std::ceil(height);
}

// The largest rate that any bar or mark stands for.
double scaleOf(const WelcomeScene& scene)
{
    double most = 1;
    for (const WelcomeColumn& column : scene.columns)
        for (const WelcomeCard& card : column.cards)
            for (const OverviewRow* row : { card.dense, card.causal }) {
                if (!row)
                    continue;
                most = std::max(most, row->prediction.tflops());
                if (!row->published.empty())
                    most = std::max(most, row->published.front().tflops);
            }
    return most;
}

void fill(QPainter& painter, const QRectF& rect, const QColor& colour)
{
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawRoundedRect(rect, 1.5, 1.5);
}

void frame(QPainter& painter, const QRectF& rect, const QColor& colour, double width, double radius)
{
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(colour, width));
    painter.setBrush(Qt::NoBrush);
    const double half = width / 2;
    painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), radius, radius);
}

void paintRate(
    QPainter& painter, const QRectF& at, const QString& mask, const OverviewRow* row, double most, const Theme& theme)
{
    painter.setPen(theme.t2);
    drawLine(painter, QRectF(at.left(), at.top(), 60, 15), Qt::AlignLeft, canvasFont(11), mask);
    const QRectF track(at.left(), at.top() + 17, at.width(), 6);
    fill(painter, track, theme.line);
    if (!row)
        return;
    const double rate = row->prediction.tflops();
    const QString unit = QStringLiteral(" TFLOP/s");
    const double unitWidth = textWidth(canvasFont(11), unit);
    painter.setPen(theme.t2);
    drawLine(painter, QRectF(at.left(), at.top(), at.width(), 15), Qt::AlignRight, canvasFont(11), unit);
    painter.setPen(theme.text);
    drawLine(painter, QRectF(at.left(), at.top(), at.width() - unitWidth, 15), Qt::AlignRight,
        monoFont(12, QFont::DemiBold), rateText(*row));
    fill(painter, QRectF(track.left(), track.top(), std::max(2.0, track.width() * rate / most), track.height()),
        theme.t2);
    if (!row->published.empty()) {
        const double x = std::round(track.left() + track.width() * row->published.front().tflops / most);
        painter.fillRect(QRectF(x - 2, track.top() - 2, 4, track.height() + 4), theme.panel);
        painter.fillRect(QRectF(x - 1, track.top() - 2, 2, track.height() + 4), theme.text);
    }
    painter.setPen(theme.t2);
    drawElided(painter, QRectF(at.left(), track.bottom() + 3, at.width(), 11), Qt::AlignRight, canvasFont(10),
        publishedText(*row));
}

void paintEngine(QPainter& painter, const QRectF& at, Engine engine, const OverviewRow* row, const Theme& theme)
{
    const QString label = QString::fromUtf8(name(engine).data(), static_cast<int>(name(engine).size()));
    const bool binds = row && name(engine) == row->prediction.binding();
    painter.setPen(binds ? theme.text : theme.t2);
    drawLine(painter, QRectF(at.left(), at.top(), 44, at.height()), Qt::AlignLeft,
        canvasFont(11, binds ? QFont::DemiBold : QFont::Normal), label);
    const QRectF track(at.left() + 48, at.center().y() - 3.5, std::max(20.0, at.width() - 48 - 82), 7);
    fill(painter, track, theme.line);
    if (!row)
        return;
    const double share = row->prediction.shares[static_cast<std::size_t>(engine)];
    fill(painter, QRectF(track.left(), track.top(), std::max(1.0, track.width() * std::min(1.0, share)), 7),
        theme.engine(engine));
    if (binds) {
        frame(painter, track.adjusted(-2, -2, 2, 2), theme.text, 1.5, 3);
        painter.setPen(theme.text);
        drawLine(painter, QRectF(at.right() - 34, at.top(), 34, at.height()), Qt::AlignRight,
            canvasFont(11, QFont::DemiBold), QStringLiteral("binds"));
    }
    painter.setPen(binds ? theme.text : theme.t2);
    drawLine(painter, QRectF(track.right() + 4, at.top(), 40, at.height()), Qt::AlignRight,
        monoFont(11, binds ? QFont::DemiBold : QFont::Normal), shareText(share));
}

void paintCard(QPainter& painter, const QRectF& rect, const WelcomeCard& card, const WelcomeScene& scene, double most,
    const Theme& theme)
{
    const QRectF in = rect.adjusted(pad, 6, -pad, -8);
    painter.setPen(theme.text);
    drawLine(painter, QRectF(in.left(), in.top(), in.width(), gpuHeight), Qt::AlignLeft,
        canvasFont(12, QFont::DemiBold), QStringLiteral("on ") + card.gpu.toUpper());
    painter.setPen(theme.t2);
    drawLine(painter, QRectF(in.left(), in.top(), in.width(), gpuHeight), Qt::AlignRight, canvasFont(11),
        card.dense ? QStringLiteral("%1 of its peak").arg(shareText(card.dense->peakShare())) : scene.pending);
    double y = in.top() + gpuHeight;
    paintRate(painter, QRectF(in.left(), y, in.width(), rateHeight), QStringLiteral("dense"), card.dense, most, theme);
    y += rateHeight;
    paintRate(
        painter, QRectF(in.left(), y, in.width(), rateHeight), QStringLiteral("causal"), card.causal, most, theme);
    y += rateHeight + 4;
    for (const Engine engine : toldEngines()) {
        paintEngine(painter, QRectF(in.left(), y, in.width(), engineHeight), engine, card.dense, theme);
        y += engineHeight;
    }
}

} // namespace

const std::array<Engine, 6>& toldEngines()
{
    static constexpr std::array<Engine, 6> engines { Engine::Tensor, Engine::Exp, Engine::Issue, Engine::Smem,
        Engine::L2, Engine::Hbm };
    return engines;
}

QString rateText(const OverviewRow& row)
{
    return grouped(std::llround(row.prediction.tflops()));
}

QString shareText(double share)
{
    return QStringLiteral("%1 %").arg(std::llround(100 * share));
}

QString publishedText(const OverviewRow& row)
{
    if (row.published.empty())
        return QStringLiteral("none published at this size");
    const PublishedFigure& figure = row.published.front();
    const auto error = std::llround(figure.errorPercent);
    const QString sign = error < 0 ? QString(QChar(0x2212)) : QStringLiteral("+");
    return QStringLiteral("published %1%2, model %3%4 %")
        .arg(figure.sameWork ? QString() : QStringLiteral("~"), grouped(std::llround(figure.tflops)), sign)
        .arg(std::llabs(error));
}

WelcomeLayout layoutWelcome(const QRectF& rect, const WelcomeScene& scene)
{
    WelcomeLayout layout;
    const auto count = static_cast<double>(std::max<std::size_t>(1, scene.columns.size()));
    const double width = std::floor(std::min(widestColumn, (rect.width() - 2 * gap - (count - 1) * gap) / count));
    const double ideas = ideaHeight(width - 2 * pad, scene);
    const double head = titleHeight + ideas + 14;
    std::size_t most = 1;
    for (const WelcomeColumn& column : scene.columns)
        most = std::max(most, column.cards.size());
    const double height = head + static_cast<double>(most) * cardHeight;
    layout.height = height + 2 * gap;
    const double left = std::floor(rect.left() + (rect.width() - count * width - (count - 1) * gap) / 2);
    const double top = std::floor(rect.top() + std::max(gap, (rect.height() - height) / 3));
    for (std::size_t k = 0; k < scene.columns.size(); ++k) {
        const double own = head + static_cast<double>(scene.columns[k].cards.size()) * cardHeight;
        const QRectF column(left + static_cast<double>(k) * (width + gap), top, width, own);
        layout.columns.push_back(column);
        layout.ideas.emplace_back(column.left() + pad, column.top() + 6 + titleHeight, width - 2 * pad, ideas);
        for (std::size_t c = 0; c < scene.columns[k].cards.size(); ++c)
            layout.cards.emplace_back(
                column.left(), column.top() + head + static_cast<double>(c) * cardHeight, width, cardHeight);
    }
    return layout;
}

int cardAt(const WelcomeLayout& layout, const QPointF& point)
{
    for (std::size_t k = 0; k < layout.cards.size(); ++k)
        if (layout.cards[k].contains(point))
            return static_cast<int>(k);
    return -1;
}

void paintWelcome(QPainter& painter, const QRectF& rect, const WelcomeScene& scene, const Theme& theme)
{
    const WelcomeLayout layout = layoutWelcome(rect, scene);
    const double most = scaleOf(scene);
    int card = 0;
    for (std::size_t k = 0; k < scene.columns.size(); ++k) {
        const WelcomeColumn& column = scene.columns[k];
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setPen(QPen(theme.line, 1));
        painter.setBrush(theme.panel);
        painter.drawRoundedRect(layout.columns[k].adjusted(0.5, 0.5, -0.5, -0.5), 5, 5);
        painter.setPen(theme.text);
        const QRectF title(layout.ideas[k].left(), layout.columns[k].top() + 6, layout.ideas[k].width(), titleHeight);
        drawElided(painter, title, Qt::AlignLeft, canvasFont(13, QFont::DemiBold), column.title);
        painter.setFont(ideaFont());
        painter.setPen(theme.t2);
        painter.drawText(layout.ideas[k], wrapped, column.idea);
        for (const WelcomeCard& each : column.cards) {
            const QRectF at = layout.cards[static_cast<std::size_t>(card)];
            painter.fillRect(QRectF(at.left() + 1, at.top(), at.width() - 2, 1), theme.line);
            if (card == scene.hovered)
                fill(painter, at.adjusted(3, 4, -3, -3), theme.alt);
            paintCard(painter, at, each, scene, most, theme);
            if (card == scene.hovered || (card == scene.chosen && scene.ring))
                frame(painter, at.adjusted(3, 4, -3, -3), card == scene.chosen && scene.ring ? theme.text : theme.mid,
                    card == scene.chosen && scene.ring ? 2 : 1, 4);
            ++card;
        }
    }
}

} // namespace flashstep::paint
