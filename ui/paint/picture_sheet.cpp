// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"
#include "ui/paint/ledger_painter.h"
#include "ui/paint/memory_painter.h"
#include "ui/paint/numbers_painter.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/scale_bar.h"
#include "ui/paint/stage_painter.h"
#include "ui/paint/timeline_painter.h"
#include "ui/paint/walk.h"

#include "core/trace/state.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double margin = 30;
constexpr double widestNumbers = 16; // keys of a tile that fit a sheet with their numbers

struct Sheet {
    QPainter& painter;
    const PictureRequest& request;
    const Theme& theme;
    CtaId cta;

    [[nodiscard]] const Trace& trace() const { return *request.run->trace; }
    [[nodiscard]] WorkId work() const { return trace().workAt(cta, request.at); }
    [[nodiscard]] StageScene stage() const
    {
        return { &trace(), request.at, cta, &request.tokens, {}, &request.run->report.hazardList };
    }
};

CtaId ctaOf(const PictureRequest& request)
{
    const Trace& trace = *request.run->trace;
    const std::size_t count = request.run->program->ctaCount();
    if (request.cta.valid() && request.cta.index() < count && !trace.worksOf(request.cta).empty())
        return request.cta;
    // The one whose op the last event belongs to: what the moment is about.
    if (request.at.value > 0 && request.at < trace.end())
        return trace.ctaOf(trace.eventAt(request.at.value - 1).instance);
    std::size_t last = count - 1;
    while (last > 0 && trace.worksOf(CtaId(last)).empty())
        --last;
    return CtaId(last);
}

void paintPanelTitle(const Sheet& sheet, QPointF topLeft, const QString& letter, const QString& words)
{
    sheet.painter.setPen(sheet.theme.text);
    const QFont bold = canvasFont(12.5, QFont::DemiBold);
    drawLine(sheet.painter, QRectF(topLeft.x(), topLeft.y(), 20, 18), Qt::AlignLeft, bold, letter);
    drawLine(sheet.painter, QRectF(topLeft.x() + (letter.isEmpty() ? 0 : 18), topLeft.y(), 900, 18), Qt::AlignLeft,
        bold, words);
}

// Two visited blocks around the moment: what a reader wants to see close.
std::optional<std::pair<double, double>> detailOf(const Sheet& sheet, const TimelineIndex& index)
{
    const Position at = sheet.request.at.value > 0 && sheet.request.at < sheet.trace().end()
        ? sheet.request.at
        : sheet.trace().positionAt(static_cast<Cycle>((index.begin() + index.end()) / 2));
    const WorkId work = sheet.trace().workAt(sheet.cta, at);
    const int visited = sheet.trace().streamOf(work).visitedBlocks;
    if (visited < 4)
        return std::nullopt;
    int n = 1;
    while (n + 2 < visited && sheet.trace().block(work, 0, n + 1).value_or(sheet.trace().end()) < at)
        ++n;
    const auto first = sheet.trace().block(work, 0, n), last = sheet.trace().block(work, 0, n + 2);
    if (!first || !last)
        return std::nullopt;
    const auto begin = static_cast<double>(sheet.trace().timeAt(*first)),
               end = static_cast<double>(sheet.trace().timeAt(*last));
    const double edge = 0.04 * (end - begin);
    return std::pair(begin - edge, end + edge);
}

void paintTimelinePanel(const Sheet& sheet, const TimelineIndex& index, const QRectF& rect, const TimelineView& view)
{
    TimelineScene scene { &index, sheet.request.at, {},
        sheet.request.at.value > 0 && sheet.request.at < sheet.trace().end(), true };
    paintTimeline(sheet.painter, rect, scene, view, sheet.theme);
    sheet.painter.setRenderHint(QPainter::Antialiasing, false);
    sheet.painter.setPen(QPen(sheet.theme.mid, 1));
    sheet.painter.setBrush(Qt::NoBrush);
    sheet.painter.drawRect(QRectF(rect.left(), rect.top(), rect.width() - 1, rect.height() - 1));
}

// The stretch that the lower panel shows, outlined in the upper one and drawn out.
void paintZoomLines(const Sheet& sheet, const TimelineLayout& upper, const TimelineLayout& lower)
{
    QPainter& painter = sheet.painter;
    const double left = upper.timeToX(lower.from), right = upper.timeToX(lower.to);
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(sheet.theme.text, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(left, upper.plot.top() - 3, right - left, upper.plot.height() + 6), 2, 2);
    QPen dash(sheet.theme.t2, 1, Qt::CustomDashLine, Qt::FlatCap);
    dash.setDashPattern({ 3, 3 });
    painter.setPen(dash);
    painter.drawLine(QPointF(left, upper.plot.bottom() + 3), QPointF(lower.plot.left(), lower.bounds.top()));
    painter.drawLine(QPointF(right, upper.plot.bottom() + 3), QPointF(lower.plot.right(), lower.bounds.top()));
}

