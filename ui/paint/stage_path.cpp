// SPDX-License-Identifier: GPL-3.0-or-later
// The order in which the chosen CTA visits its tiles, and whose rows are whose.
#include "ui/paint/fonts.h"
#include "ui/paint/stage_parts.h"
#include "ui/paint/tile_parts.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double pathFrom = 10, ordersFrom = 26, ownersFrom = 30, ownerNamesFrom = 120; // pixels per tile
constexpr std::size_t longestPath = 1024; // visits: beyond, a line through them tells nothing

// "w0", "c1", "s0": short for the role.
QString shortName(const std::string& role)
{
    QString digits;
    for (const char c : role)
        if (c >= '0' && c <= '9')
            digits += QLatin1Char(c);
    return QString(QLatin1Char(role.empty() ? '?' : role.front())) + digits;
}

} // namespace

std::vector<Visit> visitsOf(const Trace& trace, CtaId cta, int b, int h)
{
    const Program& program = trace.program();
    std::vector<Visit> visits;
    for (const WorkId id : trace.worksOf(cta)) {
        const Work& work = program.work(id);
        if (work.b != b || work.h != h / program.packed * program.packed)
            continue;
        for (const StepDecl& step : trace.streamOf(trace.productsOf(id)).steps) {
            if (visits.size() == longestPath)
                return {};
            visits.push_back(
                { work.i + step.i, work.jBase + step.j, trace.block(id, step.i, step.n).value_or(Position {}) });
        }
    }
    // As they land, where that is known of all; else as they were written down.
    if (std::all_of(visits.begin(), visits.end(), [](const Visit& v) { return v.landed.value > 0; }))
        std::stable_sort(
            visits.begin(), visits.end(), [](const Visit& a, const Visit& b2) { return a.landed < b2.landed; });
    return visits;
}

void paintPath(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    if (!canvas.view.path || layout.cell < pathFrom)
        return;
    const std::vector<Visit> visits = visitsOf(canvas.trace(), canvas.scene.cta, canvas.b, canvas.h);
    if (visits.size() < 2)
        return;
    const auto done = static_cast<std::size_t>(std::count_if(visits.begin(), visits.end(),
        [&](const Visit& v) { return v.landed.value > 0 && v.landed <= canvas.scene.position; }));
    const auto centre = [&](const Visit& v) { return layout.cellRect(v.i, v.j).center(); };
    QPainter& painter = canvas.painter;
    painter.setRenderHint(QPainter::Antialiasing, true);
    const auto stretch = [&](std::size_t first, std::size_t last, const QPen& pen) {
        QPolygonF line;
        for (std::size_t k = first; k <= last && k < visits.size(); ++k)
            line << centre(visits[k]);
        if (line.size() < 2)
            return;
        painter.setPen(pen);
        painter.drawPolyline(line);
    };
    QPen halo(canvas.theme.panel, 3.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin);
    QPen ink(canvas.theme.text, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin);
    QPen dots(canvas.theme.t2, 1.2, Qt::CustomDashLine, Qt::FlatCap);
    dots.setDashPattern({ 1.5, 3 });
    painter.setBrush(Qt::NoBrush);
    const std::size_t newest = done > 0 ? done - 1 : 0;
    stretch(newest, visits.size() - 1, dots);
    if (done > 1) {
        stretch(0, newest, halo);
        stretch(0, newest, ink);
        const QPointF tip = centre(visits[newest]), from = centre(visits[newest - 1]);
        const double length = std::hypot(tip.x() - from.x(), tip.y() - from.y());
        const QPointF along = (tip - from) / std::max(1.0, length), across(-along.y(), along.x());
        painter.setPen(QPen(canvas.theme.panel, 1));
        painter.setBrush(canvas.theme.text);
        painter.drawPolygon(QPolygonF(
            QVector<QPointF> { tip + along * 4, tip - along * 4 + across * 4, tip - along * 4 - across * 4 }));
    }
    if (layout.cell < ordersFrom)
        return;
    const QFont font = monoFont(9.5);
    for (std::size_t k = 0; k < visits.size(); ++k) {
        const QRectF cell = layout.cellRect(visits[k].i, visits[k].j);
        if (!cell.intersects(layout.window))
            continue;
        const QString text = QString::number(k + 1);
        const QRectF patch(cell.left() + 3, cell.top() + 3, textWidth(font, text) + 4, 11);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.fillRect(patch, canvas.theme.panel);
        painter.setPen(k < done ? canvas.theme.text : canvas.theme.t2);
        drawLine(painter, patch, Qt::AlignHCenter, font, text);
    }
}

