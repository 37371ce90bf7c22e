// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/persistent_run.h"
#include "tests/support/paint_sample.h"

#include "core/trace/state.h"
#include "ui/paint/numbers_painter.h"
#include "ui/paint/stage_painter.h"
#include "ui/paint/tile_numbers.h"
#include "ui/paint/tokens.h"
#include "ui/paint/walk.h"

#include <QtTest>

#include <cmath>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

const Run& run()
{
    return test::sampleRun().run;
}

const Trace& trace()
{
    return *run().trace;
}

StageScene sceneAt(Position p)
{
    static const Tokens tokens = tokensOf(test::sampleRun().labels, run().program->problem);
    return { &trace(), p, CtaId(6), &tokens, {} };
}

const QRectF area(5, 7, 700, 520);
constexpr double log2e = 1.4426950408889634;

// One SM, so that a CTA sweeps over several query tiles; the last tile and block are not full.
Run putTogether(MaskKind mask, const QString& knobs)
{
    Scenario scenario;
    const bool keys = knobs.startsWith(QStringLiteral("warp-split"));
    scenario.algorithm = keys ? "fa2" : "fa1";
    scenario.problem.heads = scenario.problem.kvHeads = 1;
    scenario.problem.seqlenQ = scenario.problem.seqlenK = 150;
    scenario.problem.headDim = scenario.problem.headDimV = 16;
    scenario.problem.mask.kind = mask;
    scenario.tile = keys ? TileSize { 64, 64 } : TileSize { 16, 64 };
    scenario.knobs = { { "sms", "1" } };
    for (const QString& knob : knobs.split(QLatin1Char(' '), Qt::SkipEmptyParts))
        scenario.knobs.emplace_back(
            knob.section(QLatin1Char('='), 0, 0).toStdString(), knob.section(QLatin1Char('='), 1).toStdString());
    scenario.record.kind = Record::Kind::All;
    auto made = runScenario(scenario, {}, Progress {});
    if (!made)
        qFatal("%s", made.error().line().c_str());
    return std::move(made).value();
}

// A row of attention over the first `blocks` key blocks, in float64; m and scores in log2 units.
struct Recomputed {
    std::vector<double> s;
    double m = -std::numeric_limits<double>::infinity(), l = 0;
    std::vector<double> o;
};
Recomputed recompute(const Run& run, int row, const std::vector<int>& blocks)
{
    const Program& program = *run.program;
    const Problem& p = program.problem;
    Recomputed all { std::vector<double>(static_cast<std::size_t>(p.seqlenK), 0.0) };
    all.o.assign(static_cast<std::size_t>(p.headDimV), 0.0);
    std::vector<int> keys;
    for (const int j : blocks)
        for (int key = j * program.tile.keys; key < j * program.tile.keys + program.keysInside(j); ++key)
            if (p.visible(row, key))
                keys.push_back(key);
    for (const int key : keys) {
        double& s = all.s[static_cast<std::size_t>(key)];
        for (std::size_t d = 0; d < static_cast<std::size_t>(p.headDim); ++d)
            s += static_cast<double>(run.inputs->q.row(0, 0, row)[d])
                * static_cast<double>(run.inputs->k.row(0, 0, key)[d]) * p.softmaxScale() * log2e;
        all.m = std::max(all.m, s);
    }
    for (const int key : keys) {
        const double share = std::exp2(all.s[static_cast<std::size_t>(key)] - all.m);
        all.l += share;
        for (std::size_t d = 0; d < all.o.size(); ++d)
            all.o[d] += share * static_cast<double>(run.inputs->v.row(0, 0, key)[d]);
    }
    for (double& o : all.o)
        o /= all.l > 0 ? all.l : 1;
    return all;
}

