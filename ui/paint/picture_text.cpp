// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/algorithms/registry.h"
#include "core/base/version.h"
#include "core/io/files.h"
#include "ui/paint/picture_parts.h"

#include <cmath>

namespace flashstep::paint {

namespace {

QString text(std::string_view view)
{
    return QString::fromUtf8(view.data(), static_cast<int>(view.size()));
}

QString size(const TileSize& tile)
{
    return QStringLiteral("%1 × %2").arg(tile.rows).arg(tile.keys);
}

QString masked(const Mask& mask)
{
    return mask.kind == MaskKind::None ? QStringLiteral("no mask") : QString::fromStdString(mask.text());
}

QString percent(double share)
{
    return QStringLiteral("%1 %").arg(std::lround(100 * share));
}

QString inputWords(const PictureRequest& request)
{
    if (!request.input.isEmpty())
        return request.input;
    const Scenario& scenario = request.run->scenario;
    if (!scenario.qFile.empty())
        return QStringLiteral("tensors of %1").arg(QString::fromStdString(fileNameOf(scenario.qFile)));
    return QStringLiteral("generated, %1, seed %2").arg(text(name(scenario.problem.init))).arg(scenario.problem.seed);
}

} // namespace

QString pictureTitle(const PictureRequest& request)
{
    const Program& program = *request.run->program;
    const Algorithm* algorithm = findAlgorithm(program.algorithm, program.pass);
    const QString title = algorithm ? text(algorithm->title) : QString::fromStdString(program.algorithm);
    const int q = program.queryTiles(), k = program.keyBlocks();
    return QStringLiteral("%1 %2: %3, %4, %5")
        .arg(title, QString::fromStdString(program.pass),
            q == 1 ? QStringLiteral("one query tile") : QStringLiteral("%1 query tiles").arg(q),
            k == 1 ? QStringLiteral("one key block") : QStringLiteral("%1 key blocks").arg(k),
            masked(program.problem.mask));
}

QString pictureSubtitle(const PictureRequest& request)
{
    const Run& run = *request.run;
    const Program& program = *run.program;
    QString line = QStringLiteral("Modelled on %1 at %2 MHz, tiles %3")
                       .arg(text(run.gpu.title))
                       .arg(std::lround(run.trace->clockMhz()))
                       .arg(size(program.tile));
    if (!(program.costTile == program.tile))
        line += QStringLiteral(" timed as %1").arg(size(program.costTile));
    line += QStringLiteral(", head dimension %1, %2.")
                .arg(program.problem.headDim)
                .arg(text(name(program.problem.dtype)));
    line
        += QStringLiteral("  %1 cycles, %2; tensor core busy %3, MUFU %4.")
               .arg(grouped(run.report.cycles), duration(static_cast<double>(run.report.cycles), run.trace->clockMhz()),
                   percent(run.report.utilisation.tensor), percent(run.report.utilisation.exp));
    return line;
}

QString provenance(const PictureRequest& request)
{
    const Program& program = *request.run->program;
    const Problem& p = program.problem;
    QString line = QStringLiteral("Input: %1; %2 × %3 scores, %4 of batch %5; shown tiles %6")
                       .arg(inputWords(request))
                       .arg(p.seqlenQ)
                       .arg(p.seqlenK)
                       .arg(p.heads == 1 ? QStringLiteral("one head") : QStringLiteral("%1 heads").arg(p.heads))
                       .arg(p.batch)
                       .arg(size(program.tile));
    if (!(program.costTile == program.tile))
        line += QStringLiteral(", timed as %1").arg(size(program.costTile));
    line += QStringLiteral(".  All times are modelled, none is measured.  FlashStep ");
    line += request.version.isEmpty() ? text(version()) : request.version;
    if (!request.scenarioName.isEmpty())
        line += QStringLiteral(", ") + request.scenarioName;
    return line + QLatin1Char('.');
}

QString shortProvenance(const PictureRequest& request)
{
    const Program& program = *request.run->program;
    const Algorithm* algorithm = findAlgorithm(program.algorithm, program.pass);
    const QString line
        = QStringLiteral("%1 %2, %3.  Times modelled on %4.  FlashStep %5")
              .arg(algorithm ? text(algorithm->title) : QString::fromStdString(program.algorithm),
                  QString::fromStdString(program.pass), masked(program.problem.mask), text(request.run->gpu.title),
                  request.version.isEmpty() ? text(version()) : request.version);
    return request.scenarioName.isEmpty() ? line : line + QStringLiteral(", ") + request.scenarioName;
}

} // namespace flashstep::paint
