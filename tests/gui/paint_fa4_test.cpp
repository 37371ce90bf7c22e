// SPDX-License-Identifier: GPL-3.0-or-later
// What the canvases show of FlashAttention-4, against its trace.
#include "tests/gui/fa4_run.h"

#include "core/trace/state.h"
#include "ui/paint/ledger_painter.h"
#include "ui/paint/memory_layout.h"
#include "ui/paint/numbers_painter.h"
#include "ui/paint/stage_painter.h"
#include "ui/paint/tile_numbers.h"
#include "ui/paint/timeline_layout.h"

#include <QtTest>

#include <cmath>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

constexpr double log2e = 1.4426950408889634;

Run growing(Scenario scenario)
{
    scenario.problem.init = Init::RisingLeft;
    return test::fa4Run(scenario);
}

const Run& runOf(const QString& which)
{
    static const Run dense = growing(test::fa4Scenario(60, 64, 32));
    static const Run causal = test::fa4Run(test::fa4Scenario(60, 60, 32, MaskKind::Causal));
    static const Run pair = growing(test::fa4Scenario(96, 48, 128));
    static const Run packed = growing(test::fa4Scenario(28, 48, 32, MaskKind::Causal, 4, 2));
    static const Run persistent = [] {
        Scenario scenario = test::fa4Scenario(64, 48, 32, MaskKind::None, 3, 3);
        scenario.knobs = { { "sms", "2" } };
        return growing(scenario);
    }();
    return which == QStringLiteral("dense") ? dense
        : which == QStringLiteral("causal") ? causal
        : which == QStringLiteral("pair")   ? pair
        : which == QStringLiteral("packed") ? packed
                                            : persistent;
}

void runs()
{
    QTest::addColumn<QString>("which");
    for (const char* which : { "dense", "causal", "pair", "packed", "persistent" })
        QTest::newRow(which) << QString::fromLatin1(which);
}

} // namespace

class PaintFa4 : public QObject {
    Q_OBJECT
private slots:
    void tileNumbersAreTheLedgers_data() { runs(); }
    void tileNumbersAreTheLedgers();
    void outputIsWhatIsStored_data() { runs(); }
    void outputIsWhatIsStored();
    void everyPositionDraws_data() { runs(); }
    void everyPositionDraws();
    void tensorMemoryIsDrawnWhereItIsDeclared_data() { runs(); }
    void tensorMemoryIsDrawnWhereItIsDeclared();
    void whatIsWrittenOverIsNotShown();
    void slotsFitTheirLine_data() { runs(); }
    void slotsFitTheirLine();
    void bothCtasOfAPairShowTheProducts();
    void rowsOfPackedHeadsAreNamed();
};

// At every block of every tile: scores, references, maxima, sums and factors.
void PaintFa4::tileNumbersAreTheLedgers()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    int compared = 0, votes = 0;
    for (int h = 0; h < program.problem.heads; h += program.packed)
        for (int i = 0; i < program.queryTiles(); ++i)
            for (int j = 0; j < program.keyBlocks(); ++j) {
                const int n = tileAt(trace, 0, h, i, j, trace.end()).n;
                if (n == 0)
                    continue;
                const auto p = trace.block(0, h, i, n);
                QVERIFY(p.has_value());
                const TileNumbers tile = tileNumbers(trace, 0, h, i, j, *p);
                QVERIFY(tile.recorded && tile.landed && tile.lazy && tile.rounded);
                QCOMPARE(tile.vote.has_value(), n > 1);
                votes += tile.vote && tile.vote->warpsDone > 0 ? 1 : 0;
                int found = 0;
                for (const RowState& state : ledgerAt(trace, tile.cta, *p)) {
                    const int row = state.row * program.packed + state.h % program.packed;
                    if (row < tile.firstRow || row >= tile.firstRow + tile.rows
                        || state.h / program.packed != h / program.packed)
                        continue;
                    ++found;
                    const TileNumbers::Row& shown = tile.row[static_cast<std::size_t>(row - tile.firstRow)];
                    if (std::isinf(state.m)) {
                        QVERIFY(std::isinf(shown.most));
                        continue;
                    }
                    QVERIFY(std::fabs(state.mUsed * log2e - shown.used) < 1e-4);
                    QVERIFY(std::fabs(state.m * log2e - shown.most) < 1e-4);
                    QVERIFY(std::fabs(state.l - shown.l) <= 1e-5 * std::fabs(state.l));
                    if (n > 1) {
                        QVERIFY(std::fabs(state.scale - shown.scale) < 1e-6);
                        QCOMPARE(state.decision == "skip", shown.used == shown.before && std::isfinite(shown.used));
                    }
                    for (int k = 0; k < tile.keys; ++k) {
                        const auto s = static_cast<double>(tile.s.at(row - tile.firstRow, k));
                        const auto share = static_cast<double>(tile.p.at(row - tile.firstRow, k));
                        if (std::isfinite(s))
                            QVERIFY(std::fabs(share - std::exp2(s - shown.used)) <= 0.01 * std::max(1.0, share));
                        else
                            QCOMPARE(share, 0.0);
                    }
                }
                QCOMPARE(found, tile.rows);
                ++compared;
            }
    QVERIFY(compared >= program.queryTiles());
    QVERIFY(votes > 0 || which == QStringLiteral("causal"));
}

