// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/insights.h"

#include "core/emulation/run.h"
#include "ui/document.h"
#include "ui/paint/memory_traffic.h"

namespace flashstep::ui {

struct Insights::Job {
    std::shared_ptr<const Run> run;
    std::shared_ptr<const Causes> causes;
    CtaId cta; // none(): the causes alone
    std::shared_ptr<const CriticalPath> path;

    void perform()
    {
        // The causes refer to the trace, so they hold on to the run.
        if (!causes)
            causes = std::shared_ptr<const Causes>(
                new Causes(*run->trace), [kept = run](const Causes* made) { delete made; }); // NOLINT
        if (cta.valid())
            path = std::make_shared<const CriticalPath>(criticalPath(*run, *causes, cta));
    }
};

Insights::Insights(const Document& document, QObject* parent)
    : QObject(parent)
    , m_document(document)
{
    connect(&document, &Document::replaced, this, &Insights::forget);
}

Insights::~Insights() = default;

void Insights::forget()
{
    m_run = m_document.run();
    m_causes.reset();
    m_paths.clear();
    m_dependencies.clear();
    m_traffic.reset();
    m_counting = false;
    m_working = false; // what is under way is of another run, and will not be taken
    m_asked = CtaId::none();
}

bool Insights::small() const
{
    return m_run->trace->end().value <= smallRun;
}

std::shared_ptr<const Causes> Insights::causes()
{
    if (m_run && !m_causes)
        work(CtaId::none());
    return m_causes;
}

std::shared_ptr<const CriticalPath> Insights::path(CtaId cta)
{
    if (!m_run || !cta.valid() || !m_run->trace->hasEvents(cta))
        return nullptr;
    const auto known = m_paths.find(cta);
    if (known != m_paths.end())
        return known->second;
    work(cta);
    const auto now = m_paths.find(cta);
    return now == m_paths.end() ? nullptr : now->second;
}

const Dependencies& Insights::dependencies(CtaId cta)
{
    std::unique_ptr<const Dependencies>& known = m_dependencies[cta];
    if (!known)
        known = std::make_unique<const Dependencies>(*m_run->trace, cta);
    return *known;
}

std::shared_ptr<const paint::MemoryTraffic> Insights::traffic()
{
    if (!m_run || m_traffic || m_counting)
        return m_traffic;
    const auto count = [](const std::shared_ptr<const Run>& run) {
        return std::shared_ptr<const paint::MemoryTraffic>(new paint::MemoryTraffic(*run->trace, run->gpu),
            [kept = run](const paint::MemoryTraffic* made) { delete made; }); // NOLINT
    };
    if (small()) {
        m_traffic = count(m_run);
        return m_traffic;
    }
    m_counting = true;
    auto job = std::make_shared<Job>();
    m_workers.emplace(job, [this, job, count, run = m_run] {
        auto made = count(run);
        QMetaObject::invokeMethod(
            this,
            [this, job, made, run] {
                m_workers.erase(job);
                if (run != m_run)
                    return;
                m_counting = false;
                m_traffic = made;
                emit changed();
            },
            Qt::QueuedConnection);
    });
    return m_traffic;
}

void Insights::work(CtaId cta)
{
    if (m_working) {
        m_asked = cta.valid() ? cta : m_asked;
        return;
    }
    auto job = std::make_shared<Job>(Job { m_run, m_causes, cta, nullptr });
    if (small()) {
        job->perform();
        m_causes = job->causes;
        if (job->path)
            m_paths[cta] = job->path;
        return;
    }
    m_working = true;
    m_workers.emplace(job, [this, job] {
        job->perform();
        QMetaObject::invokeMethod(
            this, [this, job] { take(job); }, Qt::QueuedConnection);
    });
}

void Insights::take(const std::shared_ptr<Job>& job)
{
    m_workers.erase(job); // it has reported, so this waits for nobody
    if (job->run != m_run)
        return;
    m_working = false;
    m_causes = job->causes;
    if (job->path)
        m_paths[job->cta] = job->path;
    if (const CtaId next = std::exchange(m_asked, CtaId::none()); next.valid() && !m_paths.count(next))
        work(next);
    emit changed();
}

} // namespace flashstep::ui