// The numbers of tile (i, j) just after its block has landed, those of the ledger and those of the inputs.
void compareWithRecomputed(const Run& run, int i, int j, int n)
{
    const Trace& all = *run.trace;
    const Program& program = *run.program;
    const auto p = all.block(0, 0, i, n);
    QVERIFY(p.has_value());
    const TileNumbers tile = tileNumbers(all, 0, 0, i, j, *p);
    QVERIFY(tile.recorded && tile.landed);
    QCOMPARE(tile.n, n);
    QVERIFY(stageCaption({ &all, *p, tile.cta, nullptr, {} }).startsWith(QStringLiteral("Q%1").arg(i)));
    const WorkId work = all.workOfTile(0, 0, i);
    std::vector<int> blocks;
    for (const StepDecl& step : all.streamOf(work).steps)
        if (step.i == i - program.work(work).i && step.n <= n)
            blocks.push_back(step.j);
    const std::vector<RowState> ledger = ledgerAt(all, tile.cta, *p);
    QCOMPARE(static_cast<int>(ledger.size()), tile.rows);
    const TileValues output = outputSoFar(all, 0, 0, i, *p);
    QCOMPARE(output.rows, tile.rows);
    std::vector<TileValues> shares;
    for (const int block : blocks)
        shares.push_back(tileShares(all, 0, 0, i, block, *p));
    for (int r = 0; r < tile.rows; ++r) {
        const Recomputed expected = recompute(run, tile.firstRow + r, blocks);
        const TileNumbers::Row& row = tile.row[static_cast<std::size_t>(r)];
        const RowState& state = ledger[static_cast<std::size_t>(r)];
        QCOMPARE(state.row, tile.firstRow + r);
        QVERIFY(std::fabs(state.mUsed * log2e - row.used) < 1e-5);
        QVERIFY(std::fabs(state.l - row.l) < 1e-5);
        QVERIFY(std::fabs(row.used + std::log2(row.l) - expected.m - std::log2(expected.l)) < 1e-3);
        const double reference = tile.ownMaximum ? row.blockMax : row.used;
        for (int c = 0; c < tile.keys; ++c) {
            const auto s = static_cast<double>(tile.s.at(r, c));
            const auto share = static_cast<double>(tile.p.at(r, c));
            if (!program.problem.visible(tile.firstRow + r, tile.firstKey + c)) {
                QVERIFY(share == 0);
                continue;
            }
            QVERIFY(std::fabs(s - expected.s[static_cast<std::size_t>(tile.firstKey + c)]) < 1e-3);
            QVERIFY(std::fabs(share - std::exp2(s - reference)) < 4e-3);
        }
        for (int d = 0; d < output.cols; ++d) {
            const double o = expected.o[static_cast<std::size_t>(d)];
            QVERIFY(std::fabs(static_cast<double>(output.at(r, d)) - o) < 1e-2);
            const double after = static_cast<double>(tile.oAfter.at(r, d));
            QVERIFY(std::fabs((tile.divided ? after : after / row.l) - o) < 1e-2);
            QCOMPARE(std::isnan(tile.oBefore.at(r, d)), n == 1);
        }
        double sum = 0;
        for (const TileValues& values : shares)
            for (int c = 0; c < values.cols; ++c)
                sum += static_cast<double>(values.at(r, c));
        QVERIFY2(std::fabs(sum - 1) < 5e-3, qPrintable(QString::number(sum)));
    }
}

} // namespace

class PaintStageTest : public QObject {
    Q_OBJECT

private slots:
    void tilesAreFoundWhereTheyAreDrawn()
    {
        const StageScene scene = sceneAt({});
        for (const double cell : { 0.0, 17.5, 90.0 }) {
            StageView view;
            view.cell = cell;
            const StageLayout layout = layoutStage(area, scene, view);
            for (int i = layout.firstRow(); i < layout.lastRow(); ++i)
                for (int j = layout.firstColumn(); j < layout.lastColumn(); ++j) {
                    const QPointF middle = layout.cellRect(i, j).center();
                    if (!layout.window.contains(middle))
                        continue;
                    const StageHit hit = hitTest(layout, scene, middle);
                    QCOMPARE(hit.i, i);
                    QCOMPARE(hit.j, j);
                    QCOMPARE(hit.row, i * 8 + 4);
                    QCOMPARE(hit.key, j * 8 + 4);
                }
        }
        const StageLayout layout = layoutStage(area, scene, {});
        QCOMPARE(hitTest(layout, scene, layout.keyRect(3).center()).j, 3);
        QCOMPARE(hitTest(layout, scene, layout.rowRect(5).center()).i, 5);
        QCOMPARE(static_cast<int>(hitTest(layout, scene, layout.outputRect(2).center()).part),
            static_cast<int>(StageHit::Part::Output));
    }

    void zoomKeepsWhatIsUnderTheMouse()
    {
        const StageScene scene = sceneAt({});
        StageView view = zoomed(area, scene, {}, 4, area.center());
        const StageHit before = hitTest(layoutStage(area, scene, view), scene, area.center());
        view = zoomed(area, scene, view, 2, area.center());
        const StageHit after = hitTest(layoutStage(area, scene, view), scene, area.center());
        QCOMPARE(after.row, before.row);
        QCOMPARE(after.key, before.key);
        view = panned(area, scene, view, { 1e6, 1e6 });
        QCOMPARE(layoutStage(area, scene, view).firstRow(), 0);
    }

