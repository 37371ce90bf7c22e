// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bench.h"
#include "ui/headless.h"
#include "ui/kernel/kernel_headless.h"
#include "ui/main_window.h"

#include <CLI/CLI.hpp>
#include <QApplication>
#include <QElapsedTimer>
#include <QSettings>
#include <QTimer>

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace {

using namespace flashstep;

constexpr int statusBadUse = 2;
constexpr const char* version = "0.1.0";

struct Arguments {
    ui::HeadlessRequest request;
    bool bench = false;
    std::string size = "1440x900", shot, read, at, theme, layout, focus;
    std::string charts, sweep, format = "svg";
    ui::KernelShot kernel;
    std::string warp;
    double scale = 1;
};

int refuse(const std::string& line)
{
    std::fprintf(stderr, "flashstep: %s\n", line.c_str());
    return statusBadUse;
}

// The same options as flashstep-cli, from the same table.
void addProblemOptions(CLI::App& app, ui::HeadlessRequest& request)
{
    app.add_option("--scenario", request.file, "everything below from a file; options given beside it win")
        ->type_name("F.json");
    for (const ScenarioOption& option : scenarioOptions()) {
        std::string name = "--" + std::string(option.key);
        std::replace(name.begin(), name.end(), '_', '-');
        const std::string key(option.key);
        const auto keep = [&request, key](const std::vector<std::string>& values) {
            for (const std::string& value : values)
                request.given.emplace_back(key, value);
        };
        CLI::Option* added = app.add_option_function<std::vector<std::string>>(name, keep, std::string(option.help));
        added->allow_extra_args(false)->type_name(std::string(option.value))->group("Problem and machine");
        added->multi_option_policy(option.repeats ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    }
}

void addOwnOptions(CLI::App& app, Arguments& arguments)
{
    app.add_option("FILE", arguments.request.file, "a scenario or a recording to open")->type_name("");
    app.add_option("--shot", arguments.shot, "write the whole window as a picture, then exit")->type_name("OUT.png");
    app.add_option("--read", arguments.read, "print what a screen reader is given of a view")->type_name("VIEW");
    app.add_flag("--bench", arguments.bench, "measure the window");
    app.add_option("--charts", arguments.charts, "draw small plots of the run, then exit")->type_name("OUT");
    app.add_option("--sweep", arguments.sweep, "--charts of a table that flashstep-cli sweep or merge wrote")
        ->type_name("F.csv");
    app.add_option("--format", arguments.format, "--charts: svg, pdf or png")->capture_default_str();
    app.add_option("--scale", arguments.scale, "--charts, --shot: pixels for each logical one")
        ->check(CLI::Range(0.25, 8.0))
        ->capture_default_str();
    app.add_option("--kernel", arguments.kernel.kernel, "a shipped kernel's own instructions, in a window of its own")
        ->type_name("NAME");
    app.add_option("--drop", arguments.kernel.dropped, "--kernel: leave out a line of its PTX, to see what goes wrong")
        ->type_name("LINE");
    app.add_option("--warp", arguments.warp, "--kernel: the warp on show, as CTA:WARP, or any")->type_name("C:W");
    app.add_flag("--json", arguments.request.json, "--read and --bench as JSON");
    app.add_option("--at", arguments.at, "where: 1204, end, 1200cy, 3.4us, first(rescale, i=2), block(i=2, n=1)")
        ->type_name("P");
    app.add_option("--size", arguments.size, "of the window")->type_name("WxH")->capture_default_str();
    app.add_option("--theme", arguments.theme, "light or dark; --charts: also print")
        ->check(CLI::IsMember({ "light", "dark", "print" }));
    app.add_option("--layout", arguments.layout, "learn, pipeline, numbers or present")
        ->check(CLI::IsMember({ "learn", "pipeline", "numbers", "present" }));
    app.add_option("--focus", arguments.focus, "the view in front")->type_name("VIEW");
    app.set_version_flag("--version", std::string("flashstep ") + version);
}

bool takeSize(const std::string& text, QSize& size)
{
    int width = 0;
    int height = 0;
    char rest = 0;
    if (std::sscanf(text.c_str(), "%dx%d%c", &width, &height, &rest) != 2 || width < 200 || height < 150
        || width > 16384 || height > 16384)
        return false;
    size = QSize(width, height);
    return true;
}

bool takeWarp(const std::string& text, ui::KernelShot& shot)
{
    shot.anyWarp = text == "any";
    char rest = 0;
    return text.empty() || shot.anyWarp || std::sscanf(text.c_str(), "%u:%u%c", &shot.cta, &shot.warp, &rest) == 2;
}

int showWindow(const ui::HeadlessRequest& request, bool bare)
{
    const bool hints = bare && !QSettings().value(QStringLiteral("hintsSeen")).toBool();
    ui::MainWindow window({ true, hints });
    if (const Status status = ui::prepareWindow(window, request, false); !status)
        return refuse(status.error().line());
    if (bare) {
        window.openSample(QStringLiteral("samples/licence-causal.json"));
    } else if (ui::opensRecording(request) && request.given.empty()) {
        window.open(QString::fromStdString(request.file));
    } else {
        const Result<ScenarioFile> file = ui::scenarioOf(request);
        if (!file)
            return refuse(file.error().line());
        // What is saved must not go over a recording.
        window.start({ *file, ui::opensRecording(request) ? QString() : QString::fromStdString(request.file), false });
        const QString at = request.at;
        QObject::connect(&window, &ui::MainWindow::runShown, &window, [&window, at, first = true]() mutable {
            if (first && !at.isEmpty())
                (void)window.goTo(at);
            first = false;
        });
    }
    window.show();
    return QApplication::exec();
}

} // namespace

int main(int argc, char** argv)
{
    QElapsedTimer sinceStart;
    sinceStart.start();
    Arguments arguments;
    CLI::App app { "Steps through FlashAttention on an emulated GPU", "flashstep" };
    addOwnOptions(app, arguments);
    addProblemOptions(app, arguments.request);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) { // --help, --version
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        std::string line = error.what();
        std::replace(line.begin(), line.end(), '\n', ' ');
        return refuse(line + " (--help lists the options)");
    }
    ui::HeadlessRequest& request = arguments.request;
    if (!takeSize(arguments.size, request.size))
        return refuse("--size: '" + arguments.size + "' is not accepted (WIDTHxHEIGHT, for example 1440x900)");
    if (!takeWarp(arguments.warp, arguments.kernel))
        return refuse("--warp: '" + arguments.warp + "' is not accepted (CTA:WARP, for example 0:2, or any)");
    request.at = QString::fromStdString(arguments.at);
    request.theme = QString::fromStdString(arguments.theme);
    request.layout = QString::fromStdString(arguments.layout);
    request.focus = QString::fromStdString(arguments.focus);

    const bool headless
        = !arguments.shot.empty() || !arguments.read.empty() || arguments.bench || !arguments.charts.empty();
    if (!arguments.shot.empty() && arguments.scale != 1)
        qputenv("QT_SCALE_FACTOR", QByteArray::number(arguments.scale));
    const bool display = qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY");
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM") && !display) {
        if (!headless)
            return refuse(
                "there is no display (DISPLAY and WAYLAND_DISPLAY are not set; --shot and flashstep-cli need none)");
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QCoreApplication::setAttribute(Qt::AA_EnableHighDpiScaling);
    QCoreApplication::setAttribute(Qt::AA_UseHighDpiPixmaps);
    QCoreApplication::setAttribute(Qt::AA_DontShowIconsInMenus);
    QCoreApplication::setOrganizationName(QStringLiteral("FlashStep"));
    QCoreApplication::setApplicationName(QStringLiteral("FlashStep"));
    QCoreApplication::setApplicationVersion(QString::fromLatin1(version));
    if (headless) // Qt's remarks on the desktop are nothing to a script
        qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& message) {
            if (type == QtCriticalMsg || type == QtFatalMsg)
                std::fprintf(stderr, "flashstep: %s\n", qPrintable(message));
        });
    int noArguments = 1;
    const QApplication application(noArguments, argv);

    Status status = Nothing {};
    if (arguments.bench)
        status = ui::bench(sinceStart, request.json);
    else if (!arguments.read.empty())
        status = ui::readView(request, QString::fromStdString(arguments.read));
    else if (!arguments.charts.empty())
        status = ui::drawCharts(request,
            { QString::fromStdString(arguments.charts), QString::fromStdString(arguments.format),
                QString::fromStdString(arguments.sweep), arguments.scale });
    else if (!arguments.shot.empty() && !arguments.kernel.kernel.empty())
        status = ui::shootKernel(request, arguments.kernel, QString::fromStdString(arguments.shot));
    else if (!arguments.kernel.kernel.empty()) {
        const Result<int> ended = ui::showKernel(request, arguments.kernel);
        return ended ? *ended : refuse(ended.error().line());
    } else if (!arguments.shot.empty())
        status = ui::shootWindow(request, QString::fromStdString(arguments.shot));
    else
        return showWindow(request, argc == 1);
    return status ? 0 : refuse(status.error().line());
}
