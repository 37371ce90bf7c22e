// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/figure_words.h"

#include "core/algorithms/registry.h"
#include "ui/paint/fonts.h"
#include "ui/paint/grid_index.h"
#include "ui/paint/marks.h"
#include "ui/paint/pattern.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_parts.h"
#include "ui/paint/walk.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace flashstep::paint {

namespace {

QString qt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<int>(text.size()));
}

// Small numbers as words, as in a caption.
QString inWords(int count)
{
    constexpr std::array<std::string_view, 13> words { "no", "one", "two", "three", "four", "five", "six", "seven",
        "eight", "nine", "ten", "eleven", "twelve" };
    return count >= 0 && count < static_cast<int>(words.size()) ? qt(words[static_cast<std::size_t>(count)])
                                                                : grouped(count);
}

QString counted(int count, const QString& one, const QString& many)
{
    return inWords(count) + QLatin1Char(' ') + (count == 1 ? one : many);
}

QString percent(double share)
{
    return QStringLiteral("%1 %").arg(std::lround(100 * share));
}

QString sizeText(const TileSize& tile)
{
    return QStringLiteral("%1 × %2").arg(tile.rows).arg(tile.keys);
}

// "13 K/V slots", "two slots each for K and V"; empty where there is one of each.
QString slotText(const Program& program)
{
    if (program.stages <= 1)
        return QString();
    return program.launches.back().ringUsesPerBlock == 2
        ? QStringLiteral(", %1 K/V slots").arg(inWords(program.stages))
        : QStringLiteral(", %1 slots each of K and V").arg(inWords(program.stages));
}

QString direction(const FigureScene& scene)
{
    const Trace& trace = *scene.run().trace;
    const Work& work = trace.program().work(scene.work().work);
    const int walked = walkDirection(trace, work.b, work.h);
    return walked == 0 ? QString() : walked < 0 ? QStringLiteral(", right to left") : QStringLiteral(", left to right");
}

QString perCycle(double rate, const QString& what)
{
    return QStringLiteral("%1 %2 / cycle").arg(grouped(std::llround(rate)), what);
}

// Whether some op of the CTA is drawn like this.
bool shows(const TimelineIndex& index, SliceStyle style)
{
    for (const TimelineIndex::RoleLane& role : index.roles())
        for (const TimelineIndex::Slice& slice : role.slices)
            if (sliceStyle(*slice.op) == style)
                return true;
    return false;
}

// Whether there are products that run by themselves (WGMMA, tcgen05).
bool startsProducts(const Program& program)
{
    return std::any_of(
        program.ops.begin(), program.ops.end(), [](const Op& op) { return op.kind == OpKind::Mma && op.async; });
}

constexpr int keyBlockColours = 8; // then they come again

void addKeyBlocks(Legend& legend, int all, const Theme& theme)
{
    const int blocks = std::clamp(all, 1, keyBlockColours);
    legend.group(QStringLiteral("Key block"));
    const QString more = all > blocks ? QStringLiteral("and again from block 8") : QString();
    legend.add(27.0 * blocks - 2, more, [blocks, &theme](QPainter& painter, const QRectF& place) {
        for (int j = 0; j < blocks; ++j) {
            const TileColour& colour = theme.keyBlock(j);
            const QRectF box(place.left() + 27 * j, place.top() - 2, 25, 18);
            paintSwatch(painter, box, colour.fill, colour.edge);
            painter.setPen(colour.ink);
            drawLine(painter, box, Qt::AlignHCenter, canvasFont(10.5, QFont::DemiBold), QString::number(j));
        }
    });
}

