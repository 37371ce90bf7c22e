// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"
#include "ui/paint/grid_painter.h"
#include "ui/paint/ledger_painter.h"
#include "ui/paint/marks.h"
#include "ui/paint/memory_painter.h"
#include "ui/paint/memory_traffic.h"
#include "ui/paint/numbers_painter.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/scale_bar.h"
#include "ui/paint/stage_painter.h"

#include "core/trace/state.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace flashstep::paint {

namespace {

constexpr double widestNumbers = 16; // keys of a tile that fit a sheet with their numbers
constexpr double scaleHeight = 34; // of a colour scale with its ticks
constexpr double inset = 12; // that the painters of the window's panels leave at their sides
constexpr double beside = 400; // width of what stands beside the tiles
constexpr double designCell = 56; // pixels of a tile where nobody asks for a size
constexpr double mostRows = 40; // of a ledger's column where nobody asks for a size
constexpr double ledgerWidth = 466, ledgerHead = 22, ledgerRow = 18; // of its table on screen

// Draws larger or smaller than on screen, as the room allows: `need` is the size that the painter asks for.
template <typename Draw> void paintFitting(const Sheet& sheet, const QRectF& room, QSizeF need, double most, Draw draw)
{
    const double factor = std::min({ most, room.width() / need.width(), room.height() / need.height() });
    sheet.painter->save();
    sheet.painter->translate(room.topLeft());
    sheet.painter->scale(factor, factor);
    draw(QRectF(QPointF(0, 0), room.size() / factor));
    sheet.painter->restore();
}

Legend stageLegendOf(const Sheet& sheet)
{
    return stageLegend(sheet.theme, sheet.trace().program().launches.size() > 1, sheet.request.run->report.hazards > 0);
}

void paintTitle(const Sheet& sheet, const QRectF& body, const QString& letter, const QString& words)
{
    paintPanelTitle(
        *sheet.painter, { body.left(), body.top(), body.width(), panelTitleHeight }, letter, words, sheet.theme);
}

// Below the title, above what is at the foot.
QRectF between(const QRectF& body, double foot)
{
    return body.adjusted(0, panelTitleHeight, 0, -foot);
}

MemoryScene memoryOf(const Sheet& sheet)
{
    return { &sheet.trace(), &sheet.request.run->gpu, sheet.request.at, sheet.cta, {} };
}

constexpr double memoryDesign = 900, largest = 1.3; // width, and by how much what is drawn for a window may grow

// The size that the memory is laid out in for a picture so wide.
QSizeF memoryNeed(const MemoryScene& scene, double width)
{
    const double inner = width / std::clamp(width / memoryDesign, 1.0, largest);
    return { inner, memoryHeight(scene, { inner, 1e5 }) };
}

// "The score matrix, after event …"; of a panel, which has less room, "The score matrix at cycle 12".
QString titled(const Sheet& sheet, const QString& what, const QString& letter)
{
    if (letter.isEmpty())
        return what + QStringLiteral(", ") + momentWords(sheet);
    return what + QStringLiteral(" at cycle ") + grouped(sheet.trace().timeAt(sheet.request.at));
}

// Panels have one legend of tiles between them: the first that shows some has it.
bool bearsLegend(const Sheet& sheet, const QString& view)
{
    const auto tiled
        = [](const QString& name) { return name == QStringLiteral("tiles") || name == QStringLiteral("memory"); };
    const auto first = std::find_if(sheet.request.panels.begin(), sheet.request.panels.end(), tiled);
    return first == sheet.request.panels.end() || *first == view;
}

// ---- tiles ----------------------------------------------------------------------------------------------------------

// Beside the tiles, where there is room: what the memories hold, and the rows' statistics.
void paintMargin(const Sheet& sheet, const QRectF& room)
{
    const MemoryTraffic traffic(sheet.trace(), sheet.request.run->gpu);
    MemoryScene memory = memoryOf(sheet);
    memory.traffic = &traffic;
    const double height = memoryHeight(memory);
    if (height > room.height())
        return;
    paintMemory(*sheet.painter, { room.left(), room.top(), room.width(), height }, memory, sheet.theme);
    const QRectF rest(room.left(), room.top() + height + 16, room.width(), room.height() - height - 16);
    if (rest.height() < 120)
        return;
    paintPanelTitle(*sheet.painter, { rest.left() + inset, rest.top(), rest.width() - 2 * inset, panelTitleHeight },
        QString(), QStringLiteral("Ledger of the rows, log2 units"), sheet.theme);
    const double rows = std::floor((rest.height() - 2 * 22) / 18);
    paintLedger(
        *sheet.painter, { rest.left(), rest.top() + 22, rest.width(), 22 + 18 * rows }, sheet.stage(), 0, sheet.theme);
}

bool hasMargin(const QRectF& body, const QString& letter)
{
    return letter.isEmpty() && body.width() >= 1000;
}

// Whether anything of the head on show was computed.
bool hasValues(const StageScene& scene)
{
    const ShownHead head = shownHead(scene);
    for (int i = 0; i < scene.trace->program().queryTiles(); ++i)
        if (scene.trace->hasValues(scene.trace->ctaOf(scene.trace->workOfTile(head.b, head.h, i))))
            return true;
    return false;
}

// Below the tiles: what their colours stand for, or that there are no numbers.
void paintValueScale(const Sheet& sheet, QPointF at, double width, const StageScene& scene, const StageLayout& layout)
{
    const QFont font = canvasFont(11);
    if (layout.outputs.isEmpty()) {
        const bool none = sheet.request.run->scenario.record.kind == Record::Kind::None;
        sheet.painter->setPen(sheet.theme.t2);
        drawElided(*sheet.painter, { at.x(), at.y(), width, 16 }, Qt::AlignLeft, font,
            none ? QStringLiteral(
                "Values not computed (--record none): the tiles show what happens to them, no numbers.")
                 : QStringLiteral("The values of this head were not computed: the tiles show what happens to them."));
        return;
    }
    const Program& program = sheet.trace().program();
    const bool running = program.bufferOf("l", static_cast<int>(program.launches.size()) - 1, 0).valid();
    const QString brief = running ? QStringLiteral("O ÷ ℓ") : QStringLiteral("O so far");
    const QString words = brief
        + (running ? QStringLiteral("; squares: each element's share of its row's ℓ so far")
                   : QStringLiteral("; squares: P, each element's share of its row"));
    const bool roomy = width >= 190 + textWidth(font, words);
    paintDivergingScale(*sheet.painter, at, 180, stageOutputLimit(scene, layout), roomy ? words : brief, sheet.theme);
}

QSizeF tilesNeed(const Sheet& sheet, double cell)
{
    const Program& program = sheet.trace().program();
    return { 230 + cell * std::max(1, program.keyBlocks()), 110 + cell * std::max(1, program.queryTiles()) };
}

void paintTilesView(const Sheet& sheet, const QRectF& body, const QString& letter)
{
    paintTitle(sheet, body, letter, titled(sheet, QStringLiteral("The score matrix"), letter));
    const Legend legend = bearsLegend(sheet, QStringLiteral("tiles")) ? stageLegendOf(sheet) : Legend {};
    const double foot = legend.height(body.width()) + scaleHeight + 6;
    const StageScene scene = sheet.stage();
    const double column = hasMargin(body, letter) ? beside : 0;
    const QRectF room = between(body, foot).adjusted(-inset, 0, inset - column, 0);
    StageView view;
    view.labels = true;
    view.outputs = hasValues(scene);
    // As large as the sheet allows.
    const Program& program = sheet.trace().program();
    const double across = (room.width() - 230) / std::max(1, program.keyBlocks()),
                 down = (room.height() - 110) / std::max(1, program.queryTiles());
    view.cell = std::clamp(std::floor(std::min(across, down)), 2.0, 96.0);
    paintStage(*sheet.painter, room, scene, view, sheet.theme);
    const StageLayout layout = layoutStage(room, scene, view);
    if (column > 0) {
        const double left = std::max(layout.outputs.right() + 50, body.left() + 560);
        paintMargin(sheet, { left, room.top() - 4, body.right() + inset - left, room.height() });
    }
    // Close below the tiles, however high the sheet is.
    const double low = column > 0 ? layout.bounds.bottom() : layout.caption.bottom() + 10;
    const double top = std::min(body.bottom() - foot, low) + 6;
    legend.paint(*sheet.painter, { body.left(), top, body.width(), legend.height(body.width()) }, sheet.theme);
    paintValueScale(sheet, { body.left(), top + legend.height(body.width()) + 8 }, body.width(), scene, layout);
}

double tilesHeight(const Sheet& sheet, double width, bool margin)
{
    const Program& program = sheet.trace().program();
    const double room = width + 2 * inset - (margin && width >= 1000 ? beside : 0);
    const double cell = std::clamp(std::floor((room - 230) / std::max(1, program.keyBlocks())), 2.0, designCell);
    double height = tilesNeed(sheet, cell).height();
    if (margin && width >= 1000)
        height = std::max(height, memoryHeight(memoryOf(sheet)) + 16);
    const double legend = bearsLegend(sheet, QStringLiteral("tiles")) ? stageLegendOf(sheet).height(width) : 0;
    return panelTitleHeight + height + legend + scaleHeight + 6;
}

// ---- memory ---------------------------------------------------------------------------------------------------------

void paintMemoryView(const Sheet& sheet, const QRectF& body, const QString& letter)
{
    paintTitle(sheet, body, letter, titled(sheet, QStringLiteral("Memory of CTA %1").arg(sheet.cta.index()), letter));
    const MemoryTraffic traffic(sheet.trace(), sheet.request.run->gpu);
    MemoryScene scene = memoryOf(sheet);
    scene.traffic = &traffic;
    const Legend legend = bearsLegend(sheet, QStringLiteral("memory")) ? stageLegendOf(sheet) : Legend {};
    const double foot = legend.height(body.width()) + 8;
    const QRectF room = between(body, foot).adjusted(-inset, 0, inset, 0);
    const QSizeF need = memoryNeed(scene, room.width());
    paintFitting(
        sheet, room, need, largest, [&](const QRectF& rect) { paintMemory(*sheet.painter, rect, scene, sheet.theme); });
    const double factor = std::min({ largest, room.width() / need.width(), room.height() / need.height() });
    const double used = memoryHeight(scene, room.size() / factor) * factor;
    const double top = std::min(body.bottom() - foot, room.top() + used + 6) + 8;
    legend.paint(*sheet.painter, { body.left(), top, body.width(), foot }, sheet.theme);
}

double memoryViewHeight(const Sheet& sheet, double width)
{
    const QSizeF need = memoryNeed(memoryOf(sheet), width + 2 * inset);
    const double legend = bearsLegend(sheet, QStringLiteral("memory")) ? stageLegendOf(sheet).height(width) : 0;
    return panelTitleHeight + (width + 2 * inset) / need.width() * need.height() + legend + 16;
}

// ---- ledger ---------------------------------------------------------------------------------------------------------

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

struct LedgerShown {
    std::optional<NumbersView> numbers; // of one tile; else the table alone
    QSizeF need;
};

constexpr double leastNumbers = 0.72; // of their size on screen: smaller, the table alone says more

LedgerShown ledgerOf(const Sheet& sheet, double width)
{
    const Program& program = sheet.trace().program();
    const StageScene scene = sheet.stage();
    const int j = currentBlock(sheet);
    if (j < 0 || program.tile.keys > widestNumbers)
        return { std::nullopt, {} };
    const NumbersView view { program.work(sheet.work()).i, j, NumberFormat::Decimal, 0 };
    const NumbersLayout natural = layoutNumbers({ 0, 0, 4000, 4000 }, scene, view);
    if (!sheet.request.panels.isEmpty() && width < leastNumbers * natural.sums.right())
        return { std::nullopt, {} };
    return { view, { natural.sums.right() + 14, natural.contentHeight } };
}

// "query tile 2", "query tiles 2 and 3": those whose rows are on show, which a CTA that sweeps over tiles changes.
QString tilesOf(const Sheet& sheet, const std::vector<RowState>& rows)
{
    const Program& program = sheet.trace().program();
    const int height = program.launches[program.work(sheet.work()).launch].queryRows;
    std::set<int> tiles;
    for (const RowState& row : rows)
        tiles.insert((row.row * program.packed + row.h % program.packed) / height);
    if (tiles.empty())
        return QStringLiteral("the rows");
    QString text
        = (tiles.size() == 1 ? QStringLiteral("query tile %1") : QStringLiteral("query tiles %1")).arg(*tiles.begin());
    for (auto tile = std::next(tiles.begin()); tile != tiles.end(); ++tile)
        text += (*tile == *tiles.rbegin() ? QStringLiteral(" and %1") : QStringLiteral(", %1")).arg(*tile);
    return text;
}

Legend ledgerLegend(const Sheet& sheet)
{
    Legend legend;
    const auto add = [&](RowMark mark, const QString& words) {
        legend.add(10, words, [mark, &theme = sheet.theme](QPainter& painter, const QRectF& r) {
            paintMark(painter, r.center(), mark, theme);
        });
    };
    legend.group(QStringLiteral("The row's maximum grew"));
    add(RowMark::Rescaled, QStringLiteral("O and ℓ rescaled"));
    if (sheet.trace().program().softmax.conditional)
        add(RowMark::Kept, QStringLiteral("by no more than the threshold: reference kept"));
    return legend;
}

// The table in as many columns of rows as the height asks for and the width has room for.
struct LedgerTable {
    int columns = 1, rows = 0; // of each
    [[nodiscard]] QSizeF need() const { return { ledgerWidth * columns, ledgerHead + ledgerRow * rows }; }
};

LedgerTable tableFor(int rows, double width, double height)
{
    const int most = std::max(1, static_cast<int>(width / ledgerWidth));
    LedgerTable table { 1, rows };
    while (table.columns < most && table.need().height() > height) {
        ++table.columns;
        table.rows = (rows + table.columns - 1) / table.columns;
    }
    return table;
}

void paintLedgerView(const Sheet& sheet, const QRectF& body, const QString& letter)
{
    const StageScene scene = sheet.stage();
    const LedgerShown shown = ledgerOf(sheet, body.width());
    const QRectF room = between(body, 0).adjusted(-14, 0, 14, 0);
    if (shown.numbers) {
        paintTitle(sheet, body, letter,
            titled(sheet, QStringLiteral("Tile (%1, %2)").arg(shown.numbers->i).arg(shown.numbers->j), letter));
        paintFitting(sheet, room, shown.need, largest,
            [&](const QRectF& rect) { paintNumbers(*sheet.painter, rect, scene, *shown.numbers, sheet.theme); });
        return;
    }
    const std::vector<RowState> rows = ledgerAt(*scene.trace, scene.cta, scene.position);
    paintTitle(sheet, body, letter,
        titled(sheet, QStringLiteral("Ledger of %1, log2 units").arg(tilesOf(sheet, rows)), letter));
    if (rows.empty()) { // a sentence says why; nothing to explain by a legend
        paintLedger(*sheet.painter, room.adjusted(2, 4, -2, 0), scene, 0, sheet.theme);
        return;
    }
    const Legend legend = ledgerLegend(sheet);
    const double foot = legend.height(body.width()) + 8;
    const double high = room.height() - 4 - foot;
    const LedgerTable table = tableFor(static_cast<int>(rows.size()), room.width(), high);
    const QRectF place(room.left(), room.top() + 4, std::min(room.width(), 900.0 * table.columns), high);
    paintFitting(sheet, place, table.need(), table.columns == 1 ? largest : 1.0, [&](const QRectF& rect) {
        const double width = rect.width() / table.columns;
        for (int k = 0; k < table.columns; ++k)
            paintLedger(*sheet.painter, { rect.left() + k * width, rect.top(), width, table.need().height() }, scene,
                ledgerRow * k * table.rows, sheet.theme);
    });
    const double used = std::min(place.height(), largest * table.need().height());
    legend.paint(*sheet.painter, { body.left(), place.top() + used + 8, body.width(), foot }, sheet.theme);
}

double ledgerViewHeight(const Sheet& sheet, double width)
{
    const LedgerShown shown = ledgerOf(sheet, width);
    if (shown.numbers)
        return panelTitleHeight + 8 + std::min(largest, (width + 28) / shown.need.width()) * shown.need.height();
    const auto rows = static_cast<int>(ledgerAt(sheet.trace(), sheet.cta, sheet.request.at).size());
    if (rows == 0)
        return panelTitleHeight + 80;
    const LedgerTable table = tableFor(rows, width + 28, ledgerHead + ledgerRow * mostRows);
    const double factor = table.columns == 1 ? largest : 1;
    return panelTitleHeight + 16 + factor * table.need().height() + ledgerLegend(sheet).height(width);
}

// ---- grid -----------------------------------------------------------------------------------------------------------

// All rows at their highest, with what is above and below them.
double gridNeed(const GridIndex& index, double width)
{
    const GridLayout layout = layoutGrid({ 0, 0, width, 1e5 }, index, {});
    return layout.plot.top() + layout.contentHeight + 36;
}

void paintGridPicture(const Sheet& sheet, const QRectF& body, const QString& letter)
{
    const GridIndex index(sheet.request.run->trace);
    const Cycle now = index.timeAt(sheet.request.at);
    const bool beyond = now != sheet.trace().timeAt(sheet.request.at); // the last event that is kept
    paintTitle(sheet, body, letter,
        beyond ? QStringLiteral("The grid at the end of the run, cycle ") + grouped(now)
               : titled(sheet, QStringLiteral("The grid"), letter));
    const GridScene scene { &index, sheet.request.at, sheet.cta, CtaId::none() };
    GridView view;
    if (sheet.request.from || sheet.request.to) {
        view.from = sheet.request.from.value_or(0);
        view.to = std::max(view.from + 1, sheet.request.to.value_or(static_cast<double>(sheet.trace().cycles())));
    }
    QRectF room = between(body, 0).adjusted(-inset, -4, inset, 0);
    room.setHeight(std::min(room.height(), gridNeed(index, room.width())));
    paintGridView(*sheet.painter, room, scene, view, sheet.theme);
}

double gridHeight(const Sheet& sheet, double width)
{
    constexpr double most = 760;
    return panelTitleHeight - 4 + std::min(most, gridNeed(GridIndex(sheet.request.run->trace), width + 2 * inset));
}

} // namespace

