// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/walk.h"

#include "ui/paint/stage_painter.h"

#include <algorithm>

namespace flashstep::paint {

int walkDirection(const Trace& trace, int b, int h)
{
    int before = 0;
    for (const TileState& tile : tilesAt(trace, b, h, trace.program().queryTiles() - 1, Position {})) {
        if (tile.n > 0 && before > 0)
            return before > tile.n ? -1 : 1;
        before = tile.n > 0 ? tile.n : before;
    }
    return 0;
}

MaskCounts maskCounts(const Trace& trace)
{
    const Program& program = trace.program();
    MaskCounts counts;
    for (int i = 0; i < program.queryTiles(); ++i) {
        const int first = i * program.tile.rows, last = std::min(first + program.tile.rows, program.headRows()) - 1;
        // Both ends of what a row sees grow with the row.
        const Problem::KeyRange top = program.problem.visibleKeys(program.queryRow(0, first).row),
                                bottom = program.problem.visibleKeys(program.queryRow(0, last).row);
        int seen = 0;
        for (int j = 0; j < program.keyBlocks(); ++j) {
            const int key = j * program.tile.keys, end = key + program.keysInside(j);
            const bool hidden = bottom.last <= key || top.first >= end;
            const bool whole = !hidden && bottom.first <= key && top.last >= end;
            ++(hidden ? counts.hidden : whole ? counts.full : counts.partial);
            seen += hidden ? 0 : 1;
        }
        const WorkId work = trace.workOfTile(0, 0, i);
        const auto& steps = trace.streamOf(trace.productsOf(work)).steps;
        const int own = i - program.work(work).i;
        const auto visited = std::count_if(steps.begin(), steps.end(), [&](const StepDecl& s) { return s.i == own; });
        counts.hiddenVisited += std::max<std::int64_t>(0, visited - seen);
    }
    return counts;
}

QString maskText(const MaskCounts& counts)
{
    QString text = QStringLiteral("%1 full, %2 partial").arg(counts.full).arg(counts.partial);
    if (counts.hiddenVisited > 0)
        text += QStringLiteral(", %1 masked").arg(counts.hiddenVisited);
    return text + QStringLiteral(", %1 skipped").arg(counts.hidden - counts.hiddenVisited);
}

} // namespace flashstep::paint
