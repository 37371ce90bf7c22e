// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/export_dialog.h"

#include "core/emulation/run.h"
#include "ui/paint/export.h"
#include "ui/text.h"

#include <QProcess>
#include <QTemporaryDir>

using namespace flashstep;
using namespace flashstep::ui;
using namespace flashstep::test;

namespace {

ExportOptions optionsOf(const ExportFormat& format, std::string_view view)
{
    ExportOptions options;
    options.format = format.name;
    options.view = view;
    return options;
}

} // namespace

// The window, the command line and any thread write the same bytes.
class WindowExportBytes : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void writesTheBytesOfItsCommand_data();
    void writesTheBytesOfItsCommand();
    void changesThatAreNotSavedAreInTheCommand_data();
    void changesThatAreNotSavedAreInTheCommand();
    void picturesOnManyThreadsAreThoseOfOne();

private:
    static void compareWithCommand(MainWindow& window, ExportDialog& dialog);

    QTemporaryDir m_folder;
};

void WindowExportBytes::compareWithCommand(MainWindow& window, ExportDialog& dialog)
{
    QVERIFY2(canWrite(dialog), qPrintable(dialog.verdict()));
    const QTemporaryDir here, there;
    const QString command = dialog.command();
    const QString name = QString::fromStdString(dialog.options().out);
    writeAndWait(window, here.filePath(name));
    if (QTest::currentTestFailed())
        return;
    QProcess shell;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("PATH"),
        QStringLiteral(FLASHSTEP_BINARY_DIR "/bin:") + environment.value(QStringLiteral("PATH")));
    shell.setProcessEnvironment(environment);
    shell.setWorkingDirectory(there.path());
    shell.start(QStringLiteral("/bin/sh"), { QStringLiteral("-c"), command });
    QVERIFY(shell.waitForFinished(120000));
    QVERIFY2(shell.exitCode() == 0, (command.toUtf8() + "\n" + shell.readAllStandardError()).constData());
    const QByteArray window1 = contents(here.filePath(name)), shell1 = contents(there.filePath(name));
    QVERIFY(window1.size() > 100);
    QVERIFY2(window1 == shell1, qPrintable(command));
}

void WindowExportBytes::writesTheBytesOfItsCommand_data()
{
    QTest::addColumn<QString>("format");
    QTest::addColumn<QString>("view");
    for (const ExportFormat& format : exportFormats()) {
        if (!format.hasViews) {
            QTest::newRow(std::string(format.name).c_str()) << fromView(format.name) << QString();
            continue;
        }
        for (const std::string_view view : exportViews())
            if (!needsWidgets(view) && checkExport(optionsOf(format, view)))
                QTest::newRow((std::string(format.name) + " " + std::string(view)).c_str())
                    << fromView(format.name) << fromView(view);
    }
}

void WindowExportBytes::writesTheBytesOfItsCommand()
{
    QFETCH(QString, format);
    QFETCH(QString, view);
    if (const Status here = paint::checkHere(*findExportFormat(format.toStdString())); !here)
        QSKIP(here.error().line().c_str());
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = openExport(*window, format, {});
    dialog->choose(format);
    if (!view.isEmpty())
        setField(*dialog, ExportField::View, view.left(1).toUpper() + view.mid(1));
    if (dialog->form().field(ExportField::Level)) { // a short film, a few steps
        setField(*dialog, ExportField::Range, QStringLiteral("From … to …"));
        setField(*dialog, ExportField::From, QStringLiteral("block(i=6, n=1)"));
        setField(*dialog, ExportField::To, QStringLiteral("block(i=6, n=2)"));
        setField(*dialog, ExportField::Size, QStringLiteral("480x360"));
    }
    compareWithCommand(*window, *dialog);
}