    void rowOfTilesIsTileByTile()
    {
        for (std::uint32_t p = 0; p <= trace().end().value; p += 23)
            for (int i = 0; i < 8; ++i) {
                const std::vector<TileState> row = tilesAt(trace(), 0, 0, i, { p });
                for (int j = 0; j < 8; ++j) {
                    const TileState one = tileAt(trace(), 0, 0, i, j, { p });
                    const TileState& many = row[static_cast<std::size_t>(j)];
                    QVERIFY2(one.kind == many.kind && one.fraction == many.fraction && one.masked == many.masked
                            && one.n == many.n && one.cta == many.cta,
                        qPrintable(QStringLiteral("position %1, tile (%2, %3): %4 and %5")
                                       .arg(p)
                                       .arg(i)
                                       .arg(j)
                                       .arg(static_cast<int>(one.kind))
                                       .arg(static_cast<int>(many.kind))));
                }
            }
    }

    void scoresAreThoseOfTheInputs()
    {
        const Problem& p = run().program->problem;
        for (int i = 0; i < 8; ++i)
            for (int j = 0; j <= i; ++j) {
                const TileNumbers tile = tileNumbers(trace(), 0, 0, i, j, trace().end());
                QVERIFY(tile.recorded);
                for (int r = 0; r < tile.rows; ++r)
                    for (int c = 0; c < tile.keys; ++c) {
                        const int row = tile.firstRow + r, key = tile.firstKey + c;
                        const auto shown = static_cast<double>(tile.s.at(r, c));
                        if (!p.visible(row, key)) {
                            QVERIFY(std::isinf(shown) && shown < 0);
                            continue;
                        }
                        double s = 0;
                        for (int d = 0; d < p.headDim; ++d)
                            s += static_cast<double>(run().inputs->q.row(0, 0, row)[static_cast<std::size_t>(d)])
                                * static_cast<double>(run().inputs->k.row(0, 0, key)[static_cast<std::size_t>(d)]);
                        QVERIFY(std::fabs(shown - s * p.softmaxScale() * log2e) < 1e-3);
                    }
            }
    }

    void probabilitiesFollowFromScoresAndReference()
    {
        const TileNumbers tile = tileNumbers(trace(), 0, 0, 6, 5, trace().end());
        QVERIFY(tile.rounded && tile.landed);
        for (int r = 0; r < tile.rows; ++r) {
            const TileNumbers::Row& row = tile.row[static_cast<std::size_t>(r)];
            QVERIFY(std::fabs(row.used - std::max(row.before, row.blockMax)) < 1e-4);
            QVERIFY(std::fabs(row.scale - std::exp2(row.before - row.used)) < 1e-5);
            for (int c = 0; c < tile.keys; ++c)
                QVERIFY(std::fabs(static_cast<double>(tile.p.at(r, c))
                            - std::exp2(static_cast<double>(tile.s.at(r, c)) - row.used))
                    < 4e-3);
        }
    }

    void numbersAgreeWithTheLedger()
    {
        for (int i = 0; i < 8; ++i)
            for (int n = 1; n <= i + 1; ++n) {
                const int j = i + 1 - n; // right to left from the diagonal
                const CtaId cta = trace().ctaOfTile(0, 0, i);
                const auto p = trace().block(trace().workOfTile(0, 0, i), 0, n);
                QVERIFY(p.has_value());
                const TileNumbers tile = tileNumbers(trace(), 0, 0, i, j, *p);
                QCOMPARE(tile.n, n);
                const std::vector<RowState> ledger = ledgerAt(trace(), cta, *p);
                QCOMPARE(static_cast<int>(ledger.size()), tile.rows);
                for (int r = 0; r < tile.rows; ++r) {
                    const TileNumbers::Row& row = tile.row[static_cast<std::size_t>(r)];
                    const RowState& state = ledger[static_cast<std::size_t>(r)];
                    QCOMPARE(state.blocks, n);
                    QVERIFY(std::fabs(state.mUsed * log2e - row.used) < 1e-5);
                    QVERIFY(std::fabs(state.l - row.l) < 1e-6);
                    if (n > 1) {
                        QVERIFY(std::fabs(state.mBefore * log2e - row.before) < 1e-5);
                        QVERIFY(std::fabs(state.scale - row.scale) < 1e-7);
                    }
                }
            }
    }

