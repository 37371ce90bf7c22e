// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/kernel_headless.h"

#include "ui/appearance.h"
#include "ui/kernel/kernel_window.h"

#include <QApplication>
#include <QEventLoop>
#include <QImage>
#include <QSaveFile>

namespace flashstep::ui {

namespace {

void dress(Appearance& appearance, const HeadlessRequest& request)
{
    if (!request.theme.isEmpty())
        appearance.setChoice(
            request.theme == QStringLiteral("dark") ? Appearance::Choice::Dark : Appearance::Choice::Light);
}

// After a run is there: whose steps, which part in front, where.
Status place(KernelWindow& window, const HeadlessRequest& request, const KernelShot& shot)
{
    if (shot.anyWarp)
        window.state().followAny();
    else if (shot.cta < window.state().ctaCount() && shot.warp < window.state().warpCount())
        window.state().follow(shot.cta, shot.warp);
    else
        return Error { "there is no such warp", "--warp",
            "0 … " + std::to_string(window.state().ctaCount() - 1) + ":0 … "
                + std::to_string(window.state().warpCount() - 1) };
    if (!request.focus.isEmpty()) {
        if (const Status status = window.showTab(request.focus); !status)
            return status;
    }
    return request.at.isEmpty() ? Status(Nothing {}) : window.goTo(request.at);
}

} // namespace

Result<KernelRequest> kernelRequest(const HeadlessRequest& request, const KernelShot& shot)
{
    const cuda::KernelPlan* plan = cuda::findKernelPlan(shot.kernel);
    ScenarioFile file;
    if (!request.file.empty() || !request.given.empty()) {
        HeadlessRequest asked = request;
        if (asked.file.empty()) { // the options alone: nothing comes from the first sample
            for (const auto& [key, value] : asked.given) {
                if (const Status status = setOption(file, key, value); !status)
                    return status.error();
            }
        } else {
            Result<ScenarioFile> read = scenarioOf(asked);
            if (!read)
                return read.error();
            file = std::move(*read);
        }
    }
    if (plan != nullptr && request.file.empty())
        file = smallProblem(*plan, std::move(file));
    return KernelRequest { shot.kernel, std::move(file), shot.dropped };
}

Status shootKernel(const HeadlessRequest& request, const KernelShot& shot, const QString& target)
{
    Appearance appearance;
    dress(appearance, request);
    KernelWindow window(appearance);
    window.resize(request.size);
    window.show();
    const Result<KernelRequest> asked = kernelRequest(request, shot);
    if (!asked)
        return asked.error();
    QEventLoop loop;
    std::optional<Error> failure;
    QObject::connect(&window, &KernelWindow::shown, &loop, &QEventLoop::quit);
    QObject::connect(&window.runner(), &KernelRunner::failed, &loop, [&](const Error& error) {
        failure = error;
        loop.quit();
    });
    window.open(*asked);
    loop.exec();
    if (failure)
        return *failure;
    for (int k = 0; k < 3; ++k)
        QApplication::processEvents(QEventLoop::AllEvents, 50);
    if (const Status status = place(window, request, shot); !status)
        return status;
    for (int k = 0; k < 3; ++k)
        QApplication::processEvents(QEventLoop::AllEvents, 50);
    QImage image(window.size() * window.devicePixelRatioF(), QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(window.devicePixelRatioF());
    window.render(&image);
    QSaveFile file(target);
    if (!file.open(QIODevice::WriteOnly) || !image.convertToFormat(QImage::Format_RGB32).save(&file, "PNG")
        || !file.commit())
        return Error { file.errorString().toStdString(), target.toStdString(), "a file that can be written" };
    return Nothing {};
}

Result<int> showKernel(const HeadlessRequest& request, const KernelShot& shot)
{
    const Result<KernelRequest> asked = kernelRequest(request, shot);
    if (!asked)
        return asked.error();
    Appearance appearance;
    dress(appearance, request);
    KernelWindow window(appearance);
    window.resize(request.size);
    QObject::connect(&window, &KernelWindow::shown, &window, [&, first = true]() mutable {
        if (first)
            (void)place(window, request, shot);
        first = false;
    });
    window.open(*asked);
    window.show();
    return QApplication::exec();
}

} // namespace flashstep::ui