// What slices and marks mean; the critical path where it is outlined.
void addMarks(Legend& legend, const TimelineIndex& index, bool path, const Theme& theme)
{
    const Program& program = index.trace().program();
    addKeyBlocks(legend, program.keyBlocks(), theme);
    const TileColour& amber = theme.tiles[1];
    legend.add(30, QStringLiteral("waiting"), [&theme](QPainter& painter, const QRectF& r) {
        fillWait(painter, QRectF(r.left(), std::round(r.center().y() - 3.5), r.width(), 7), theme);
    });
    if (path)
        legend.add(26, QStringLiteral("critical path"), [&theme](QPainter& painter, const QRectF& r) {
            painter.setRenderHint(QPainter::Antialiasing, true);
            painter.setPen(QPen(theme.text, 2));
            painter.setBrush(Qt::NoBrush);
            painter.drawRoundedRect(r.adjusted(1, -1, -1, 1), 2, 2);
        });
    if (shows(index, SliceStyle::Tint))
        legend.add(26, QStringLiteral("moves, masks, sums, rounds"),
            [amber](QPainter& painter, const QRectF& r) { paintSwatch(painter, r, amber.tint, amber.edge); });
    legend.add(26, QStringLiteral("computes"),
        [amber](QPainter& painter, const QRectF& r) { paintSwatch(painter, r, amber.fill, amber.edge); });
    if (program.softmax.conditional)
        legend.add(9, QStringLiteral("rescale skipped"),
            [&theme](QPainter& painter, const QRectF& r) { paintVoteMark(painter, r.center(), theme); });
    if (shows(index, SliceStyle::Issue))
        legend.add(3,
            startsProducts(program) ? QStringLiteral("issues a copy or a product") : QStringLiteral("issues a copy"),
            [amber](QPainter& painter, const QRectF& r) { painter.fillRect(r, amber.edge); });
    legend.add(26, QStringLiteral("Q and O"), [&theme](QPainter& painter, const QRectF& r) {
        paintSwatch(painter, r, theme.neutral.fill, theme.neutral.edge);
    });
}

void addEngine(Legend& legend, Engine engine, const QString& words, const Theme& theme)
{
    const QColor fill = theme.engine(engine), foot = theme.tiles[1].fill;
    legend.add(26, words, [fill, foot](QPainter& painter, const QRectF& r) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.fillRect(r, fill);
        painter.fillRect(QRectF(r.left(), r.bottom() - footHeight, r.width(), footHeight), foot);
    });
}

// With what they do in a cycle, of the tables of the machine.
void addRatedEngines(Legend& legend, const FigureScene& scene, const Theme& theme)
{
    const auto add = [&](Engine engine, const QString& name, const QString& rate) {
        if (scene.uses(engine))
            addEngine(legend, engine, QStringLiteral("%1 (%2)").arg(name, rate), theme);
    };
    const GpuSpec& gpu = scene.run().gpu;
    const DType dtype = scene.run().program->problem.costedDtype();
    add(Engine::Tensor, QStringLiteral("tensor core"),
        perCycle(dtype == DType::E4m3 ? gpu.tensorFp8FlopsPerClk : gpu.tensorFlopsPerClk,
            qt(name(dtype)) + QStringLiteral(" FLOP")));
    add(Engine::Exp, QStringLiteral("MUFU"), perCycle(gpu.mufuPerClk, QStringLiteral("exp2")));
    add(Engine::Alu, QStringLiteral("ALU"), perCycle(gpu.aluPerClk, QStringLiteral("max or convert")));
    add(Engine::Smem, QStringLiteral("SMEM port"), perCycle(gpu.smemBytesPerClk, QStringLiteral("B")));
    add(Engine::L2,
        scene.uses(Engine::Tma) ? QStringLiteral("TMA copies from L2") : QStringLiteral("cp.async copies from L2"),
        perCycle(gpu.l2BytesPerClkPerSm, QStringLiteral("B")));
}

} // namespace

QString figureTitle(const FigureScene& scene)
{
    const Program& program = *scene.run().program;
    const Algorithm* algorithm = findAlgorithm(program.algorithm, program.pass);
    const QString title = algorithm ? qt(algorithm->title) : QString::fromStdString(program.algorithm);
    const Mask& mask = program.problem.mask;
    const auto ctas = static_cast<int>(scene.work().chain.size());
    return QStringLiteral("%1 %2: %3, %4, %5%6")
        .arg(title, QString::fromStdString(program.pass),
            ctas == 1 ? QStringLiteral("one CTA") : QStringLiteral("one CTA of each of %1 kernels").arg(inWords(ctas)),
            counted(scene.work().tiles, QStringLiteral("query tile"), QStringLiteral("query tiles")),
            counted(scene.work().blocks, QStringLiteral("key block"), QStringLiteral("key blocks")),
            mask.kind == MaskKind::None ? QString() : QStringLiteral(", ") + QString::fromStdString(mask.text()));
}

