// SPDX-License-Identifier: GPL-3.0-or-later
// What the ledger works out of a row, against the trace and against runs decided the other way.
#include "core/tensor/exp2_polynomial.h"
#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "tests/gui/version_runs.h"
#include "ui/paint/ledger_facts.h"

#include <QtTest>

#include <cmath>

using namespace flashstep;
using namespace flashstep::test;

class PaintLedger : public QObject {
    Q_OBJECT
private slots:
    void probabilitiesAreTheRuns_data() { versions(); }
    void probabilitiesAreTheRuns();
    void factsAreTheLedgers_data() { versions(); }
    void factsAreTheLedgers();
    void theOtherDecisionIsTheOtherRuns();
    void factorsOfTheFirstVersion_data();
    void factorsOfTheFirstVersion();
    void votesAreTheTraces();
    void theLogSumExpBeforeIsTheTiles();
    void whyThereAreNoRows();
};

// P worked out again from S and the reference, once rounded, is P as the kernel stored it, bit for bit.
void PaintLedger::probabilitiesAreTheRuns()
{
    QFETCH(QString, algorithm);
    QFETCH(QString, knob);
    QFETCH(bool, causal);
    const flashstep::Run run = runOfRow(algorithm, knob, causal);
    int compared = 0;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::tileNumbers(*run.trace, 0, 0, i, visit.j, at);
        QVERIFY(tile.rounded);
        for (int r = 0; r < tile.rows; ++r) {
            std::vector<float> p
                = paint::probabilitiesOf(*run.program, paint::scoresOf(tile, r), paint::referenceOfP(tile, r));
            for (int k = 0; k < tile.keys; ++k, ++compared)
                QCOMPARE(roundTo(run.program->problem.dtype, p[static_cast<std::size_t>(k)]), tile.p.at(r, k));
        }
    });
    QVERIFY(compared > 1000);
}

void PaintLedger::factsAreTheLedgers()
{
    QFETCH(QString, algorithm);
    QFETCH(QString, knob);
    QFETCH(bool, causal);
    const flashstep::Run run = runOfRow(algorithm, knob, causal);
    const Trace& trace = *run.trace;
    int compared = 0;
    forEachTile(trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::ledgerTile(trace, 0, 0, i, visit.j, at);
        const BufferId o = trace.program().bufferOf("O", static_cast<int>(trace.program().launches.size()) - 1,
            i - trace.program().work(trace.workOfTile(0, 0, i)).i);
        for (const RowState& state : ledgerAt(trace, tile.cta, at)) {
            const int r = state.row - tile.firstRow;
            if (r < 0 || r >= tile.rows)
                continue;
            ++compared;
            const paint::RowFacts facts = paint::rowFacts(trace, run.inputs.get(), 0, 0, tile, r, at);
            if (std::isfinite(state.m))
                QVERIFY(std::fabs(facts.most - state.m * log2e) < 1e-5 * (1 + std::fabs(facts.most)));
            if (std::isfinite(state.mUsed))
                QVERIFY(std::fabs(facts.used - state.mUsed * log2e) < 1e-5 * (1 + std::fabs(facts.used)));
            QVERIFY(near(facts.l, state.l, 1e-12));
            if (visit.n > 1)
                QCOMPARE(facts.scale, state.scale);
            // What is kept and what is added come to what is there.
            if (!facts.divided && !tile.ownMaximum && visit.n > 1)
                QVERIFY(near(facts.scale * facts.lBefore + facts.lAdded, facts.l, 1e-5));
            const bool kept = state.decision == "skip";
            if (facts.decision == paint::RowDecision::Kept)
                QVERIFY(kept);
            if (facts.decision == paint::RowDecision::Rescale)
                QVERIFY(state.decision == "rescale");
            // |O| of the row is that of the buffer as `block(i, n)` shows it.
            if (!o.valid() || trace.program().bufferOf("O_part", 0, 0).valid()
                || trace.program().launches.back().sweep > 0)
                continue;
            const TileValues shown = shownValue(trace, tile.cta, o, at);
            double sum = 0;
            for (int c = 0; c < shown.cols; ++c)
                sum += static_cast<double>(shown.at(r, c)) * static_cast<double>(shown.at(r, c));
            QVERIFY(near(facts.outputAfter, std::sqrt(sum), 1e-6));
        }
    });
    QVERIFY(compared > 100);
}

