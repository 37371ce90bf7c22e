// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/op_differences.h"
#include "ui/paint/recording_source.h"
#include "ui/session.h"

#include <QWidget>

#include <memory>
#include <thread>

class QLabel;
class QTreeWidget;
class QTreeWidgetItem;

namespace flashstep {
struct Run;
struct Scenario;
} // namespace flashstep

namespace flashstep::ui {

// Whether a recording's scenario is what this run did: version, problem, tile, machine. Inputs do not count, the time
// of these kernels is the same with any.
[[nodiscard]] bool sameRun(const Scenario& recorded, const Run& run);

// What the opened recording and the schedule on show say of the same ops: a row for each kind, unfolded to its
// instances, and what has no partner. A click on an instance chooses that op of the schedule.
class DifferencesView : public QWidget {
    Q_OBJECT
public:
    DifferencesView(const Session& session, QWidget* parent);
    ~DifferencesView() override;

    // nullptr: none is open any more.
    void setRecording(std::shared_ptr<const paint::RecordingLanes> recording);
    [[nodiscard]] const OpDifferences* differences() const { return m_differences.get(); } // null: not (yet) known
    [[nodiscard]] QTreeWidget* table() { return m_table; }
    [[nodiscard]] QString statement() const;

signals:
    void refreshed();
    void chosen(flashstep::InstanceId instance);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void compute();
    void take(int generation, std::shared_ptr<const OpDifferences> differences, const QString& refusal);
    void fill();
    void unfold(QTreeWidgetItem* item);
    void addInstance(QTreeWidgetItem* parent, const OpPair& pair);
    void addAlone(const QString& title, const OpTimes& side, const std::vector<std::uint32_t>& rows, bool ofSchedule);
    void dress();
    void say(const QString& text);

    const Session m_session;
    std::shared_ptr<const paint::RecordingLanes> m_recording;
    std::shared_ptr<const OpDifferences> m_differences;
    QLabel* m_statement;
    QTreeWidget* m_table;
    int m_generation = 0;
    bool m_due = false; // put off until it can be seen
    std::jthread m_worker; // last
};

} // namespace flashstep::ui
