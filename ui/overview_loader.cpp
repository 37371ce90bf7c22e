// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/overview_loader.h"

#include "core/io/overview.h"

namespace flashstep::ui {

namespace {

std::shared_ptr<const Overview>& known()
{
    static std::shared_ptr<const Overview> overview; // the window's thread alone looks at it
    return overview;
}

} // namespace

OverviewLoader::OverviewLoader(QObject* parent)
    : QObject(parent)
{
}

OverviewLoader::~OverviewLoader()
{
    m_worker = {};
}

const std::shared_ptr<const Overview>& OverviewLoader::overview() const
{
    return known();
}

void OverviewLoader::start()
{
    if (m_running || known())
        return;
    m_running = true;
    m_failure.clear();
    m_worker = std::jthread([this](const std::stop_token& stop) {
        OverviewRequest request;
        request.algorithms = { "fa1", "fa2", "fa3", "fa4" };
        auto made = std::make_shared<Result<Overview>>(flashstep::overview(request, shippedResults(), { stop, {} }));
        if (stop.stop_requested())
            return;
        QMetaObject::invokeMethod(
            this,
            [this, made] {
                m_running = false;
                if (*made)
                    known() = std::make_shared<const Overview>(std::move(*made).value());
                else
                    m_failure = QString::fromStdString(made->error().line());
                emit loaded();
            },
            Qt::QueuedConnection);
    });
}

} // namespace flashstep::ui
