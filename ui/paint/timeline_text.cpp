// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/text.h"
#include "ui/paint/timeline_parts.h"

namespace flashstep::paint {

namespace {

QString bufferName(const Program& program, BufferId buffer)
{
    // Without its slot of a ring: "V" of "V[3]".
    return buffer.valid() ? QString::fromStdString(program.buffers[buffer.index()].name).section(QLatin1Char('['), 0, 0)
                          : QString();
}

QString tensorName(TensorId tensor)
{
    const std::string_view text = name(tensor);
    return QString::fromLatin1(text.data(), static_cast<int>(text.size()))
        .replace(QLatin1String("Lse"), QLatin1String("LSE"));
}

QString kindLabel(const Program& program, const Op& op)
{
    switch (op.kind) {
    case OpKind::Load:
    case OpKind::Store:
        return tensorName(op.tensor);
    case OpKind::Mma:
        return op.transposed ? bufferName(program, op.out)
                             : bufferName(program, op.in[0]) + bufferName(program, op.in[1]);
    case OpKind::Mask:
        return QStringLiteral("mask");
    case OpKind::RowMax:
        return QStringLiteral("max");
    case OpKind::Rescale:
        return QStringLiteral("rescale");
    case OpKind::Exp2:
        return QStringLiteral("exp2");
    case OpKind::RowSum:
        return QString(QChar(0x2113));
    case OpKind::Convert:
        return QStringLiteral("cvt");
    case OpKind::Normalise:
        return QStringLiteral("÷ ") + QChar(0x2113);
    case OpKind::Stage:
        return op.in[0].valid() && program.buffers[op.in[0].index()].space == Space::Tmem ? QStringLiteral("ld")
                                                                                          : QStringLiteral("st");
    case OpKind::Allocate:
        return QStringLiteral("alloc");
    case OpKind::Free:
        return QStringLiteral("free");
    case OpKind::Commit:
        return QStringLiteral("commit");
    case OpKind::Reduce:
        return op.maximum ? QStringLiteral("max") : QStringLiteral("sum");
    case OpKind::Fence:
        return QStringLiteral("fence");
    case OpKind::SetRegisters:
        return QStringLiteral("regs");
    case OpKind::NextTile:
        return QStringLiteral("next");
    case OpKind::Wait:
    case OpKind::Sync:
    case OpKind::Arrive:
        return QString::fromStdString(labelOf(program, op));
    }
    return QString();
}

} // namespace

QString sliceLabel(const Trace& trace, InstanceId instance, bool withTile)
{
    const Program& program = trace.program();
    const Op& op = trace.op(instance);
    const Work& work = program.work(trace.workOf(instance));
    const int i = program.queryTile(work, op);
    const QString label = kindLabel(program, op);
    const int j = program.keyBlock(work, op);
    if (op.kind == OpKind::Load || op.kind == OpKind::Store) {
        const bool pair = op.tensor == TensorId::S || op.tensor == TensorId::P;
        if (pair)
            return withTile ? QStringLiteral("%1 %2,%3").arg(label).arg(i).arg(j) : label;
        return label + QString::number(j >= 0 ? j : i);
    }
    if (!withTile || j < 0)
        return label;
    return QStringLiteral("%1 %2,%3").arg(label).arg(i).arg(j);
}

QString fullSliceLabel(const Trace& trace, InstanceId instance)
{
    const Program& program = trace.program();
    const Op& op = trace.op(instance);
    const Work& work = program.work(trace.workOf(instance));
    const int i = program.queryTile(work, op);
    const int j = program.keyBlock(work, op);
    if (j < 0 || op.kind == OpKind::Load || op.kind == OpKind::Store)
        return sliceLabel(trace, instance, true);
    return QStringLiteral("%1 (%2, %3)").arg(kindLabel(program, op)).arg(i).arg(j);
}

QString describeSlice(const Trace& trace, InstanceId instance)
{
    const Program& program = trace.program();
    const Op& op = trace.op(instance);
    const Work& work = program.work(trace.workOf(instance));
    const int i = program.queryTile(work, op);
    const int j = program.keyBlock(work, op);
    QString what = QString::fromStdString(labelOf(program, op));
    if (op.kind == OpKind::Wait || op.kind == OpKind::Sync)
        what = QStringLiteral("waits: ") + what;
    QString text = QStringLiteral("%1 · %2").arg(QString::fromStdString(program.roles[op.role.index()].name), what);
    if (j >= 0)
        text += QStringLiteral(" · (%1, %2)").arg(i).arg(j);
    if (!trace.began(instance))
        return text;
    const Cycle begin = trace.beginCycle(instance), end = trace.endCycle(instance);
    text += QLatin1Char('\n');
    if (!trace.ended(instance))
        return text + QStringLiteral("from %1, never ends").arg(grouped(begin));
    text += QStringLiteral("%1 to %2: %3 cycles").arg(grouped(begin), grouped(end), grouped(end - begin));
    if (op.async)
        text += QStringLiteral(", in the background");
    return text;
}

SliceStyle sliceStyle(const Op& op)
{
    switch (op.kind) {
    case OpKind::Wait:
    case OpKind::Sync:
        return SliceStyle::Wait;
    case OpKind::Commit:
    case OpKind::Arrive:
        return SliceStyle::Hidden;
    case OpKind::Load:
    case OpKind::Store:
        return op.async ? SliceStyle::Issue : SliceStyle::Tint;
    case OpKind::Mask:
    case OpKind::RowSum:
    case OpKind::Convert:
    case OpKind::Stage:
    case OpKind::Reduce:
    case OpKind::Fence:
    case OpKind::NextTile:
    case OpKind::SetRegisters:
    case OpKind::Allocate:
    case OpKind::Free:
        return SliceStyle::Tint;
    case OpKind::Mma:
        return op.async ? SliceStyle::Issue : SliceStyle::Solid;
    case OpKind::RowMax:
    case OpKind::Rescale:
    case OpKind::Exp2:
    case OpKind::Normalise:
        break;
    }
    return SliceStyle::Solid;
}

} // namespace flashstep::paint