// The reference before, in the ledger's table, is the log-sum-exp that the tile's numbers start from.
void PaintLedger::theLogSumExpBeforeIsTheTiles()
{
    const flashstep::Run run = runOf("fa1");
    int compared = 0;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::ledgerTile(*run.trace, 0, 0, i, visit.j, at);
        for (const RowState& state : ledgerAt(*run.trace, tile.cta, at)) {
            const int r = state.row - tile.firstRow;
            QVERIFY(r >= 0 && r < tile.rows); // of this query tile, however far the CTA's sweep has come
            const double before = tile.row[static_cast<std::size_t>(r)].before;
            if (visit.n == 1) {
                QVERIFY(std::isinf(state.referenceBefore));
                continue;
            }
            QVERIFY(near(state.referenceBefore * log2e, before, 1e-6));
            QVERIFY(state.referenceBefore > state.mBefore); // above the maximum, by ln of the sum
            QVERIFY(near(std::exp(state.referenceBefore - state.mUsed), state.scale, 1e-4));
            ++compared;
        }
    });
    QVERIFY(compared > 100);
}

void PaintLedger::whyThereAreNoRows()
{
    const flashstep::Run standard = runOf("standard");
    QVERIFY(ledgerAt(*standard.trace, CtaId(0), standard.trace->end()).empty());
    QVERIFY(paint::whyNoRows(*standard.trace, CtaId(0)).startsWith(QStringLiteral("This version keeps no")));
    Scenario scenario = fa4Scenario(64, 96, 64);
    scenario.record.kind = Record::Kind::None;
    const flashstep::Run timed = fa4Run(scenario);
    QVERIFY(paint::whyNoRows(*timed.trace, CtaId(0)).contains(QStringLiteral("were not computed")));
}

// Two thresholds on the same numbers: what the ledger says of the other decision is what the other run came to.
void PaintLedger::theOtherDecisionIsTheOtherRuns()
{
    const flashstep::Run lazy = runOf("fa4", { { "rescale-threshold", "8" } });
    const flashstep::Run strict = runOf("fa4", { { "rescale-threshold", "0" } });
    int keptRows = 0, movedRows = 0;
    forEachTile(*lazy.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const auto other = strict.trace->block(0, 0, i, visit.n);
        QVERIFY(other.has_value());
        const paint::TileNumbers here = paint::tileNumbers(*lazy.trace, 0, 0, i, visit.j, at);
        const paint::TileNumbers there = paint::tileNumbers(*strict.trace, 0, 0, i, visit.j, *other);
        for (int r = 0; r < here.rows; ++r) {
            const paint::RowFacts facts = paint::rowFacts(*lazy.trace, lazy.inputs.get(), 0, 0, here, r, at);
            const paint::RowFacts strictly
                = paint::rowFacts(*strict.trace, strict.inputs.get(), 0, 0, there, r, *other);
            if (facts.decision == paint::RowDecision::Kept && facts.gap > 0) {
                ++keptRows;
                QVERIFY(facts.otherwise.decision == paint::RowDecision::Rescale);
                QCOMPARE(facts.otherwise.reference, strictly.used); // the true maximum
                QVERIFY(near(facts.otherwise.l, strictly.l, 1e-4));
                QVERIFY(near(facts.otherwise.quotientNorm, strictly.quotientNorm, 1e-2)); // P is rounded to bf16
                QVERIFY(near(facts.otherwise.quotientNorm, facts.quotientNorm, 1e-2));
                QCOMPARE(facts.otherwise.mostP <= 1, true);
                QVERIFY(facts.otherwise.apart < 0.02 * facts.quotientNorm);
            }
            if (strictly.decision == paint::RowDecision::Rescale && strictly.gap > 0) {
                ++movedRows;
                QVERIFY(strictly.otherwise.decision == paint::RowDecision::Kept);
                QCOMPARE(strictly.otherwise.scale, 1.0);
                QVERIFY(near(strictly.otherwise.mostP, exp2Real(strictly.gap), 1e-2));
                QVERIFY(near(strictly.otherwise.quotientNorm, strictly.quotientNorm, 1e-2));
            }
        }
    });
    QVERIFY(keptRows > 20);
    QVERIFY(movedRows > 20);
}