    void nothingIsShownBeforeItIsThere()
    {
        const TileNumbers early = tileNumbers(trace(), 0, 0, 6, 2, *trace().block(0, 0, 6, 2));
        for (const float s : early.s.data)
            QVERIFY(std::isnan(s));
        for (const float value : early.p.data)
            QVERIFY(std::isnan(value));
        QVERIFY(!early.landed);
        QVERIFY(tileShares(trace(), 0, 0, 6, 2, *trace().block(0, 0, 6, 2)).data.empty());
    }

    void sharesOfARowAddUpAtEveryBlock()
    {
        for (int i = 0; i < 8; ++i) {
            for (int n = 1; n <= i + 1; ++n) {
                std::vector<double> sum(8, 0.0);
                for (int j = i + 1 - n; j <= i; ++j) {
                    const TileValues shares
                        = tileShares(trace(), 0, 0, i, j, *trace().block(trace().workOfTile(0, 0, i), 0, n));
                    QVERIFY(!shares.data.empty());
                    for (int r = 0; r < shares.rows; ++r)
                        for (int c = 0; c < shares.cols; ++c)
                            sum[static_cast<std::size_t>(r)] += static_cast<double>(shares.at(r, c));
                }
                for (const double total : sum) // l is summed before P is rounded
                    QVERIFY2(std::fabs(total - 1) < 5e-3, qPrintable(QString::number(total)));
            }
        }
    }

    void outputStripEndsAsTheOutput()
    {
        for (int i = 0; i < 8; ++i) {
            const TileValues values = outputSoFar(trace(), 0, 0, i, trace().end());
            QCOMPARE(values.rows, 8);
            for (int r = 0; r < values.rows; ++r)
                for (int c = 0; c < values.cols; ++c)
                    QCOMPARE(values.at(r, c), run().o.row(0, 0, i * 8 + r)[static_cast<std::size_t>(c)]);
        }
    }

    // CTAs that do several work tiles keep none of them: each tile's numbers are read while its work is there.
    void everyTileOfAPersistentCtaKeepsItsNumbers()
    {
        const Run& persistent = test::persistentRun();
        const Trace& all = *persistent.trace;
        const Program& program = *persistent.program;
        QVERIFY(all.worksOf(CtaId(0)).size() > 1);
        for (int h = 0; h < program.problem.heads; ++h)
            for (int i = 0; i < program.queryTiles(); ++i) {
                const TileValues values = outputSoFar(all, 0, h, i, all.end());
                QCOMPARE(values.rows, program.rowsInside(program.work(all.workOfTile(0, h, i))));
                for (int r = 0; r < values.rows; ++r)
                    for (int c = 0; c < values.cols; ++c) // kept in fp32, stored in bf16
                        QVERIFY(std::fabs(values.at(r, c)
                                    - persistent.o.row(0, h, i * program.tile.rows + r)[static_cast<std::size_t>(c)])
                            < 1e-2F);
                for (const float value : outputSoFar(all, 0, h, i, {}).data)
                    QVERIFY(std::isnan(value));
                const TileNumbers tile = tileNumbers(all, 0, h, i, 0, all.end());
                QVERIFY(tile.recorded && tile.landed);
                for (const float value : tile.p.data)
                    QVERIFY(!std::isnan(value));
            }
    }

    // Kernels whose blocks land by being put together: their registers hold another tile's numbers, or a warp's own.
    void everyTileOfASweepHasItsOwnNumbers_data()
    {
        QTest::addColumn<int>("mask");
        QTest::addColumn<QString>("knobs");
        const int full = static_cast<int>(MaskKind::None), causal = static_cast<int>(MaskKind::Causal);
        QTest::newRow("shipped") << full << QString();
        QTest::newRow("shipped, causal") << causal << QString();
        QTest::newRow("paper") << full << QStringLiteral("fa1-form=paper");
        QTest::newRow("paper, causal") << causal << QStringLiteral("fa1-form=paper");
        QTest::newRow("divided at the end") << causal << QStringLiteral("fa1-form=paper divide=end");
        QTest::newRow("queries outside") << causal << QStringLiteral("fa1-form=paper loop-order=q-outer");
        QTest::newRow("keys split") << causal << QStringLiteral("warp-split=k");
    }

