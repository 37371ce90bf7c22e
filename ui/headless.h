// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/io/scenario.h"

#include <QSize>
#include <QString>

#include <string>
#include <utility>
#include <vector>

namespace flashstep::ui {

class MainWindow;

// What the program was asked on its command line about one window.
struct HeadlessRequest {
    std::string file; // a scenario or a recording; empty: the first sample
    std::vector<std::pair<std::string, std::string>> given; // problem options, key and value
    QString at, theme, layout, focus;
    QSize size { 1440, 900 };
    bool json = false;
};

[[nodiscard]] bool opensRecording(const HeadlessRequest& request);
// The scenario of the file (of a recording: the one it ran, else the first sample's) and the options beside it; without
// either the first sample's.
[[nodiscard]] Result<ScenarioFile> scenarioOf(const HeadlessRequest& request, bool* isOfRecording = nullptr);

// Size, theme, layout and focus. With `run`, also emulates and waits for it, and goes to the position.
[[nodiscard]] Status prepareWindow(MainWindow& window, const HeadlessRequest& request, bool run);

// --shot: the whole window as a user sees it.
[[nodiscard]] Status shootWindow(const HeadlessRequest& request, const QString& target);
// --charts: small plots, of the scenario's run or (--sweep) of a table that a sweep wrote.
struct ChartsRequest {
    QString target, format = QStringLiteral("svg"), sweep;
    double scale = 1;
};
[[nodiscard]] Status drawCharts(const HeadlessRequest& request, const ChartsRequest& charts);
// --read: the live accessible tree of one view, printed.
[[nodiscard]] Status readView(const HeadlessRequest& request, const QString& view);

} // namespace flashstep::ui
