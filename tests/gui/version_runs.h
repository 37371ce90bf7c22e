// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/gui/fa4_run.h"
#include "ui/paint/ledger_facts.h"

#include <QtTest>

#include <algorithm>
#include <cmath>

namespace flashstep::test {

// Small runs of every version, for tests that ask the same of each.
inline flashstep::Run runOf(const std::string& algorithm, std::vector<std::pair<std::string, std::string>> knobs = {},
    DType dtype = DType::Bf16, MaskKind mask = MaskKind::None)
{
    Scenario scenario = fa4Scenario(64, 96, 64, mask);
    scenario.algorithm = algorithm;
    if (algorithm == "fa3") // three consumer warpgroups
        scenario.tile = TileSize { 24, 16 };
    scenario.problem.init = Init::Outliers;
    scenario.problem.dtype = dtype;
    scenario.knobs = std::move(knobs);
    return fa4Run(scenario);
}

inline void versions()
{
    QTest::addColumn<QString>("algorithm");
    QTest::addColumn<QString>("knob");
    QTest::addColumn<bool>("causal");
    for (const bool causal : { false, true }) {
        const QByteArray mask = causal ? " causal" : "";
        QTest::newRow(("fa1" + mask).constData()) << "fa1"
                                                  << "" << causal;
        QTest::newRow(("fa1 paper" + mask).constData()) << "fa1"
                                                        << "fa1-form=paper" << causal;
        QTest::newRow(("fa2" + mask).constData()) << "fa2"
                                                  << "" << causal;
        QTest::newRow(("fa2 split" + mask).constData()) << "fa2"
                                                        << "warp-split=k" << causal;
        QTest::newRow(("fa3" + mask).constData()) << "fa3"
                                                  << "" << causal;
        QTest::newRow(("fa4" + mask).constData()) << "fa4"
                                                  << "" << causal;
        QTest::newRow(("fa4 emulated" + mask).constData()) << "fa4"
                                                           << "exp2-emulation=0.5" << causal;
        QTest::newRow(("fa4 strict" + mask).constData()) << "fa4"
                                                         << "rescale-threshold=0" << causal;
    }
}

inline flashstep::Run runOfRow(const QString& algorithm, const QString& knob, bool causal)
{
    std::vector<std::pair<std::string, std::string>> knobs;
    if (!knob.isEmpty())
        knobs.emplace_back(
            knob.section(QLatin1Char('='), 0, 0).toStdString(), knob.section(QLatin1Char('='), 1).toStdString());
    return runOf(algorithm.toStdString(), knobs, DType::Bf16, causal ? MaskKind::Causal : MaskKind::None);
}

// Every tile of the run at the moment its block has landed.
template <typename Visit> void forEachTile(const Trace& trace, Visit visit)
{
    for (int i = 0; i < trace.program().queryTiles(); ++i)
        for (const paint::TileVisit& each : paint::visitsOf(trace, 0, 0, i))
            if (const auto at = trace.block(0, 0, i, each.n))
                visit(i, each, *at);
}

inline bool near(double a, double b, double relative)
{
    return std::fabs(a - b) <= relative * std::max(std::fabs(a), std::fabs(b));
}

} // namespace flashstep::test
