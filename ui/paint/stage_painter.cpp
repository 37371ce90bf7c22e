// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/stage_painter.h"

#include "core/trace/state.h"
#include "ui/paint/fonts.h"
#include "ui/paint/stage_parts.h"
#include "ui/paint/tile_painter.h"
#include "ui/paint/timeline_painter.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

// The rows of the work tile that the chosen CTA has come to, where its head is on show.
void outlineRows(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    if (layout.cell < 6)
        return;
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    canvas.painter.setPen(QPen(canvas.theme.text, 1));
    canvas.painter.setBrush(Qt::NoBrush);
    QRectF rows; // neighbours under one outline
    for (int i = layout.firstRow(); i <= layout.lastRow(); ++i) {
        if (i < layout.lastRow() && isWorkedOn(canvas, i)) {
            rows = rows.united(
                QRectF(layout.window.left(), layout.cellRect(i, 0).top(), layout.window.width(), layout.cell));
            continue;
        }
        if (!rows.isEmpty())
            canvas.painter.drawRoundedRect(rows.adjusted(-1.5, -0.5, 1.5, 0.5), 3, 3);
        rows = {};
    }
}

void outlineTile(const StageCanvas& canvas, int i, int j)
{
    if (i < 0 || j < 0 || i >= canvas.layout.queryTiles || j >= canvas.layout.keyBlocks)
        return;
    const QRectF cell = canvas.layout.cellRect(i, j);
    if (!cell.intersects(canvas.layout.window))
        return;
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    canvas.painter.setPen(QPen(canvas.theme.text, 2));
    canvas.painter.setBrush(Qt::NoBrush);
    canvas.painter.drawRoundedRect(cell, 3, 3);
}

// "warps 0–3" for neighbours that do the same, else the names one by one.
QString namesOf(const Program& program, const std::vector<RoleId>& roles)
{
    const auto nameAt = [&](std::size_t k) { return QString::fromStdString(program.roles[roles[k].index()].name); };
    if (roles.size() == 1)
        return nameAt(0);
    const QString prefix = QStringLiteral("warp ");
    if (nameAt(0).startsWith(prefix) && nameAt(roles.size() - 1).startsWith(prefix)
        && roles.back().index() - roles.front().index() + 1 == roles.size())
        return QStringLiteral("warps %1–%2")
            .arg(nameAt(0).mid(prefix.size()), nameAt(roles.size() - 1).mid(prefix.size()));
    QStringList names;
    for (std::size_t k = 0; k < roles.size(); ++k)
        names << nameAt(k);
    return names.join(QStringLiteral(", "));
}

bool hasOps(const Trace& trace, const RoleState& state)
{
    const auto works = trace.worksOf(state.cta);
    return std::any_of(works.begin(), works.end(), [&](WorkId work) {
        const auto& roles = trace.streamOf(work).roles;
        return std::any_of(roles.begin(), roles.end(),
            [&](const RoleRange& range) { return range.role == state.role && range.count > 0; });
    });
}

QString doing(const Trace& trace, const RoleState& state)
{
    switch (state.kind) {
    case RoleState::Kind::NotStarted:
        return hasOps(trace, state) ? QStringLiteral("not started") : QStringLiteral("takes no part");
    case RoleState::Kind::Done:
        return QStringLiteral("done");
    case RoleState::Kind::Waiting:
        return QStringLiteral("waiting");
    case RoleState::Kind::Stuck:
        return QStringLiteral("stuck");
    case RoleState::Kind::Running:
        break;
    }
    const Op& op = trace.op(state.current);
    if (op.kind == OpKind::Wait || op.kind == OpKind::Sync)
        return QStringLiteral("at “%1”").arg(sliceLabel(trace, state.current, false));
    if (op.kind == OpKind::Load || op.kind == OpKind::Store)
        return QString::fromStdString(labelOf(trace.program(), op));
    return op.kind == OpKind::RowSum   ? QStringLiteral("row sum")
        : op.kind == OpKind::Convert   ? QStringLiteral("rounding")
        : op.kind == OpKind::Normalise ? QStringLiteral("dividing by l")
                                       : sliceLabel(trace, state.current, false);
}

} // namespace