TimelineView stretched(const TimelineIndex& index, TimelineView view, double height)
{
    const double lanes = timelineHeight(index, view) - view.rulerHeight;
    const double factor = std::clamp((height - view.rulerHeight) / lanes, 0.5, 1.35);
    view.roleHeight = std::floor(view.roleHeight * factor);
    view.engineHeight = std::floor(view.engineHeight * factor);
    view.counterHeight = std::floor(view.counterHeight * factor);
    return view;
}

void paintTimelineView(const Sheet& sheet, const QRectF& body)
{
    const TimelineIndex index(sheet.request.run->trace, sheet.cta);
    const double legendHeight = 56;
    const QRectF legend(body.left(), body.bottom() - legendHeight + 6, body.width(), 48);
    TimelineView view;
    if (sheet.request.from || sheet.request.to) {
        view.from = sheet.request.from.value_or(index.begin());
        view.to = std::max(view.from + 1, sheet.request.to.value_or(index.end()));
    } else {
        view = wholeCta(index, view);
    }
    const auto works = sheet.trace().worksOf(sheet.cta);
    const Work& work = sheet.trace().program().work(works.front());
    const int blocks = works.size() > 1 ? 0 : sheet.trace().streamOf(works.front()).visitedBlocks;
    const int direction = walkDirection(sheet.trace(), work.b, work.h);
    QString what = works.size() > 1
        ? QStringLiteral("CTA %1: %2 work tiles, one after the other").arg(sheet.cta.index()).arg(works.size())
        : QStringLiteral("CTA %1: query tile %2").arg(sheet.cta.index()).arg(work.i);
    if (blocks > 0)
        what += blocks == 1 ? QStringLiteral(", one key block") : QStringLiteral(", %1 key blocks").arg(blocks);
    if (blocks > 1 && direction != 0)
        what += direction < 0 ? QStringLiteral(", right to left") : QStringLiteral(", left to right");
    const auto detail = sheet.request.from || sheet.request.to ? std::nullopt : detailOf(sheet, index);
    const double space = body.height() - legendHeight;
    if (detail && space >= 520) {
        TimelineView upper = view, lower = view;
        upper.counters = false;
        lower.from = detail->first;
        lower.to = detail->second;
        const double titles = 24, between = 26;
        const double upperHeight = (space - 2 * titles - between) * 0.40,
                     lowerHeight = space - 2 * titles - between - upperHeight;
        upper = stretched(index, upper, upperHeight);
        lower = stretched(index, lower, lowerHeight);
        const QRectF a(body.left(), body.top() + titles, body.width(), timelineHeight(index, upper) + 1);
        const QRectF b(body.left(), a.bottom() + between + titles, body.width(), timelineHeight(index, lower) + 1);
        paintPanelTitle(sheet, { body.left(), body.top() }, QStringLiteral("a"), what);
        paintTimelinePanel(sheet, index, a, upper);
        paintTimelinePanel(sheet, index, b, lower);
        paintZoomLines(sheet, layoutTimeline(a, index, upper), layoutTimeline(b, index, lower));
        const QString words = QStringLiteral("Two key blocks in detail, cycles %1 to %2")
                                  .arg(grouped(std::llround(lower.from)), grouped(std::llround(lower.to)));
        sheet.painter.fillRect(
            QRectF(b.left(), b.top() - titles, 26 + textWidth(canvasFont(12.5, QFont::DemiBold), words), 18),
            sheet.theme.panel);
        paintPanelTitle(sheet, { b.left(), b.top() - titles }, QStringLiteral("b"), words);
    } else {
        paintPanelTitle(sheet, body.topLeft(), QString(), what);
        view = stretched(index, view, space - 24);
        const double height = std::min(space - 24, timelineHeight(index, view) + 1);
        paintTimelinePanel(sheet, index, { body.left(), body.top() + 24, body.width(), height }, view);
    }
    paintTimelineLegend(sheet.painter, legend, { &index, sheet.request.at, {}, false, true }, sheet.theme);
}

QString momentWords(const Sheet& sheet)
{
    const auto cycle = sheet.trace().timeAt(sheet.request.at);
    return QStringLiteral("after event %1 of %2, cycle %3, %4 modelled")
        .arg(grouped(sheet.request.at.value), grouped(sheet.trace().end().value), grouped(cycle),
            duration(static_cast<double>(cycle), sheet.trace().clockMhz()));
}