void PaintLedger::factorsOfTheFirstVersion_data()
{
    QTest::addColumn<QString>("form");
    QTest::newRow("shipped") << "shipped";
    QTest::newRow("paper") << "paper";
}

// The factors put O together as the kernel does: O = (old factor O_old + block factor P V) / l_new.
void PaintLedger::factorsOfTheFirstVersion()
{
    QFETCH(QString, form);
    const flashstep::Run run = runOf("fa1", { { "fa1-form", form.toStdString() } });
    const bool paper = form == QStringLiteral("paper");
    int compared = 0;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        if (visit.n == 1)
            return;
        const paint::TileNumbers tile = paint::ledgerTile(*run.trace, 0, 0, i, visit.j, at);
        QCOMPARE(tile.ownMaximum, paper);
        for (int r = 0; r < tile.rows; ++r) {
            const paint::RowFacts facts = paint::rowFacts(*run.trace, run.inputs.get(), 0, 0, tile, r, at);
            QVERIFY(facts.divided.has_value());
            const paint::RowFacts::Divided& d = *facts.divided;
            const double old = paper ? facts.lBefore * d.oldFactor : d.oldFactor;
            QVERIFY(near(old + d.blockFactor * facts.lAdded, facts.l, 1e-5));
            for (int c = 0; c < tile.oAfter.cols; ++c) {
                double pv = 0;
                for (int k = 0; k < tile.keys; ++k)
                    pv += static_cast<double>(tile.p.at(r, k))
                        * static_cast<double>(run.inputs->v.row(0, 0, tile.firstKey + k)[static_cast<std::size_t>(c)]);
                const double o = (old * static_cast<double>(tile.oBefore.at(r, c)) + d.blockFactor * pv) * d.inverse;
                QVERIFY(std::fabs(o - static_cast<double>(tile.oAfter.at(r, c))) < 1e-4 * (1 + facts.outputAfter));
                ++compared;
            }
        }
    });
    QVERIFY(compared > 1000);
}

void PaintLedger::votesAreTheTraces()
{
    const flashstep::Run run = runOf("fa4", { { "rescale-threshold", "2" } });
    int taken = 0;
    forEachTile(*run.trace, [&](int i, const paint::TileVisit& visit, Position at) {
        const paint::TileNumbers tile = paint::tileNumbers(*run.trace, 0, 0, i, visit.j, at);
        const std::vector<paint::WarpVote> votes = paint::warpVotes(*run.trace, 0, 0, tile);
        QCOMPARE(votes.empty(), visit.n == 1);
        if (votes.empty() || !tile.vote)
            return;
        ++taken;
        int asking = 0, multiplying = 0, rows = 0;
        for (const paint::WarpVote& vote : votes) {
            asking += vote.asking;
            rows += vote.rows;
            multiplying += vote.multiplies.value_or(false) ? 1 : 0;
            QCOMPARE(vote.multiplies.value_or(false), vote.asking > 0);
        }
        QCOMPARE(rows, tile.rows);
        QCOMPARE(asking, tile.vote->rowsDone);
        QCOMPARE(multiplying, tile.vote->warpsDone);
    });
    QVERIFY(taken > 4);
}

QTEST_MAIN(PaintLedger)
#include "paint_ledger_test.moc"
