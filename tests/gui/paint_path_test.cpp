// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/fa4_run.h"
#include "tests/support/paint_sample.h"

#include "core/trace/state.h"
#include "ui/paint/numbers_painter.h"
#include "ui/paint/stage_painter.h"
#include "ui/paint/tile_numbers.h"

#include <QtTest>

#include <set>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

Run made(const char* algorithm, int length, MaskKind mask, TileSize tile,
    std::vector<std::pair<std::string, std::string>> knobs, int heads = 1)
{
    Scenario scenario;
    scenario.algorithm = algorithm;
    scenario.problem.heads = scenario.problem.kvHeads = heads;
    scenario.problem.seqlenQ = scenario.problem.seqlenK = length;
    scenario.problem.headDim = scenario.problem.headDimV = 32;
    scenario.problem.mask.kind = mask;
    scenario.tile = tile;
    scenario.knobs = std::move(knobs);
    scenario.record.kind = Record::Kind::All;
    auto run = runScenario(scenario, {}, Progress {});
    if (!run)
        qFatal("%s", run.error().line().c_str());
    return std::move(run).value();
}

} // namespace

class PaintPath : public QObject {
    Q_OBJECT
private slots:
    void sweepGoesColumnByColumn();
    void tileByTileGoesRowByRow();
    void visitsAreTheBlocksOfTheTrace_data();
    void visitsAreTheBlocksOfTheTrace();
    void everyRowHasOneOwner_data();
    void everyRowHasOneOwner();
    void maskIsCountedTileByTile_data();
    void maskIsCountedTileByTile();
    void pathIsDrawnOnlyWhereItIsAskedFor();
    void wideTileShowsKeysThatCanBeRead();
    void zoomReachesTheNumbers();
};

// FlashAttention-1 of the paper: every query tile for a key block before the next key block.
void PaintPath::sweepGoesColumnByColumn()
{
    const Run run = made("fa1", 128, MaskKind::None, { 16, 16 }, { { "sms", "1" }, { "fa1-form", "paper" } });
    const std::vector<Visit> visits = visitsOf(*run.trace, CtaId(0), 0, 0);
    QCOMPARE(visits.size(), std::size_t { 64 });
    for (std::size_t k = 1; k < visits.size(); ++k) {
        QVERIFY(visits[k].landed > visits[k - 1].landed);
        QVERIFY(visits[k].j >= visits[k - 1].j);
        if (visits[k].j == visits[k - 1].j)
            QVERIFY(visits[k].i > visits[k - 1].i);
    }
}

void PaintPath::tileByTileGoesRowByRow()
{
    const Run& run = test::sampleRun().run;
    const std::vector<Visit> visits = visitsOf(*run.trace, CtaId(6), 0, 0);
    QCOMPARE(visits.size(), std::size_t { 7 });
    for (std::size_t k = 0; k < visits.size(); ++k) {
        QCOMPARE(visits[k].i, 6);
        QCOMPARE(visits[k].j, 6 - static_cast<int>(k));
    }
}

void PaintPath::visitsAreTheBlocksOfTheTrace_data()
{
    QTest::addColumn<QString>("algorithm");
    for (const char* name : { "fa1", "fa2", "fa3", "fa4" })
        QTest::newRow(name) << QString::fromLatin1(name);
}

void PaintPath::visitsAreTheBlocksOfTheTrace()
{
    QFETCH(QString, algorithm);
    const TileSize tile = algorithm == QStringLiteral("fa3") ? TileSize { 128, 32 } : TileSize { 32, 32 };
    const Run run = made(algorithm.toLatin1().constData(), 256, MaskKind::Causal, tile, {}, 2);
    const Program& program = *run.program;
    int counted = 0, visited = 0;
    for (int h = 0; h < 2; ++h) {
        for (std::size_t c = 0; c < program.ctaCount(); ++c)
            for (const Visit& visit : visitsOf(*run.trace, CtaId(c), 0, h)) {
                const TileState state = tileAt(*run.trace, 0, h, visit.i, visit.j, run.trace->end());
                QVERIFY(state.n > 0);
                QCOMPARE(run.trace->block(0, h, visit.i, state.n)->value, visit.landed.value);
                ++counted;
            }
        for (int i = 0; i < program.queryTiles(); ++i)
            for (const TileState& state : tilesAt(*run.trace, 0, h, i, run.trace->end()))
                visited += state.n > 0 ? 1 : 0;
    }
    QCOMPARE(counted, visited);
}

