// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/insight.h"

#include "core/emulation/run.h"
#include "core/trace/causes.h"
#include "ui/document.h"

namespace flashstep::ui {

namespace {

constexpr std::size_t smallRun = 200'000; // bookings of engines: some ten milliseconds

} // namespace

struct Insight::Made {
    explicit Made(std::shared_ptr<const Run> of)
        : run(std::move(of))
        , causes(*run->trace)
    {
    }
    std::shared_ptr<const Run> run; // causes looks into it
    Causes causes;
};

Insight::Insight(const Document& document, QObject* parent)
    : QObject(parent)
    , m_document(document)
{
}

Insight::~Insight()
{
    m_worker = {};
}

const Causes* Insight::causes()
{
    if (m_document.empty())
        return nullptr;
    if (!m_made || m_made->run != m_document.run())
        make();
    return m_made && m_made->run == m_document.run() ? &m_made->causes : nullptr;
}

void Insight::make()
{
    const std::shared_ptr<const Run> run = m_document.run();
    if (run->trace->hops().size() < smallRun) {
        m_made = std::make_shared<const Made>(run);
        return;
    }
    if (m_running)
        return; // asked again when it has come
    m_running = true;
    m_worker = std::jthread([this, run] {
        auto made = std::make_shared<const Made>(run);
        QMetaObject::invokeMethod(
            this,
            [this, made] {
                m_running = false;
                m_made = made;
                emit ready();
            },
            Qt::QueuedConnection);
    });
}

} // namespace flashstep::ui