std::vector<RowOwner> ownersOf(const Trace& trace, int b, int h, int i)
{
    const Program& program = trace.program();
    std::vector<RowOwner> owners;
    const WorkId work = trace.workOfTile(b, h, i);
    if (!trace.ctaOf(work).valid())
        return owners;
    const auto& steps = trace.streamOf(trace.productsOf(work)).steps;
    const int own = i - program.work(work).i;
    const auto step = std::find_if(steps.begin(), steps.end(), [&](const StepDecl& s) { return s.i == own; });
    if (program.launches.size() > 1 || step == steps.end())
        return owners;
    for (const TilePart& part : tileParts(
             trace, b, h, i, program.work(work).jBase + step->j, program.launches.back().sweep > 0 ? 0 : step->n)) {
        const OpId op = part.exp2.valid() ? part.exp2 : part.rowMax;
        if (!op.valid() || program.op(op).keys.valid()) // each warp has keys of every row
            continue;
        program.rows(program.op(op)).forEach([&](int r) {
            const int row = part.rowOffset + r;
            if (!owners.empty() && owners.back().role == part.role.role && owners.back().last + 1 == row)
                owners.back().last = row;
            else
                owners.push_back({ part.role.role, row, row });
        });
    }
    return owners;
}

// Beside the rows of the tile that is worked on: a bar for each stretch of rows that one warp or warpgroup has.
void paintOwners(const StageCanvas& canvas)
{
    const StageLayout& layout = canvas.layout;
    if (layout.cell < ownersFrom)
        return;
    const Program& program = canvas.program();
    const double pitch = layout.cell / program.tile.rows;
    for (int i = layout.firstRow(); i < layout.lastRow(); ++i) {
        if (!isWorkedOn(canvas, i))
            continue;
        const std::vector<RowOwner> owners = ownersOf(canvas.trace(), canvas.b, canvas.h, i);
        for (const RowOwner& owner : owners) {
            const double top = layout.rowRect(i).top() + owner.first * pitch,
                         bottom = layout.rowRect(i).top() + (owner.last + 1) * pitch;
            const QRectF bar(
                layout.gutter.right() - 5, std::round(top) + 1, 3, std::max(1.0, std::round(bottom - top) - 1));
            if (bar.bottom() < layout.window.top() || bar.top() > layout.window.bottom())
                continue;
            canvas.painter.setRenderHint(QPainter::Antialiasing, false);
            canvas.painter.fillRect(
                bar & QRectF(layout.gutter.left(), layout.window.top(), layout.gutter.width(), layout.window.height()),
                owner.role.index() % 2 == 0 ? canvas.theme.mid : canvas.theme.t2);
            if (layout.cell < ownerNamesFrom || bottom - top < 11)
                continue;
            canvas.painter.setPen(canvas.theme.t2);
            drawLine(canvas.painter,
                QRectF(layout.brackets.left(), bar.center().y() - 6, layout.brackets.width() - 6, 12), Qt::AlignRight,
                canvasFont(9.5), shortName(program.roles[owner.role.index()].name));
        }
    }
}

QString describeOwner(const Trace& trace, int b, int h, int i, int row)
{
    for (const RowOwner& owner : ownersOf(trace, b, h, i))
        if (row >= owner.first && row <= owner.last)
            return QString::fromStdString(trace.program().roles[owner.role.index()].name);
    return {};
}

} // namespace flashstep::paint
