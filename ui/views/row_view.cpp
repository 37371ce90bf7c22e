// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/row_view.h"

#include "core/emulation/run.h"
#include "core/tensor/real_math.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/fonts.h"
#include "ui/paint/stage_layout.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashstep::ui {

namespace {

constexpr double top = 22, chartHeight = 176, gap = 10, side = 8;

// The row's log-sum-exp as the run left it, log2 units; of what is there so far where it was not recorded.
double logSumExp(const Run& run, int b, const Program::QueryRow& query, const paint::TileNumbers::Row& row)
{
    if (b < run.lse.batch && query.h < run.lse.heads && query.row < run.lse.seqlen)
        if (const float lse = run.lse.row(b, query.h, query.row)[0]; !std::isnan(lse))
            return static_cast<double>(lse) * log2e;
    return row.l > 0 ? row.used + log2Real(row.l) - static_cast<double>(run.program->softmax.offset)
                     : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

RowView::RowView(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("row"), tr("Row: its reference over the key blocks, its exponents, P"), parent)
    , m_references(new Segments(this))
{
    m_references->add(tr("max"), tr("Exponents relative to the true maximum: none above 0, so 2^x never exceeds 1"));
    m_references->add(tr("in use"), tr("Exponents relative to the reference in use, as the kernel computes P"));
    m_references->add(tr("LSE"), tr("Exponents relative to the row's log-sum-exp: 2^x is the probability itself"));
    m_references->add(tr("0"), tr("Nothing subtracted: see which formats the exponentials would overflow"));
    m_references->setCurrent(1);
    m_references->setAccessibleName(tr("Reference that is subtracted from the scores"));
    connect(m_references, &Segments::chosen, this,
        [this](int index) { setReference(static_cast<paint::ExponentReference>(index)); });
    connect(&session.appearance, &Appearance::changed, this, &RowView::fit);
    fit();
}

void RowView::fit()
{
    setMinimumHeight(m_session.appearance.px(histogramRect().bottom() + 6));
}

QWidget* RowView::referenceBox() const
{
    return m_references;
}

void RowView::setReference(paint::ExponentReference reference)
{
    m_reference = reference;
    m_references->setCurrent(static_cast<int>(reference));
    update();
    announceChange(this);
}

QRectF RowView::chartRect() const
{
    return { side, top, canvasRect().width() - 2 * side, chartHeight };
}

QRectF RowView::exponentsRect() const
{
    return { 0, top + chartHeight + gap, canvasRect().width(), paint::exponentsHeight };
}

QRectF RowView::histogramRect() const
{
    return exponentsRect()
        .translated(0, paint::exponentsHeight + gap)
        .adjusted(0, 0, 0, paint::histogramHeight - paint::exponentsHeight);
}

paint::RowHistory RowView::history(int b, int h, int i, int row) const
{
    const std::shared_ptr<const Run>& run = m_session.document.run();
    if (m_keptOf != run)
        m_kept.clear();
    m_keptOf = run;
    auto at = std::find_if(
        m_kept.begin(), m_kept.end(), [&](const Kept& kept) { return kept.b == b && kept.h == h && kept.i == i; });
    if (at == m_kept.end()) {
        if (m_kept.size() == keptTiles)
            m_kept.erase(m_kept.begin());
        m_kept.push_back({ b, h, i, paint::tileHistory(*run->trace, b, h, i) });
        at = m_kept.end() - 1;
    }
    return row < static_cast<int>(at->rows.size()) ? at->rows[static_cast<std::size_t>(row)] : paint::RowHistory {};
}

RowView::Content RowView::content() const
{
    Content content;
    content.why = tr("No scenario is open.");
    if (!ready())
        return content;
    const Run& run = *m_session.document.run();
    const Program& program = *run.program;
    const int b = m_session.selection.batch(), h = m_session.selection.head();
    const TileRef on = tileOnShow(m_session);
    content.why = run.trace->hasValues(m_session.selection.cta())
        ? tr("Nothing of this tile is there at this moment.")
        : tr("The values of this CTA were not computed (Run > Compute the values of this CTA).");
    if (on.i < 0 || on.j < 0 || !run.trace->hasValues(m_session.selection.cta()))
        return content;
    content.tile = paint::ledgerTile(*run.trace, b, h, on.i, on.j, m_session.playback.position());
    content.row = paint::rowOnShow(content.tile, m_session.selection.row());
    if (content.tile.rows == 0)
        return content;
    content.why.clear();
    const int headRow = content.tile.firstRow + content.row;
    const Program::QueryRow query = program.queryRow(h / program.packed * program.packed, headRow);
    const QString word = m_session.document.tokens().query(query.row);
    content.title = tr("Row %1").arg(paint::rowLabel(program, query.h, headRow))
        + (word.isEmpty() ? QString() : QStringLiteral(" “%1”").arg(word))
        + tr(" of tile (%1, %2)").arg(on.i).arg(on.j);
    content.history = history(b, h, on.i, content.row);
    content.line = paint::exponentLine(program, content.tile, content.row, m_reference,
        logSumExp(run, b, query, content.tile.row[static_cast<std::size_t>(content.row)]));
    content.histogram = paint::pHistogram(program, content.tile);
    return content;
}

QString RowView::emptyText() const
{
    return tr("No scenario is open.");
}

void RowView::draw(QPainter& painter, const QRectF& rect)
{
    const paint::Theme& theme = m_session.appearance.theme();
    const Content now = content();
    const QRectF head(rect.left() + side, rect.top() + 4, rect.width() - 2 * side, 16);
    if (!now.why.isEmpty()) {
        painter.setPen(theme.t2);
        painter.setFont(paint::canvasFont(12));
        painter.drawText(rect.adjusted(12, 8, -12, -8), Qt::AlignTop | Qt::AlignLeft | Qt::TextWordWrap, now.why);
        return;
    }
    painter.setPen(theme.text);
    paint::drawElided(painter, head, Qt::AlignLeft, paint::canvasFont(11, QFont::DemiBold), now.title);
    if (now.history.points.empty()) {
        painter.setPen(theme.t2);
        painter.setFont(paint::canvasFont(11));
        painter.drawText(chartRect().adjusted(0, 8, 0, 0), Qt::AlignTop | Qt::AlignLeft | Qt::TextWordWrap,
            tr("This version keeps no running statistics: a row's maximum and sum come from S at once."));
    } else {
        paint::paintRowChart(painter, chartRect(), now.history, now.tile.n, theme);
    }
    paint::paintExponents(painter, exponentsRect(), now.line, theme);
    paint::paintHistogram(painter, histogramRect(), now.histogram, theme);
}

void RowView::mousePressEvent(QMouseEvent* event)
{
    setFocus(Qt::MouseFocusReason);
    const Content now = content();
    const int n = paint::layoutRowChart(chartRect(), now.history).blockAt(toCanvas(event->localPos()));
    const paint::RowPoint* point = n > 0 ? paint::pointOf(now.history, n) : nullptr;
    if (point == nullptr)
        return;
    m_session.playback.pause();
    m_session.playback.seek(point->at);
    if (m_session.selection.tile().j >= 0)
        m_session.selection.chooseTile({ now.tile.i, point->j });
}

bool RowView::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip || !ready())
        return Canvas::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QPointF at = toCanvas(help->pos());
    const Content now = content();
    QString text;
    if (const int n = paint::layoutRowChart(chartRect(), now.history).blockAt(at); n > 0) {
        if (const paint::RowPoint* point = paint::pointOf(now.history, n))
            text = paint::describe(now.history, *point) + tr("\nClick to go to that moment");
    } else if (const auto* tick = paint::tickAt(exponentsRect(), now.line, at)) {
        text = tr("key %1: S %2, exponent %3")
                   .arg(tick->key)
                   .arg(paint::fixed(tick->score, 3), paint::fixed(tick->exponent, 3));
    } else if (exponentsRect().contains(at)) {
        text = tr("Scores in log2 units less what is subtracted: a format overflows right of its ∞ edge and gives 0 "
                  "left of its 0 edge. ")
            + paint::overflowText(now.line);
    } else if (histogramRect().contains(at)) {
        text
            = tr("O is made from P as stored, ℓ from fp32 before rounding. Where P exceeds what the format holds it is "
                 "clipped, and the two part.");
    }
    QToolTip::showText(help->globalPos(), text);
    return true;
}