void WindowExportBytes::changesThatAreNotSavedAreInTheCommand_data()
{
    QTest::addColumn<QStringList>("stated"); // in the file
    QTest::addColumn<QStringList>("changed"); // afterwards, in the window
    QTest::addColumn<bool>("beside"); // the file can be named, with options beside it
    const QStringList small { "seqlen_q=64", "tile=8x8", "cost_tile=128x128", "head_dim=64" };
    QTest::newRow("knob and mask") << small << QStringList { "what_if=mufu-rate=32", "mask=causal" } << true;
    QTest::newRow("break") << small << QStringList { "break=wait:K_landed" } << true;
    QTest::newRow("another version") << small << QStringList { "algorithm=fa3", "gpu=h100", "seqlen_q=128" } << true;
    QTest::newRow("another knob") << small + QStringList { "what_if=mufu-rate=32", "what_if=l2-mib=10" }
                                  << QStringList { "what_if=mufu-rate=64" } << true;
    QTest::newRow("heads") << small + QStringList { "heads=4", "kv_heads=2" } << QStringList { "seed=7" } << true;
    QTest::newRow("a knob less") << small + QStringList { "what_if=mufu-rate=32", "record=cta:1" }
                                 << QStringList { "-knobs", "heads=2" } << false;
    QTest::newRow("mended") << small + QStringList { "break=wait:K_landed" } << QStringList { "-breaks" } << false;
    QTest::newRow("never saved") << QStringList() << small + QStringList { "init=outliers", "mask=window:16,0" }
                                 << false;
}

void WindowExportBytes::changesThatAreNotSavedAreInTheCommand()
{
    QFETCH(QStringList, stated);
    QFETCH(QStringList, changed);
    QFETCH(bool, beside);
    const auto apply = [](ScenarioFile& file, const QStringList& options) {
        for (const QString& option : options)
            if (option == QStringLiteral("-knobs"))
                file.scenario.knobs.clear();
            else if (option == QStringLiteral("-breaks"))
                file.scenario.breaks.clear();
            else
                QVERIFY(setOption(file, option.section('=', 0, 0).toStdString(), option.section('=', 1).toStdString()));
    };
    ScenarioFile file;
    apply(file, stated);
    const QString path = stated.isEmpty() ? QString() : m_folder.filePath(QStringLiteral("it's mine.json"));
    if (!path.isEmpty()) {
        QFile out(path);
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write(scenarioText(file, m_folder.path().toStdString()).c_str());
    }
    apply(file, changed);
    MainWindow window({ false, false });
    window.resize(1440, 900);
    window.show();
    QSignalSpy shown(&window, &MainWindow::runShown);
    window.start({ file, path, false });
    QTRY_VERIFY_WITH_TIMEOUT(!shown.isEmpty(), 60000);
    window.session().playback.seek(Position { window.session().playback.end().value / 2 });
    window.places().addBookmark(window.session().playback.position(), QStringLiteral("here"));
    for (const char* format : { "svg", "chrome", "csv" }) {
        ExportDialog* dialog = openExport(window, QLatin1String(format), {});
        QCOMPARE(dialog->command().contains(QStringLiteral("--scenario")), beside);
        compareWithCommand(window, *dialog);
        if (QTest::currentTestFailed())
            return;
    }
}

// Two at once and more, while the window draws itself by the same painters.
void WindowExportBytes::picturesOnManyThreadsAreThoseOfOne()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    const Document& document = window->session().document;
    const QTemporaryDir folder;
    std::vector<ExportJob> jobs;
    std::vector<std::string_view> views(exportViews().begin(), exportViews().end());
    views.erase(std::remove_if(views.begin(), views.end(), needsWidgets), views.end());
    for (const char* format : { "svg", "pdf", "png" })
        for (const std::string_view view : views)
            for (const char* at : { "first(exp2, i=2)", "block(i=6, n=2)", "end" }) {
                ExportOptions options;
                options.format = format;
                options.view = view;
                options.at = at;
                options.theme = jobs.size() % 2 == 0 ? "dark" : "print";
                const Result<ExportRequest> request = understandExport(options, document.trace());
                QVERIFY(request);
                jobs.push_back({ document.run(), document.labels(), QStringLiteral("s.json"), *request,
                    folder.filePath(QString::number(jobs.size())) });
            }
    QSignalSpy written(&window->exporter(), &ExportController::written);
    for (const ExportJob& job : jobs)
        window->exporter().start(job);
    QVERIFY(window->exporter().running() >= 2);
    while (window->exporter().running() > 0) {
        window->session().playback.stepForward();
        QApplication::processEvents();
        (void)window->grab();
    }
    QCOMPARE(written.count(), static_cast<int>(jobs.size()));
    for (const ExportJob& job : jobs) { // and once more, on this thread alone
        const QString again = folder.filePath(QStringLiteral("again"));
        ExportJob alone = job;
        alone.path = again;
        QVERIFY(writeJob(alone, {}));
        const std::string which = std::string(job.request.format->name) + " of " + job.request.view;
        QVERIFY2(contents(again) == contents(job.path), which.c_str());
    }
}

QTEST_MAIN(WindowExportBytes)
#include "window_export_bytes_test.moc"