QString momentWords(const Sheet& sheet)
{
    const auto cycle = sheet.trace().timeAt(sheet.request.at);
    return QStringLiteral("after event %1 of %2, cycle %3, %4 modelled")
        .arg(grouped(sheet.request.at.value), grouped(sheet.trace().end().value), grouped(cycle),
            duration(static_cast<double>(cycle), sheet.trace().clockMhz()));
}

void paintView(const Sheet& sheet, const QString& view, const QRectF& rect, const QString& letter)
{
    if (view == QStringLiteral("tiles"))
        paintTilesView(sheet, rect, letter);
    else if (view == QStringLiteral("memory"))
        paintMemoryView(sheet, rect, letter);
    else if (view == QStringLiteral("ledger"))
        paintLedgerView(sheet, rect, letter);
    else if (view == QStringLiteral("grid"))
        paintGridPicture(sheet, rect, letter);
    else
        paintTimelineView(sheet, rect, letter);
}

double viewHeight(const Sheet& sheet, const QString& view, double width)
{
    if (view == QStringLiteral("tiles"))
        return tilesHeight(sheet, width, sheet.request.panels.isEmpty());
    if (view == QStringLiteral("memory"))
        return memoryViewHeight(sheet, width);
    if (view == QStringLiteral("ledger"))
        return ledgerViewHeight(sheet, width);
    if (view == QStringLiteral("grid"))
        return gridHeight(sheet, width);
    return timelineViewHeight(sheet, width);
}

} // namespace flashstep::paint