// Draws somewhat larger than on screen, as far as the room allows: `need` is the size that the painter asks for.
template <typename Draw> void paintEnlarged(const Sheet& sheet, const QRectF& room, QSizeF need, Draw draw)
{
    const double factor = std::clamp(std::min(room.width() / need.width(), room.height() / need.height()), 1.0, 1.3);
    sheet.painter.save();
    sheet.painter.translate(room.topLeft());
    sheet.painter.scale(factor, factor);
    draw(QRectF(QPointF(0, 0), room.size() / factor));
    sheet.painter.restore();
}

// Beside the tiles, where there is room: what the memories hold, and the rows' statistics.
void paintMargin(const Sheet& sheet, const QRectF& room)
{
    const MemoryScene memory { &sheet.trace(), &sheet.request.run->gpu, sheet.request.at, sheet.cta, {} };
    const double height = memoryHeight(memory);
    if (height > room.height())
        return;
    paintMemory(sheet.painter, { room.left(), room.top(), room.width(), height }, memory, sheet.theme);
    const QRectF rest(room.left(), room.top() + height + 16, room.width(), room.height() - height - 16);
    if (rest.height() < 120)
        return;
    paintPanelTitle(
        sheet, { rest.left() + 12, rest.top() }, QString(), QStringLiteral("Ledger of the rows, log2 units"));
    const double rows = std::floor((rest.height() - 22 - 22) / 18);
    paintLedger(
        sheet.painter, { rest.left(), rest.top() + 22, rest.width(), 22 + 18 * rows }, sheet.stage(), 0, sheet.theme);
}

void paintTilesView(const Sheet& sheet, const QRectF& body)
{
    const double legendHeight = 30;
    const StageScene scene = sheet.stage();
    const double column = body.width() >= 1000 ? 400 : 0;
    const QRectF rect(body.left() - 12, body.top() + 22, body.width() + 24 - column, body.height() - legendHeight - 22);
    paintPanelTitle(sheet, body.topLeft(), QString(), QStringLiteral("The score matrix, ") + momentWords(sheet));
    StageView view;
    view.labels = true;
    // As large as the sheet allows.
    const Program& program = sheet.trace().program();
    const double across = (rect.width() - 230) / std::max(1, program.keyBlocks()),
                 down = (rect.height() - 110) / std::max(1, program.queryTiles());
    view.cell = std::clamp(std::floor(std::min(across, down)), 2.0, 96.0);
    paintStage(sheet.painter, rect, scene, view, sheet.theme);
    const StageLayout layout = layoutStage(rect, scene, view);
    if (column > 0) {
        const double left = std::max(layout.outputs.right() + 50, body.left() + 560);
        paintMargin(sheet, { left, rect.top() - 4, body.right() + 12 - left, rect.height() });
    }
    paintStageLegend(sheet.painter, { body.left(), body.bottom() - legendHeight + 4, 600, 24 }, sheet.theme,
        sheet.trace().program().launches.size() > 1, sheet.request.run->report.hazards > 0);
    if (body.width() >= 1000)
        paintDivergingScale(sheet.painter, { body.left() + 640, body.bottom() - legendHeight + 10 }, 180,
            stageOutputLimit(scene, layout),
            QStringLiteral("O ÷ ℓ; squares: each element's share of its row's ℓ so far"), sheet.theme);
}

void paintMemoryView(const Sheet& sheet, const QRectF& body)
{
    paintPanelTitle(sheet, body.topLeft(), QString(),
        QStringLiteral("Memory of CTA %1, ").arg(sheet.cta.index()) + momentWords(sheet));
    const MemoryScene scene { &sheet.trace(), &sheet.request.run->gpu, sheet.request.at, sheet.cta, {} };
    const double need = memoryHeight(scene);
    paintEnlarged(sheet, { body.left() - 12, body.top() + 26, body.width() + 24, body.height() - 60 }, { 600, need },
        [&](const QRectF& rect) { paintMemory(sheet.painter, rect, scene, sheet.theme); });
    paintStageLegend(sheet.painter, { body.left(), body.bottom() - 26, body.width(), 24 }, sheet.theme,
        sheet.trace().program().launches.size() > 1, sheet.request.run->report.hazards > 0);
}

