// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/critical_path.h"
#include "core/trace/dependencies.h"

#include <QObject>

#include <map>
#include <memory>
#include <thread>

namespace flashstep::paint {
class MemoryTraffic;
}

namespace flashstep::ui {

class Document;

// What led to what in the open run. Who had each engine before costs a pass over the whole run: of a small one it is
// made when it is first asked for, of a large one on a worker, and until it is there the answer is "not yet". The rest
// costs what the CTA asked about is long, and is kept.
class Insights : public QObject {
    Q_OBJECT
public:
    explicit Insights(const Document& document, QObject* parent = nullptr);
    ~Insights() override;

    // Null: not yet; changed() tells when. The path too is made on the worker where the run is large.
    [[nodiscard]] std::shared_ptr<const Causes> causes();
    [[nodiscard]] std::shared_ptr<const CriticalPath> path(CtaId cta);
    [[nodiscard]] const Dependencies& dependencies(CtaId cta);
    // What L2 had of what was read, and what HBM had to give.
    [[nodiscard]] std::shared_ptr<const paint::MemoryTraffic> traffic();
    [[nodiscard]] bool busy() const { return m_working || m_counting; }

    static constexpr std::uint32_t smallRun = 150'000; // events, of which all of it takes a frame or two

signals:
    void changed(); // something that was asked for is there

private:
    struct Job; // what the worker was asked for, and what it found
    void forget();
    [[nodiscard]] bool small() const;
    void work(CtaId cta);
    void take(const std::shared_ptr<Job>& job);

    const Document& m_document;
    std::shared_ptr<const Run> m_run; // that all below is of; Causes refers to its trace
    std::shared_ptr<const Causes> m_causes;
    std::map<CtaId, std::shared_ptr<const CriticalPath>> m_paths;
    std::map<CtaId, std::unique_ptr<const Dependencies>> m_dependencies;
    std::shared_ptr<const paint::MemoryTraffic> m_traffic; // which refers to the trace too
    bool m_working = false, m_counting = false;
    CtaId m_asked; // next, once the worker is free
    std::map<std::shared_ptr<Job>, std::jthread> m_workers; // last: joined before anything they report to is gone
};

} // namespace flashstep::ui