QString stageCaption(const StageScene& scene)
{
    if (!scene.trace || !scene.cta.valid())
        return QString();
    const Trace& trace = *scene.trace;
    const Program& program = trace.program();
    const Work& work = program.work(trace.workAt(scene.cta, scene.position));
    std::vector<std::pair<QString, std::vector<RoleId>>> groups;
    const bool sweep = program.launches[work.launch].severalTiles(); // the op says at which query tile it is
    int i = 0, j = -1;
    for (const RoleState& state : rolesAt(trace, scene.cta, scene.position)) {
        if (state.current.valid()) {
            const Op& op = trace.op(state.current);
            const int block = program.keyBlock(program.work(trace.workOf(state.current)), op);
            if (block >= 0 && !op.async)
                j = block;
            if (sweep && !op.async)
                i = op.i;
        }
        const QString what = doing(trace, state);
        const auto same
            = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.first == what; });
        if (same == groups.end())
            groups.push_back({ what, { state.role } });
        else
            same->second.push_back(state.role);
    }
    if (sweep && scene.position.value > 0) { // the warps may be at two tiles: the one of what has just happened
        const InstanceId newest = trace.eventAt(scene.position.value - 1).instance;
        const Op& op = trace.op(newest);
        if (trace.ctaOf(newest) == scene.cta && op.n > 0) {
            i = op.i;
            j = program.keyBlock(work, op);
        }
    }
    QString text = QStringLiteral("Q%1").arg(work.i + i);
    if (j >= 0)
        text += QStringLiteral(" × K%1").arg(j);
    const int row = work.row + i * program.launches[work.launch].queryRows;
    text += QStringLiteral(", ") + rowRange(program, work.h, row, row + std::max(1, program.rowsInside(work, i)) - 1)
        + QStringLiteral(": ");
    QStringList parts;
    for (const auto& [what, roles] : groups)
        if (roles.size() == 1 && what.startsWith(namesOf(program, roles) + QLatin1Char(' '))) // "load V" by "load"
            parts << what;
        else
            parts << (groups.size() == 1 && roles.size() > 1
                    ? QStringLiteral("all warps %1").arg(what)
                    : QStringLiteral("%1 %2").arg(namesOf(program, roles), what));
    return text + parts.join(QStringLiteral(", ")) + QLatin1Char('.');
}

QString describeTile(const StageScene& scene, int i, int j, int ownRow)
{
    if (!scene.trace || !scene.cta.valid())
        return QString();
    const Program& program = scene.trace->program();
    const ShownHead head = shownHead(scene);
    const TileState state = tileAt(*scene.trace, head.b, head.h, i, j, scene.position);
    const std::string_view kind = name(state.kind);
    QString text = QStringLiteral("Tile (%1, %2): %3")
                       .arg(i)
                       .arg(j)
                       .arg(QString::fromLatin1(kind.data(), static_cast<int>(kind.size())));
    if (state.kind == TileState::Kind::Loading)
        text += QStringLiteral(" %1 %").arg(static_cast<int>(std::lround(100 * state.fraction)));
    if (state.n > 0)
        text += QStringLiteral(", block %1 of its row").arg(state.n);
    if (hiddenTile(program, i, j))
        text += QStringLiteral(", hidden by the mask");
    else if (state.masked)
        text += QStringLiteral(", partly masked");
    const int row = i * program.tile.rows, key = j * program.tile.keys;
    const int last = std::min(row + program.tile.rows, program.headRows()) - 1;
    text += QStringLiteral("; %1, keys %2–%3")
                .arg(program.packed > 1 ? rowRange(program, head.h, row, last)
                                        : QStringLiteral("queries %1–%2").arg(row).arg(last))
                .arg(key)
                .arg(key + program.keysInside(j) - 1);
    if (const QString owner = ownRow < 0 ? QString() : describeOwner(*scene.trace, head.b, head.h, i, ownRow);
        !owner.isEmpty())
        text += QStringLiteral("; the row is of ") + owner;
    if (state.cta.valid())
        text += QStringLiteral("; CTA %1 on SM %2").arg(state.cta.index()).arg(scene.trace->span(state.cta).sm);
    return text;
}