std::vector<AccessibleNode> RowView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    const Content now = content();
    const auto say = [](std::vector<AccessibleNode>& to, const QString& name, const QString& value) {
        to.push_back({ QAccessible::StaticText, name, value, {} });
    };
    if (!now.why.isEmpty()) {
        say(nodes, now.why, {});
        return nodes;
    }
    say(nodes, now.title, {});
    AccessibleNode chart { QAccessible::List, tr("the row over its key blocks"),
        now.history.lazy        ? tr("threshold %1 in log2 units").arg(now.history.threshold)
            : now.history.apart ? tr("the reference is the larger of the log-sum-exp before and the block's maximum")
                                : tr("true max and reference coincide: this version always moves it"),
        {} };
    for (const paint::RowPoint& point : now.history.points)
        say(chart.children, tr("block %1").arg(point.n), paint::describe(now.history, point));
    nodes.push_back(std::move(chart));
    AccessibleNode line { QAccessible::List, tr("exponents of P, S − %1").arg(paint::nameOf(now.line.kind)),
        now.line.there ? paint::overflowText(now.line) : tr("not there at this moment"), {} };
    for (const paint::ExponentLine::Tick& tick : now.line.ticks)
        say(line.children, tr("key %1").arg(tick.key), exactText(tick.exponent));
    nodes.push_back(std::move(line));
    const paint::PHistogram& h = now.histogram;
    AccessibleNode bars { QAccessible::List, tr("values of P of the tile"),
        tr("%1 elements, %2 of them 0, %3 clipped").arg(h.elements).arg(h.zeros).arg(h.clipped), {} };
    for (std::size_t k = 0; k < h.counts.size(); ++k)
        say(bars.children, QStringLiteral("2^%1").arg(h.lowest + static_cast<int>(k)), QString::number(h.counts[k]));
    say(bars.children, tr("the format holds"), exactText(h.ceiling.holds));
    say(bars.children, tr("P may reach"), QStringLiteral("2^%1").arg(h.ceiling.log2Most));
    say(bars.children, tr("numerator, sum of stored P"), exactText(h.stored));
    say(bars.children, tr("denominator, sum of P in fp32"), exactText(h.summed));
    if (h.infinite > 0)
        say(bars.children, tr("infinite"), QString::number(h.infinite));
    if (const double quotient = h.quotient(); !std::isnan(quotient))
        say(bars.children, tr("quotient"), exactText(quotient));
    nodes.push_back(std::move(bars));
    return nodes;
}

} // namespace flashstep::ui
