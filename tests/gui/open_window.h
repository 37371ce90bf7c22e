// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/main_window.h"

#include <QApplication>
#include <QSignalSpy>

#include <memory>

namespace flashstep::test {

// A window of 1440 x 900 with the causal sample in it, at a moment.
inline std::unique_ptr<ui::MainWindow> openAt(const QString& position)
{
    auto window = std::make_unique<ui::MainWindow>(ui::MainWindow::Options { false, false });
    window->resize(1440, 900);
    window->show();
    QSignalSpy shown(window.get(), &ui::MainWindow::runShown);
    window->openSample(QStringLiteral("samples/licence-causal.json"));
    if (shown.isEmpty())
        shown.wait(30000);
    if (const Status found = window->goTo(position); !found)
        qFatal("%s", found.error().line().c_str());
    QApplication::processEvents();
    return window;
}

} // namespace flashstep::test