void PaintPath::everyRowHasOneOwner_data()
{
    visitsAreTheBlocksOfTheTrace_data();
}

void PaintPath::everyRowHasOneOwner()
{
    QFETCH(QString, algorithm);
    const bool fa3 = algorithm == QStringLiteral("fa3");
    const Run run = made(
        algorithm.toLatin1().constData(), 256, MaskKind::Causal, fa3 ? TileSize { 128, 32 } : TileSize { 64, 32 }, {});
    for (int i = 0; i < run.program->queryTiles(); ++i) {
        std::map<int, RoleId> owner;
        std::set<std::size_t> roles;
        for (const RowOwner& own : ownersOf(*run.trace, 0, 0, i))
            for (int row = own.first; row <= own.last; ++row) {
                QVERIFY(owner.emplace(row, own.role).second);
                roles.insert(own.role.index());
                QVERIFY(!describeOwner(*run.trace, 0, 0, i, row).isEmpty());
            }
        // FlashAttention-1's warps share out the keys: every row is of all of them.
        const bool keys = algorithm == QStringLiteral("fa1");
        QCOMPARE(static_cast<int>(owner.size()), keys ? 0 : run.program->tile.rows);
        const std::size_t expected = keys ? 0 : algorithm == QStringLiteral("fa4") ? 1 : fa3 ? 2 : 4;
        QCOMPARE(roles.size(), expected);
    }
}

void PaintPath::maskIsCountedTileByTile_data()
{
    QTest::addColumn<QString>("algorithm");
    QTest::addColumn<int>("mask");
    for (const char* name : { "fa1", "fa2", "fa4" })
        for (const MaskKind mask : { MaskKind::None, MaskKind::Causal })
            QTest::newRow(qPrintable(QStringLiteral("%1 %2").arg(QLatin1String(name)).arg(static_cast<int>(mask))))
                << QString::fromLatin1(name) << static_cast<int>(mask);
}

void PaintPath::maskIsCountedTileByTile()
{
    QFETCH(QString, algorithm);
    QFETCH(int, mask);
    const Run run = made(algorithm.toLatin1().constData(), 200, static_cast<MaskKind>(mask), { 32, 32 }, {});
    const Program& program = *run.program;
    MaskCounts expected;
    for (int i = 0; i < program.queryTiles(); ++i)
        for (int j = 0; j < program.keyBlocks(); ++j) {
            int seen = 0, all = 0;
            for (int row = i * 32; row < std::min(200, i * 32 + 32); ++row)
                for (int key = j * 32; key < std::min(200, j * 32 + 32); ++key) {
                    ++all;
                    seen += program.problem.visible(row, key) ? 1 : 0;
                }
            ++(seen == all ? expected.full : seen > 0 ? expected.partial : expected.hidden);
            if (seen == 0 && tileAt(*run.trace, 0, 0, i, j, run.trace->end()).n > 0)
                ++expected.hiddenVisited;
        }
    const MaskCounts counts = maskCounts(*run.trace);
    QCOMPARE(counts.full, expected.full);
    QCOMPARE(counts.partial, expected.partial);
    QCOMPARE(counts.hidden, expected.hidden);
    QCOMPARE(counts.hiddenVisited, expected.hiddenVisited);
    QCOMPARE(maskText({ 28, 8, 28, 0 }), QStringLiteral("28 full, 8 partial, 28 skipped"));
}