    void everyTileOfASweepHasItsOwnNumbers()
    {
        QFETCH(int, mask);
        QFETCH(QString, knobs);
        const Run made = putTogether(static_cast<MaskKind>(mask), knobs);
        const Trace& all = *made.trace;
        const Program& program = *made.program;
        for (int i = 0; i < program.queryTiles(); ++i) {
            const WorkId work = all.workOfTile(0, 0, i);
            const auto& steps = all.streamOf(work).steps;
            for (const StepDecl& step : steps)
                if (step.i == i - program.work(work).i)
                    compareWithRecomputed(made, i, step.j, step.n);
            const TileValues last = outputSoFar(all, 0, 0, i, all.end());
            QCOMPARE(last.rows, program.rowsInside(program.work(work), i - program.work(work).i));
            for (int r = 0; r < last.rows; ++r)
                for (int c = 0; c < last.cols; ++c) // stored rounded
                    QVERIFY(std::fabs(last.at(r, c)
                                - made.o.row(0, 0, i * program.tile.rows + r)[static_cast<std::size_t>(c)])
                        < 1e-2F);
            for (const float value : outputSoFar(all, 0, 0, i, {}).data)
                QVERIFY(std::isnan(value));
        }
    }

    void numbersLayoutFindsItsCells()
    {
        const StageScene scene = sceneAt(trace().end());
        const NumbersLayout layout = layoutNumbers({ 0, 0, 1200, 600 }, scene, { 6, 5, NumberFormat::Decimal, 0 });
        const auto hit = layout.hitTest(layout.scoreRect(2, 4).center());
        QCOMPARE(hit.row, 50);
        QCOMPARE(hit.key, 44);
        QCOMPARE(static_cast<int>(layout.hitTest(layout.probabilityRect(7, 0).center()).part),
            static_cast<int>(NumbersLayout::Hit::Part::Probability));
        QCOMPARE(layout.hitTest(layout.probabilityRect(7, 0).center()).key, 40);
    }

    void wordsAndStates()
    {
        const Moment m = test::momentOf(trace(), "block(i=6, n=2)");
        const StageScene scene = sceneAt(m.position);
        QCOMPARE(scene.tokens->query(50), QStringLiteral("work"));
        QVERIFY(describeTile(scene, 6, 5).startsWith(QStringLiteral("Tile (6, 5): done")));
        QVERIFY(describeTile(scene, 0, 7).contains(QStringLiteral("skipped")));
        QVERIFY(stageCaption(scene).startsWith(QStringLiteral("Q6 × K")));
    }

    void aHazardMarksItsTileFromTheMomentItsOpBegins()
    {
        // The product S of tile (6, 5), as if it had raced.
        const Moment end = test::momentOf(trace(), "first(mma, i=6, j=5, buffer=S)");
        const Event event = trace().eventAt(end.position.value - 1);
        const OpId op = trace().opOf(event.instance);
        const std::vector<Hazard> hazards { { .kind = "read before write",
            .cta = CtaId(6),
            .work = trace().workOf(event.instance),
            .role = RoleId(0),
            .op = op,
            .other = op,
            .buffer = BufferId(0) } };
        const auto faultsAt = [&](Position p, const std::vector<Hazard>* list) {
            QImage image(720, 540, QImage::Format_RGB32);
            QPainter painter(&image);
            StageScene scene = sceneAt(p);
            scene.hazards = list;
            paintStage(painter, area, scene, {}, Theme::light());
            const QRect cell = layoutStage(area, scene, {}).cellRect(6, 5).toAlignedRect();
            int inside = 0;
            int outside = 0;
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x)
                    if (image.pixelColor(x, y) == Theme::light().fault)
                        ++(cell.contains(x, y) ? inside : outside);
            return std::pair(inside, outside);
        };
        const Position begun = trace().beginPosition(event.instance);
        QCOMPARE(faultsAt(begun, nullptr), std::pair(0, 0));
        QCOMPARE(faultsAt({ begun.value - 1 }, &hazards), std::pair(0, 0));
        const auto [inside, outside] = faultsAt(begun, &hazards);
        QVERIFY(inside > 50);
        QCOMPARE(outside, 0);
    }

    void everyPositionAndZoomCanBePainted()
    {
        QImage image(720, 540, QImage::Format_RGB32);
        for (const double cell : { 0.0, 3.0, 9.0, 44.0, 200.0, 420.0 })
            for (std::uint32_t p = 0; p <= trace().end().value; p += 397) {
                StageView view;
                view.cell = cell;
                QPainter painter(&image);
                paintStage(painter, area, sceneAt({ p }), view, Theme::dark());
                paintNumbers(painter, area, sceneAt({ p }), { 6, 5, NumberFormat::Exact, 0 }, Theme::light());
            }
        QPainter painter(&image);
        paintStage(painter, QRectF(0, 0, 10, 10), sceneAt({}), {}, Theme::light()); // smaller than its own margins
        paintStage(painter, area, {}, {}, Theme::light()); // nothing to show
    }
};

QTEST_MAIN(PaintStageTest)
#include "paint_stage_test.moc"
