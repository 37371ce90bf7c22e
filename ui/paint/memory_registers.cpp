// SPDX-License-Identifier: GPL-3.0-or-later
// Registers: the file of the SM to scale, who has how many of them, and what lies in them.
#include "ui/paint/fonts.h"
#include "ui/paint/memory_parts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

// A stretch for each role as wide as its registers, changing with setmaxnreg; then what other CTAs and nobody has.
void paintFile(const MemoryCanvas& canvas)
{
    const Trace& trace = *canvas.scene.trace;
    const QRectF& bar = canvas.layout.registerFile;
    canvas.painter.setRenderHint(QPainter::Antialiasing, false);
    canvas.painter.fillRect(bar, canvas.theme.alt);
    double taken = 0;
    for (const RegisterShare& share : registerShares(trace, canvas.scene.cta, canvas.scene.position)) {
        const double before = taken;
        taken += share.all();
        const double left = std::round(bar.left() + bar.width() * std::min(1.0, before / registersOfSm)),
                     right = std::round(bar.left() + bar.width() * std::min(1.0, taken / registersOfSm));
        const QRectF part(left, bar.top(), std::max(1.0, right - left - (right - left > 3 ? 1 : 0)), bar.height());
        const bool begun = share.role != RegisterShare::nobody
            && trace.currentOp(canvas.scene.cta, share.role, canvas.scene.position).valid();
        canvas.painter.fillRect(part, begun ? canvas.theme.mid : canvas.theme.neutral.tint);
    }
    canvas.painter.setPen(QPen(canvas.theme.mid, 1));
    canvas.painter.setBrush(Qt::NoBrush);
    canvas.painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5));
}

// Each role with the registers it has and the key block it is at.
void paintRoles(const MemoryCanvas& canvas)
{
    const Trace& trace = *canvas.scene.trace;
    const Program& program = canvas.program();
    for (const MemoryLayout::RoleBox& place : canvas.layout.roles) {
        const InstanceId current = trace.currentOp(canvas.scene.cta, place.place, canvas.scene.position);
        int j = -1;
        if (current.valid()) {
            const WorkId work = trace.workOf(current);
            const RoleRange& range = trace.streamOf(work).roles[place.place];
            for (std::size_t k = trace.opOf(current).index() + 1; k-- > range.first && j < 0;)
                j = program.keyBlock(program.work(work), program.ops[k]);
        }
        const TileColour& colour = canvas.theme.keyBlock(j);
        const QRectF rect = place.rect.adjusted(1, 0, -1, 0);
        box(canvas, rect, j < 0 ? QBrush(canvas.theme.panel) : QBrush(colour.tint),
            QPen(j < 0 ? canvas.theme.line : colour.edge, 1));
        const RoleDecl& role = program.roles[place.role.index()];
        const QRectF words = rect.adjusted(3, 0, -3, 0);
        const QString title = QString::fromStdString(role.name);
        canvas.painter.setPen(canvas.theme.text);
        drawElided(canvas.painter, QRectF(words.left(), words.top() + 1, words.width(), 13), Qt::AlignHCenter,
            canvasFont(
                textWidth(canvasFont(10.5, QFont::DemiBold), title) <= words.width() ? 10.5 : 9, QFont::DemiBold),
            title);
        canvas.painter.setPen(canvas.theme.t2);
        const QFont font = canvasFont(10);
        const QString registers
            = QString::number(registersOf(trace, canvas.scene.cta, place.place, canvas.scene.position));
        QString text = j < 0 ? registers : QStringLiteral("%1 · K%2").arg(registers).arg(j);
        if (role.warps > 1 && textWidth(font, text + QStringLiteral(" a thread")) <= words.width())
            text.replace(registers, registers + QStringLiteral(" a thread"));
        if (textWidth(font, text) > words.width())
            text = registers; // the colour still says which block
        const WorkId here = trace.workAt(canvas.scene.cta, canvas.scene.position);
        if (trace.streamOf(here).roles[place.place].count == 0)
            for (const char16_t* idle : { u"%1, takes no part", u"takes no part", u"no part" })
                if (QString said = QString::fromUtf16(idle).replace(QStringLiteral("%1"), registers);
                    textWidth(font, said) <= words.width()) {
                    text = said;
                    break;
                }
        drawElided(
            canvas.painter, QRectF(words.left(), words.bottom() - 14, words.width(), 13), Qt::AlignHCenter, font, text);
    }
}

void paintRegisters(const MemoryCanvas& canvas)
{
    for (const MemoryLayout::Box& place : canvas.layout.registers) {
        const BufferDecl& decl = canvas.program().buffers[place.buffer.index()];
        const QRectF rect = place.rect.adjusted(0.5, 0, -0.5, 0);
        if (rect.width() < 1)
            continue;
        if (rect.width() < 5) {
            canvas.painter.fillRect(rect, canvas.theme.neutral.tint);
            continue;
        }
        paintHolding(canvas, rect, canvas.state(place.buffer));
        const QString label = QStringLiteral("%1 × %2").arg(decl.rows).arg(decl.cols);
        const QFont font = monoFont(10);
        canvas.painter.setPen(canvas.theme.t2);
        if (canvas.layout.measures.registerLabel > 0 && textWidth(font, label) <= rect.width())
            drawLine(canvas.painter, QRectF(rect.left(), rect.bottom() + 1, rect.width(), 14), Qt::AlignHCenter, font,
                label);
    }
}

} // namespace

void paintRegisterFile(const MemoryCanvas& canvas)
{
    std::int64_t taken = 0;
    for (const RegisterShare& share : registerShares(*canvas.scene.trace, canvas.scene.cta, canvas.scene.position))
        taken += share.all();
    const QString title = QStringLiteral("Registers of CTA %1").arg(canvas.scene.cta.index());
    const QString words = QStringLiteral("%1 of %2 of the SM, %3 threads")
                              .arg(grouped(taken), grouped(registersOfSm))
                              .arg(canvas.program().launchOf(canvas.scene.cta).threads);
    const QString brief = QStringLiteral("%1 of %2").arg(grouped(taken), grouped(registersOfSm));
    const double room = canvas.layout.registerTitle.width() - textWidth(canvasFont(11.5, QFont::DemiBold), title) - 14;
    paintTitle(canvas, canvas.layout.registerTitle, title, textWidth(canvasFont(11), words) <= room ? words : brief);
    paintFile(canvas);
    paintRoles(canvas);
    paintRegisters(canvas);
}

} // namespace flashstep::paint