void PaintFa4::outputIsWhatIsStored()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const Program& program = *run.program;
    for (int h = 0; h < program.problem.heads; h += program.packed)
        for (int i = 0; i < program.queryTiles(); ++i) {
            const CtaId cta = run.trace->ctaOfTile(0, h, i);
            if (run.trace->worksOf(cta).size() > 1)
                continue; // its buffers hold the last tile's by then
            const Work& work = program.work(run.trace->workOfTile(0, h, i));
            const TileValues shown = outputSoFar(*run.trace, 0, h, i, run.trace->end());
            const TileValues stored
                = run.trace->value(cta, program.bufferOf("sO", work.launch, i - work.i), run.trace->end());
            QCOMPARE(shown.rows, program.rowsInside(work, i - work.i));
            for (int r = 0; r < shown.rows; ++r)
                for (int c = 0; c < shown.cols; ++c)
                    QCOMPARE(shown.at(r, c), stored.at(r, c));
        }
}

void PaintFa4::everyPositionDraws()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const Theme theme = Theme::light();
    QImage image(720, 560, QImage::Format_ARGB32_Premultiplied);
    QPainter painter(&image);
    const std::uint32_t step = std::max(1U, run.trace->end().value / 60);
    for (std::size_t c = 0; c < run.program->ctaCount(); ++c)
        for (std::uint32_t p = 0; p <= run.trace->end().value; p += step) {
            const StageScene scene { run.trace.get(), Position { p }, CtaId(c), nullptr, {} };
            paintStage(painter, image.rect(), scene, {}, theme);
            const MemoryScene memory { run.trace.get(), &run.gpu, Position { p }, CtaId(c), {} };
            paintMemory(painter, image.rect(), memory, theme);
            for (int y = 5; y < 400; y += 20)
                (void)hitTestMemory(image.rect(), memory, { 300.0, static_cast<double>(y) });
            paintLedger(painter, image.rect(), scene, 0, theme);
            const int i = run.program->work(run.trace->worksOf(CtaId(c)).front()).i;
            paintNumbers(painter, image.rect(), scene, { i, 0 }, theme);
            QVERIFY(!stageCaption(scene).isEmpty());
            QVERIFY(!describeTile(scene, i, 0).isEmpty());
        }
}