void paintStage(
    QPainter& painter, const QRectF& rect, const StageScene& scene, const StageView& view, const Theme& theme)
{
    painter.save();
    painter.setClipRect(rect, Qt::IntersectClip);
    painter.fillRect(rect, theme.panel);
    if (scene.trace && scene.cta.valid()) {
        const StageLayout layout = layoutStage(rect, scene, view);
        const ShownHead head = shownHead(scene);
        const StageCanvas canvas { painter, scene, view, layout, theme, head.b, head.h };
        paintStageHeaders(canvas);
        paintOwners(canvas);
        painter.save();
        painter.setClipRect(layout.window, Qt::IntersectClip);
        paintStageTiles(canvas);
        painter.restore();
        painter.save();
        painter.setClipRect(layout.window.adjusted(-2, -2, 2, 2), Qt::IntersectClip);
        outlineRows(canvas);
        paintPath(canvas);
        outlineTile(canvas, scene.highlight.i, scene.highlight.j);
        outlineTile(canvas, scene.highlight.hoverI, scene.highlight.hoverJ);
        painter.restore();
        paintStageOutputs(canvas);
        painter.setPen(theme.t2);
        drawElided(painter, layout.caption, Qt::AlignLeft, canvasFont(11), stageCaption(scene));
    }
    painter.restore();
}

namespace {

struct Entry {
    TileLook look;
    const char16_t* words;
};
constexpr Entry entries[]
    = { { TileLook::Untouched, u"untouched" }, { TileLook::Loading, u"loading" }, { TileLook::InSmem, u"in SMEM" },
          { TileLook::Computing, u"computing" }, { TileLook::Stored, u"in HBM" }, { TileLook::Done, u"done" },
          { TileLook::Masked, u"masked" }, { TileLook::Skipped, u"skipped" }, { TileLook::Hazard, u"hazard" } };

bool listed(const Entry& entry, bool scoresInHbm, bool hazards)
{
    if (entry.look == (scoresInHbm ? TileLook::Skipped : TileLook::Stored))
        return false; // what stores its scores skips nothing
    return entry.look != TileLook::Hazard || hazards;
}

double widthOf(const Entry& entry)
{
    return 16 + 6 + textWidth(canvasFont(11), QString::fromUtf16(entry.words));
}

} // namespace

double stageLegendWidth(bool scoresInHbm, bool hazards)
{
    double width = 0;
    for (const Entry& entry : entries)
        width += listed(entry, scoresInHbm, hazards) ? widthOf(entry) + 18 : 0;
    return width;
}

void paintStageLegend(QPainter& painter, const QRectF& rect, const Theme& theme, bool scoresInHbm, bool hazards)
{
    painter.save();
    const QFont font = canvasFont(11);
    double x = rect.left();
    for (const Entry& entry : entries) {
        if (!listed(entry, scoresInHbm, hazards))
            continue;
        const QString words = QString::fromUtf16(entry.words);
        const double width = widthOf(entry);
        if (x + width > rect.right())
            break;
        paintTile(painter, QRectF(std::round(x), std::round(rect.center().y() - 8), 16, 16), entry.look, theme.tiles[3],
            0.6, theme);
        painter.setPen(theme.t2);
        drawLine(painter, QRectF(x + 22, rect.top(), width, rect.height()), Qt::AlignLeft, font, words);
        x += width + 18;
    }
    painter.restore();
}

Legend stageLegend(const Theme& theme, bool scoresInHbm, bool hazards)
{
    Legend legend;
    legend.group(QStringLiteral("Tile"));
    for (const Entry& entry : entries)
        if (listed(entry, scoresInHbm, hazards))
            legend.add(
                16, QString::fromUtf16(entry.words), [look = entry.look, &theme](QPainter& painter, const QRectF& r) {
                    paintTile(painter, r.adjusted(0, -1, 0, 1), look, theme.tiles[3], 0.6, theme);
                });
    return legend;
}

} // namespace flashstep::paint