void PaintPath::pathIsDrawnOnlyWhereItIsAskedFor()
{
    const Run& run = test::sampleRun().run;
    const StageScene scene { run.trace.get(), Position { 2000 }, CtaId(6), nullptr, {} };
    const auto draw = [&](bool path, double cell) {
        StageView view;
        view.path = path;
        view.cell = cell;
        QImage image(600, 500, QImage::Format_ARGB32_Premultiplied);
        QPainter painter(&image);
        paintStage(painter, image.rect(), scene, view, Theme::light());
        painter.end();
        return image;
    };
    QVERIFY(draw(true, 44) != draw(false, 44));
    QCOMPARE(draw(true, 8), draw(false, 8)); // too small to be told apart
}

void PaintPath::wideTileShowsKeysThatCanBeRead()
{
    const Run run = made("fa2", 256, MaskKind::None, { 64, 128 }, {});
    const StageScene scene { run.trace.get(), run.trace->end(), CtaId(0), nullptr, {} };
    for (const double width : { 560.0, 810.0, 1100.0, 1900.0 }) {
        const QRectF area(0, 0, width, 500);
        int seen = -1;
        for (int from = 0; from < 140; ++from) {
            NumbersView view { 0, 1 };
            view.fromKey = from;
            const NumbersLayout layout = layoutNumbers(area, scene, view);
            QVERIFY(layout.keys >= 2 && layout.keys < 128);
            if (width >= 810)
                QVERIFY(layout.keys >= 5);
            QCOMPARE(layout.tileKeys, 128);
            QVERIFY(layout.firstKey >= 128 && layout.firstKey + layout.keys <= 256);
            // Rather few keys than keys without their numbers: "-12.40" at the small size takes 36.
            QVERIFY2(layout.sums.right() <= area.right(), qPrintable(QString::number(width)));
            QVERIFY(layout.scoreWidth >= 38 && layout.probabilityWidth >= 32);
            const auto hit = layout.hitTest(layout.scoreRect(3, layout.keys - 1).center());
            QCOMPARE(hit.key, layout.firstKey + layout.keys - 1);
            seen = std::max(seen, hit.key);
        }
        QCOMPARE(seen, 255); // the last key can be reached
    }
}

// From the whole matrix to numbers in the cells, by the wheel alone.
void PaintPath::zoomReachesTheNumbers()
{
    const Run& run = test::sampleRun().run;
    const QRectF area(0, 0, 700, 520);
    const StageScene scene { run.trace.get(), run.trace->end(), CtaId(6), nullptr, {} };
    StageView view;
    const StageLayout whole = layoutStage(area, scene, view);
    const QPointF anchor = whole.cellRect(6, 5).center();
    StageHit before; // once the matrix has outgrown its window
    for (int notch = 0; notch < 40; ++notch) {
        view = zoomed(area, scene, view, std::pow(1.0015, 120), anchor);
        if (notch == 4)
            before = hitTest(layoutStage(area, scene, view), scene, anchor);
    }
    const StageLayout close = layoutStage(area, scene, view);
    QVERIFY(close.cell / run.program->tile.keys >= 40); // where numbers are drawn
    const StageHit hit = hitTest(close, scene, anchor);
    QCOMPARE(hit.i, before.i);
    QCOMPARE(hit.j, before.j);
    QVERIFY(close.firstColumn() >= hit.j - 1 && close.lastColumn() <= hit.j + 2);
    QImage image(area.size().toSize(), QImage::Format_ARGB32_Premultiplied);
    QPainter painter(&image);
    paintStage(painter, area, scene, view, Theme::dark());
    painter.end();
    for (int notch = 0; notch < 80; ++notch)
        view = zoomed(area, scene, view, std::pow(1.0015, -120), anchor);
    QCOMPARE(layoutStage(area, scene, view).cell, whole.cell);
}

QTEST_MAIN(PaintPath)
#include "paint_path_test.moc"