// The key block the CTA's roles are at.
int currentBlock(const Sheet& sheet)
{
    const Program& program = sheet.trace().program();
    int j = -1;
    for (const RoleState& role : rolesAt(sheet.trace(), sheet.cta, sheet.request.at)) {
        if (!role.current.valid())
            continue;
        const WorkId work = sheet.trace().workOf(role.current);
        const RoleRange* range = nullptr;
        for (const RoleRange& r : sheet.trace().streamOf(work).roles)
            if (r.role == role.role)
                range = &r;
        // Back to the newest op of a visit: copies and waits run ahead of it.
        for (std::size_t k = sheet.trace().opOf(role.current).index() + 1; range && k-- > range->first;)
            if (program.ops[k].n > 0) {
                j = program.keyBlock(program.work(work), program.ops[k]);
                break;
            }
    }
    return j;
}

void paintLedgerView(const Sheet& sheet, const QRectF& body)
{
    const StageScene scene = sheet.stage();
    const Program& program = sheet.trace().program();
    const int j = currentBlock(sheet);
    const Work& work = program.work(sheet.work());
    const QRectF rect(body.left() - 14, body.top() + 22, body.width() + 28, body.height() - 22);
    if (j >= 0 && program.tile.keys <= widestNumbers) {
        paintPanelTitle(sheet, body.topLeft(), QString(),
            QStringLiteral("Tile (%1, %2), ").arg(work.i).arg(j) + momentWords(sheet));
        const NumbersView view { work.i, j, NumberFormat::Decimal, 0 };
        const NumbersLayout natural = layoutNumbers({ 0, 0, 4000, 4000 }, scene, view);
        paintEnlarged(sheet, rect, { natural.sums.right() + 14, natural.contentHeight },
            [&](const QRectF& room) { paintNumbers(sheet.painter, room, scene, view, sheet.theme); });
        return;
    }
    paintPanelTitle(sheet, body.topLeft(), QString(),
        QStringLiteral("Ledger of query tile %1 in log2 units, ").arg(work.i) + momentWords(sheet));
    paintEnlarged(sheet, { rect.left(), rect.top() + 4, std::min(rect.width(), 900.0), rect.height() - 4 },
        { 480, ledgerHeight(scene) },
        [&](const QRectF& room) { paintLedger(sheet.painter, room, scene, 0, sheet.theme); });
}

QStringList wrapped(const QString& text, const QFont& font, double width)
{
    QStringList lines { QString() };
    for (const QString& word : text.split(QLatin1Char(' '))) {
        const QString longer = lines.last().isEmpty() ? word : lines.last() + QLatin1Char(' ') + word;
        if (textWidth(font, longer) <= width || lines.last().isEmpty())
            lines.last() = longer;
        else
            lines << word;
    }
    return lines;
}

void paintLines(QPainter& painter, QRectF line, const QFont& font, const QStringList& lines)
{
    for (const QString& text : lines) {
        drawLine(painter, line, Qt::AlignLeft, font, text);
        line.translate(0, 16);
    }
}

void paintBody(const Sheet& sheet, const QRectF& body)
{
    if (sheet.request.view == QStringLiteral("tiles"))
        paintTilesView(sheet, body);
    else if (sheet.request.view == QStringLiteral("memory"))
        paintMemoryView(sheet, body);
    else if (sheet.request.view == QStringLiteral("ledger"))
        paintLedgerView(sheet, body);
    else
        paintTimelineView(sheet, body);
}

} // namespace

void paintPicture(QPainter& painter, const PictureRequest& request)
{
    const Theme& theme = Theme::byName(request.theme);
    const Sheet sheet { painter, request, theme, ctaOf(request) };
    const QRectF page(QPointF(0, 0), QSizeF(request.size));
    painter.fillRect(page, theme.panel);
    const double left = page.width() < 800 ? 16 : margin, width = page.width() - 2 * left;
    if (request.bare) {
        paintBody(sheet, page.adjusted(left, 16, -left, -10));
        return;
    }
    painter.setPen(theme.text);
    drawElided(painter, { left, 22, width, 28 }, Qt::AlignLeft,
        canvasFont(page.width() < 800 ? 15 : 19, QFont::DemiBold), pictureTitle(request));
    painter.setPen(theme.t2);
    drawElided(painter, { left, 52, width, 20 }, Qt::AlignLeft, canvasFont(12), pictureSubtitle(request));
    const QStringList lines = wrapped(provenance(request), canvasFont(11), width);
    const double bottom = page.height() - 26 - 16.0 * lines.size();
    painter.fillRect(QRectF(left, bottom, width, 1), theme.line);
    paintLines(painter, { left, bottom + 8, width, 18 }, canvasFont(11), lines);

    const QRectF body(left, 88, width, bottom - 88 - 10);
    paintBody(sheet, body);
}

} // namespace flashstep::paint