void PaintFa4::tensorMemoryIsDrawnWhereItIsDeclared()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const QRectF area(10, 20, 412, 500);
    const MemoryLayout layout = layoutMemory(area, { run.trace.get(), &run.gpu, Position { 9 }, CtaId(0), {} });
    std::size_t declared = 0;
    for (std::size_t k = 0; k < run.program->buffers.size(); ++k) {
        const BufferDecl& decl = run.program->buffers[k];
        if (decl.space != Space::Tmem)
            continue;
        ++declared;
        const auto found = std::find_if(layout.tensor.begin(), layout.tensor.end(),
            [&](const MemoryLayout::Box& box) { return box.buffer == BufferId(k); });
        QVERIFY(found != layout.tensor.end());
        const double column = layout.tensorTitle.width() / 512;
        QVERIFY(std::fabs(found->rect.left() - layout.tensorTitle.left() - decl.column * column) < 1e-6);
        QVERIFY(std::fabs(found->rect.width() - decl.columns * column) < 1e-6);
    }
    QCOMPARE(layout.tensor.size(), declared);
    QCOMPARE(declared, std::size_t { 6 });
}

// P lies over the second half of its S: one of them is there at a time.
void PaintFa4::whatIsWrittenOverIsNotShown()
{
    const Run& run = runOf(QStringLiteral("dense"));
    const BufferId P = run.program->buffer("P0", 0), S = run.program->buffer("S0", 0);
    int covered = 0, there = 0;
    for (std::uint32_t p = 1; p <= run.trace->end().value; ++p) {
        const Event event = run.trace->eventAt(p - 1);
        const Op& op = run.trace->op(event.instance);
        if (run.trace->ctaOf(event.instance) != CtaId(0) || !event.ends || (op.out != P && op.out != S))
            continue;
        const bool hidden = coveredInTensor({ run.trace.get(), &run.gpu, Position { p }, CtaId(0), {} }, P);
        QCOMPARE(hidden, op.out == S);
        ++(hidden ? covered : there);
    }
    QVERIFY(covered > 0 && there > covered);
}

void PaintFa4::slotsFitTheirLine()
{
    QFETCH(QString, which);
    const Run& run = runOf(which);
    const QRectF area(10, 20, 300, 500);
    const MemoryLayout layout = layoutMemory(area, { run.trace.get(), &run.gpu, Position { 9 }, CtaId(0), {} });
    for (const auto* boxes : { &layout.shared, &layout.tensor, &layout.registers })
        for (const MemoryLayout::Box& box : *boxes)
            QVERIFY(box.rect.right() <= area.right() - 11 && box.rect.left() >= area.left());
    for (const MemoryLayout::RoleBox& box : layout.roles)
        QVERIFY(box.rect.right() <= area.right() - 11);
}

void PaintFa4::bothCtasOfAPairShowTheProducts()
{
    const Run& run = runOf(QStringLiteral("pair"));
    QVERIFY(run.program->launches.front().pairs);
    std::vector<std::size_t> products;
    for (const std::size_t cta : { std::size_t { 0 }, std::size_t { 1 } }) {
        const TimelineIndex index(run.trace, CtaId(cta));
        const TimelineIndex::EngineLane* tensor = index.lane(Engine::Tensor);
        QVERIFY(tensor != nullptr);
        QVERIFY(index.lane(Engine::Tmem) != nullptr);
        products.push_back(tensor->hops.size());
        QCOMPARE(index.roles().size(), std::size_t { 6 });
    }
    QCOMPARE(products[0], products[1]);
}

void PaintFa4::rowsOfPackedHeadsAreNamed()
{
    const Run& run = runOf(QStringLiteral("packed"));
    QCOMPARE(run.program->packed, 2);
    QCOMPARE(rowLabel(*run.program, 2, 5), QStringLiteral("2·h3"));
    QCOMPARE(rowRange(*run.program, 2, 16, 31), QStringLiteral("queries 8–15 of heads 2–3"));
    QCOMPARE(rowLabel(*runOf(QStringLiteral("dense")).program, 0, 5), QStringLiteral("5"));
    const CtaId cta = run.trace->ctaOfTile(0, 2, 0);
    const StageScene scene { run.trace.get(), run.trace->end(), cta, nullptr, {} };
    QVERIFY(stageCaption(scene).contains(QStringLiteral("of heads 2–3")));
}

QTEST_MAIN(PaintFa4)
#include "paint_fa4_test.moc"
