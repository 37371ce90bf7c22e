// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/scenario.h"
#include "ui/places.h"

#include <QUndoCommand>

#include <functional>

namespace flashstep::ui {

// What the user changed, to be taken back and done again. Where the run stands is not among it: that is what stepping
// is for.

// Another scenario for the same document. The first redo is the change itself, which has happened already.
class ScenarioChange : public QUndoCommand {
public:
    using Start = std::function<void(const ScenarioFile&)>;
    ScenarioChange(ScenarioFile before, ScenarioFile after, Start start);
    void undo() override { m_start(m_before); }
    void redo() override;

    // "what-if", "dtype", "gpu": the keys in which two scenarios differ, at most three of them by name.
    [[nodiscard]] static QString difference(const ScenarioFile& before, const ScenarioFile& after);

private:
    ScenarioFile m_before, m_after;
    Start m_start;
    bool m_done = true;
};

class PlacesChange : public QUndoCommand {
public:
    PlacesChange(Places& places, Places::All before, const QString& what);
    void undo() override { m_places.set(m_before); }
    void redo() override { m_places.set(m_after); }

private:
    Places& m_places;
    Places::All m_before, m_after;
};

} // namespace flashstep::ui
