// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/algorithms/registry.h"
#include "core/base/version.h"
#include "core/io/files.h"
#include "ui/paint/grid_index.h"
#include "ui/paint/picture_parts.h"

#include <cmath>
#include <filesystem>
#include <map>

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

// "licence-64/q.npy": many inputs are called q.npy. The folder is that of the file, however it was asked for.
QString placeOf(const std::string& file)
{
    std::error_code failed;
    const auto whole = std::filesystem::absolute(file, failed).lexically_normal();
    const std::string folder = failed ? "" : whole.parent_path().filename().string();
    return QString::fromStdString(folder.empty() ? fileNameOf(file) : folder + "/" + fileNameOf(file));
}

QString counted(int count, const QString& what)
{
    return count == 1 ? QStringLiteral("one ") + what : QStringLiteral("%1 %2s").arg(count).arg(what);
}

QString inputWords(const PictureRequest& request)
{
    if (!request.input.isEmpty())
        return request.input;
    const Scenario& scenario = request.run->scenario;
    if (!scenario.qFile.empty())
        return QStringLiteral("tensors of %1").arg(placeOf(scenario.qFile));
    return QStringLiteral("generated, %1, seed %2").arg(text(name(scenario.problem.init))).arg(scenario.problem.seed);
}

// What to run again: the file, and what was turned whether there or beside it.
QString fromWhere(const PictureRequest& request)
{
    QString words = request.scenarioName.isEmpty() ? QString() : QStringLiteral(", ") + request.scenarioName;
    if (const QString settings = settingWords(*request.run); !settings.isEmpty())
        words += QStringLiteral(", with ") + settings;
    return words;
}

QString deadlockWords(const Run& run)
{
    const auto& blocked = run.trace->deadlock();
    const Blocked& first = blocked.front();
    return QStringLiteral("Deadlock at cycle %1: %2 stuck, the first is %3 of CTA %4, waiting for %5. "
                          "Nothing after this ran.")
        .arg(grouped(run.report.cycles),
            blocked.size() == 1
                ? QStringLiteral("one role is")
                : QStringLiteral("%1 roles are").arg(grouped(static_cast<std::int64_t>(blocked.size()))),
            QString::fromStdString(run.program->roles[first.role.index()].name))
        .arg(first.cta.index())
        .arg(QString::fromStdString(first.waitingFor));
}

QString hazardWords(const Run& run)
{
    QString words = run.report.hazards == 1
        ? QStringLiteral("One hazard")
        : QStringLiteral("%1 hazards").arg(grouped(static_cast<std::int64_t>(run.report.hazards)));
    if (!run.report.hazardList.empty()) {
        const Hazard& first = run.report.hazardList.front();
        words += QStringLiteral(", the first: %1 in CTA %2 at cycle %3")
                     .arg(QString::fromStdString(first.kind))
                     .arg(first.cta.index())
                     .arg(grouped(first.cycle));
    }
    return words + QStringLiteral(". Numbers of this run are not valid.");
}

} // namespace

QString faultLine(const Run& run)
{
    QStringList faults;
    const bool stuck = !run.trace->deadlock().empty();
    if (stuck)
        faults << deadlockWords(run);
    if (run.report.hazards > 0)
        faults << hazardWords(run);
    const auto& error = run.report.maxAbsError;
    if (!stuck && error && run.report.errorBound && *error > *run.report.errorBound)
        faults << QStringLiteral("O is wrong by up to %1, where %2 is the bound.")
                      .arg(*error, 0, 'g', 3)
                      .arg(*run.report.errorBound, 0, 'g', 3);
    return faults.join(QLatin1Char(' '));
}

QString headWords(const Problem& problem)
{
    QString words = problem.batch == 1
        ? counted(problem.heads, QStringLiteral("head"))
        : QStringLiteral("batch %1 × %2").arg(problem.batch).arg(counted(problem.heads, QStringLiteral("head")));
    if (problem.kvHeads != problem.heads)
        words += QStringLiteral(", ") + counted(problem.kvHeads, QStringLiteral("K/V head"));
    return words;
}

QString headDimWords(const Problem& problem)
{
    return problem.headDimV == problem.headDim
        ? QStringLiteral("head dimension %1").arg(problem.headDim)
        : QStringLiteral("head dimensions %1 of Q and K, %2 of V").arg(problem.headDim).arg(problem.headDimV);
}

QString dtypeWords(const Problem& problem)
{
    const DType costed = problem.costedDtype();
    return costed == problem.dtype
        ? text(name(problem.dtype))
        : QStringLiteral("%1 values, timed as %2").arg(text(name(problem.dtype)), text(name(costed)));
}

QString settingWords(const Run& run)
{
    const Scenario& scenario = run.scenario;
    QStringList words;
    const Algorithm* algorithm = findAlgorithm(scenario.algorithm, scenario.pass);
    if (algorithm && scenario.gpu != algorithm->defaultGpu)
        words << QStringLiteral("gpu=") + QString::fromStdString(scenario.gpu);
    // The last of a key wins; in one order, however they were given.
    std::map<std::string, std::string> turned;
    for (const auto& [key, value] : scenario.knobs)
        turned[key] = value;
    for (const auto& [key, value] : turned)
        words << QString::fromStdString(key + "=" + value);
    for (const std::string& each : scenario.breaks)
        words << QString::fromStdString("break=" + each);
    return words.join(QStringLiteral(", "));
}

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
                       .arg(text(run.gpu.title), grouped(std::llround(run.trace->clockMhz())), size(program.tile));
    if (!(program.costTile == program.tile))
        line += QStringLiteral(" timed as %1").arg(size(program.costTile));
    line += QStringLiteral(", %1, %2.").arg(headDimWords(program.problem), dtypeWords(program.problem));
    const int all = run.trace->smCount(), used = GridIndex(run.trace).summary().usedSms;
    line
        += QStringLiteral("  %1 cycles, %2; all %3 SMs%4: tensor cores busy %5, MUFU %6.")
               .arg(grouped(run.report.cycles), duration(static_cast<double>(run.report.cycles), run.trace->clockMhz()),
                   grouped(all), used < all ? QStringLiteral(" (%1 used)").arg(used) : QString(),
                   percent(run.report.utilisation.tensor), percent(run.report.utilisation.exp));
    return line;
}

QString provenance(const PictureRequest& request)
{
    const Program& program = *request.run->program;
    const Problem& p = program.problem;
    QString line = QStringLiteral("Input: %1; %2 × %3 scores, %4; shown tiles %5")
                       .arg(inputWords(request))
                       .arg(p.seqlenQ)
                       .arg(p.seqlenK)
                       .arg(headWords(p), size(program.tile));
    if (!(program.costTile == program.tile))
        line += QStringLiteral(", timed as %1").arg(size(program.costTile));
    line += QStringLiteral(".  All times are modelled, none is measured.  FlashStep ");
    line += request.version.isEmpty() ? text(version()) : request.version;
    return line + fromWhere(request) + QLatin1Char('.');
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
    return line + fromWhere(request);
}

} // namespace flashstep::paint
