// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

#include <memory>
#include <thread>

namespace flashstep {
class Causes;
struct Run;
} // namespace flashstep

namespace flashstep::ui {

class Document;

// What takes a pass over the whole trace, made once per run when it is first asked for: at once where the run is small,
// else on a worker.
class Insight : public QObject {
    Q_OBJECT
public:
    explicit Insight(const Document& document, QObject* parent = nullptr);
    ~Insight() override;

    // Who led to what in the document's run; null while it is being made, and where nothing is open.
    [[nodiscard]] const Causes* causes();
    [[nodiscard]] bool settled() const { return !m_running; } // nothing is under way

signals:
    void ready();

private:
    struct Made;
    void make();

    const Document& m_document;
    std::shared_ptr<const Made> m_made;
    bool m_running = false;
    std::jthread m_worker; // last: joined before anything it reports to is gone
};

} // namespace flashstep::ui