QString figureSubtitle(const FigureScene& scene)
{
    const Run& run = scene.run();
    const Program& program = *run.program;
    QString line
        = QStringLiteral("Modelled on one %1 SM at %2 MHz, tiles %3")
              .arg(qt(run.gpu.title), grouped(std::llround(run.trace->clockMhz())), sizeText(program.costTile));
    line += QStringLiteral(", %1, %2").arg(headDimWords(program.problem), dtypeWords(program.problem));
    line += slotText(program) + QStringLiteral(".  ");
    const FigureWork& work = scene.work();
    line += QStringLiteral("%1 cycles; tensor core busy %2, MUFU %3")
                .arg(grouped(std::llround(work.end - work.begin)),
                    percent(scene.busy(Engine::Tensor, work.begin, work.end)),
                    percent(scene.busy(Engine::Exp, work.begin, work.end)));
    const FigureVotes votes = figureVotes(*run.trace, work);
    if (votes.votes > 0)
        line += QStringLiteral("; correction rescaled O in %1 of %2 votes (threshold %3)")
                    .arg(votes.rescaled)
                    .arg(votes.votes)
                    .arg(shortDecimal(static_cast<double>(program.softmax.threshold), 1));
    return line + QLatin1Char('.');
}

QString wholeTitle(const FigureScene& scene)
{
    const Program& program = *scene.run().program;
    if (scene.work().chain.size() > 1) {
        QStringList names;
        for (std::size_t k = 0; k < program.launches.size(); ++k)
            names << launchLabel(program, k);
        return QStringLiteral("Whole tile, kernel after kernel: ") + names.join(QStringLiteral(", "));
    }
    if (scene.work().sweeps)
        return QStringLiteral("Whole sweep: ")
            + counted(scene.work().blocks, QStringLiteral("key block"), QStringLiteral("key blocks")) + direction(scene)
            + QStringLiteral(", each visited by the query tiles in turn");
    return QStringLiteral("Whole tile: ")
        + counted(scene.work().blocks, QStringLiteral("key block"), QStringLiteral("key blocks")) + direction(scene);
}

QString detailTitle(const FigureDetail& detail)
{
    const QString what = detail.asked ? QStringLiteral("In detail")
        : detail.visits               ? QStringLiteral("Two visits in detail")
                                      : QStringLiteral("Two key blocks in detail");
    return QStringLiteral("%1, cycles %2 to %3")
        .arg(what, grouped(std::llround(detail.from)), grouped(std::llround(detail.to)));
}

QString periodText(const FigureScene& scene, const FigureDetail& detail)
{
    const double length = detail.periodEnd - detail.periodBegin;
    return QStringLiteral("one period: %1 cycles, of them %2 on the tensor core")
        .arg(grouped(std::llround(length)),
            grouped(std::llround(length * scene.busy(Engine::Tensor, detail.periodBegin, detail.periodEnd))));
}

Legend figureLegend(const FigureScene& scene, const Theme& theme)
{
    Legend legend;
    addMarks(legend, scene.index(), true, theme);
    legend.group(QStringLiteral("Engine"));
    addRatedEngines(legend, scene, theme);
    return legend;
}

Legend timelineLegend(const TimelineIndex& index, const Theme& theme)
{
    Legend legend;
    addMarks(legend, index, false, theme);
    legend.group(QStringLiteral("Engine"));
    for (const auto& [engine, words] :
        { std::pair(Engine::Tensor, "tensor core, four quarters of the SM"), std::pair(Engine::Exp, "MUFU, by quarter"),
            std::pair(Engine::Alu, "ALU, by quarter"), std::pair(Engine::Registers, "register file"),
            std::pair(Engine::Tmem, "TMEM port"), std::pair(Engine::Smem, "SMEM port"), std::pair(Engine::Tma, "TMA"),
            std::pair(Engine::L2, "copies through L2"), std::pair(Engine::Hbm, "HBM") })
        if (index.lane(engine))
            addEngine(legend, engine, QString::fromLatin1(words), theme);
    return legend;
}

} // namespace flashstep::paint
