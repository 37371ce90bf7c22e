// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/emulation/guess_effects.h"
#include "core/io/scenario.h"

#include <QObject>
#include <QString>

#include <memory>
#include <thread>

namespace flashstep {
struct Run;
}

namespace flashstep::ui {

// Everything one emulation needs, and what the document will say of itself when it has succeeded.
struct RunRequest {
    ScenarioFile file;
    QString path; // empty: never saved
    bool keepsPlace = false; // a knob was turned: stay at the same share of the run
    bool takesBack = false; // an undo or redo, which is no change to be remembered
};

// A finished run with its words and the scenario as it was stated.
struct RunOutcome {
    std::shared_ptr<const Run> run;
    Labels labels;
    RunRequest request;
};

// Runs emulations on a worker thread, one at a time: a new one cancels the old. Only the finished, immutable Run
// crosses the threads, in a queued signal; results of a run that has been replaced or cancelled are dropped.
class RunController : public QObject {
    Q_OBJECT
public:
    explicit RunController(QObject* parent = nullptr);
    ~RunController() override;

    [[nodiscard]] bool running() const { return m_running; }
    // Nothing is under way any more, guesses included.
    [[nodiscard]] bool settled() const { return !m_running && !m_guessing; }

public slots:
    void start(const flashstep::ui::RunRequest& request);
    void cancel();

signals:
    void started();
    void progressed(double fraction);
    void finished(const flashstep::ui::RunOutcome& outcome);
    void failed(const flashstep::Error& error);
    // After the run it belongs to, which need not wait for it: what its guesses do to its time.
    void guessed(const std::vector<flashstep::GuessEffect>& effects);
    void cancelled();

private:
    void deliver(int generation, const Result<RunOutcome>& result);

    int m_generation = 0;
    bool m_running = false, m_guessing = false;
    std::jthread m_worker; // last: joined before anything it reports to is gone
};

} // namespace flashstep::ui
