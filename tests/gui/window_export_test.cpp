// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/open_window.h"

#include "core/emulation/run.h"
#include "ui/actions.h"
#include "ui/paint/export.h"
#include "ui/text.h"
#include "ui/views/export_dialog.h"
#include "ui/views/export_form.h"
#include "ui/views/export_preview.h"
#include "ui/views/notice_bar.h"
#include "ui/views/timeline_canvas.h"

#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QProcess>
#include <QPushButton>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;
using flashstep::test::openAt;

// The dialog and what it writes. With FLASHSTEP_PICTURES=FOLDER it is also written there as pictures.
class WindowExport : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void asksForWhatTheFormatTakes();
    void badValueIsSaidAtItsField_data();
    void badValueIsSaidAtItsField();
    void beginsAtTheViewInHand();
    void beginsWithTheLastChoices();
    void stretchOfTheTimelineIsOffered();
    void everyControlHasANameAndIsReachedByTab();
    void enterAsksForAFileAndEscapeCloses();
    void fitsSmallWindowsAndLargeLetters_data();
    void fitsSmallWindowsAndLargeLetters();
    void previewFollowsTheChoices();
    void writesTheBytesOfItsCommand_data();
    void writesTheBytesOfItsCommand();
    void changesThatAreNotSavedAreInTheCommand_data();
    void changesThatAreNotSavedAreInTheCommand();
    void picturesOnManyThreadsAreThoseOfOne();

private:
    static ExportDialog* open(MainWindow& window, const QString& format, const QString& view);
    static void set(ExportDialog& dialog, ExportField field, const QString& value);
    static void keep(QWidget& widget, const QString& name);
    static bool canWrite(const ExportDialog& dialog);
    static QByteArray contents(const QString& path);
    static void write(MainWindow& window, const QString& path);
    static void compareWithCommand(MainWindow& window, ExportDialog& dialog);

    QTemporaryDir m_folder;
};

ExportDialog* WindowExport::open(MainWindow& window, const QString& format, const QString& view)
{
    window.showExport(format, view);
    auto* dialog = window.findChild<ExportDialog*>();
    if (!dialog)
        qFatal("no dialog");
    QApplication::processEvents();
    return dialog;
}

void WindowExport::set(ExportDialog& dialog, ExportField field, const QString& value)
{
    QWidget* widget = dialog.form().field(field);
    if (auto* line = qobject_cast<QLineEdit*>(widget))
        return line->setText(value);
    auto* box = qobject_cast<QComboBox*>(widget);
    if (!box || box->findText(value) < 0)
        qFatal("no field that takes %s", qPrintable(value));
    box->setCurrentText(value);
}

void WindowExport::keep(QWidget& widget, const QString& name)
{
    const QByteArray folder = qgetenv("FLASHSTEP_PICTURES");
    if (folder.isEmpty())
        return;
    QTest::qWait(600); // the preview
    QVERIFY(
        widget.grab().save(QDir(QString::fromLocal8Bit(folder)).filePath(QStringLiteral("export_%1.png").arg(name))));
}

bool WindowExport::canWrite(const ExportDialog& dialog)
{
    for (const auto* button : dialog.findChildren<QPushButton*>())
        if (button->isDefault())
            return button->isEnabled();
    return false;
}

void WindowExport::asksForWhatTheFormatTakes()
{
    using F = ExportField;
    const std::map<QString, std::set<F>> expected {
        { QStringLiteral("perfetto"), { F::Range } },
        { QStringLiteral("chrome"), { F::Range } },
        { QStringLiteral("csv"), { F::Table, F::Range } },
        { QStringLiteral("svg"), { F::View, F::Theme, F::Size, F::Range, F::Moment, F::Cta } },
        { QStringLiteral("png"), { F::View, F::Theme, F::Size, F::Scale, F::Range, F::Moment, F::Cta } },
    };
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = open(*window, QString(), QStringLiteral("timeline"));
    for (const auto& [format, fields] : expected) {
        dialog->choose(format);
        for (int k = 0; k <= static_cast<int>(F::Cta); ++k) {
            const auto field = static_cast<F>(k);
            const QWidget* widget = dialog->form().field(field);
            QVERIFY2((widget != nullptr) == (fields.count(field) > 0),
                qPrintable(QStringLiteral("%1, field %2").arg(format).arg(k)));
            QVERIFY(!widget || widget->isVisible());
        }
        QVERIFY2(canWrite(*dialog), qPrintable(format));
        keep(*dialog, format);
    }
    dialog->choose(QStringLiteral("svg"));
    set(*dialog, F::Range, QStringLiteral("From … to …"));
    QVERIFY(dialog->form().field(F::From) && dialog->form().field(F::To));
    set(*dialog, F::View, QStringLiteral("Tiles")); // of one moment: no range
    QVERIFY(!dialog->form().field(F::Range) && !dialog->form().field(F::From));
    QVERIFY(dialog->options().from.empty());
    for (const ExportFormat& format : exportFormats()) { // whatever the table holds can be chosen
        dialog->choose(fromView(format.name));
        QCOMPARE(dialog->options().format, std::string(format.name));
    }
}

void WindowExport::badValueIsSaidAtItsField_data()
{
    QTest::addColumn<int>("field");
    QTest::addColumn<QString>("bad");
    QTest::addColumn<QString>("good");
    QTest::newRow("size") << static_cast<int>(ExportField::Size) << "1440"
                          << "800x600";
    QTest::newRow("small") << static_cast<int>(ExportField::Size) << "10x10"
                           << "200x200";
    QTest::newRow("scale") << static_cast<int>(ExportField::Scale) << "9"
                           << "1.5";
    QTest::newRow("from") << static_cast<int>(ExportField::From) << "block(i=99, n=1)"
                          << "block(i=3, n=1)";
    QTest::newRow("to") << static_cast<int>(ExportField::To) << "1200 apples"
                        << "1200cy";
    QTest::newRow("before") << static_cast<int>(ExportField::To) << "0"
                            << "end";
    QTest::newRow("at") << static_cast<int>(ExportField::At) << "first(exp3)"
                        << "first(exp2, i=2)";
    QTest::newRow("cta") << static_cast<int>(ExportField::Cta) << "99999"
                         << "1";
}

void WindowExport::badValueIsSaidAtItsField()
{
    QFETCH(int, field);
    QFETCH(QString, bad);
    QFETCH(QString, good);
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = open(*window, QStringLiteral("png"), QStringLiteral("timeline"));
    set(*dialog, ExportField::Range, QStringLiteral("From … to …"));
    set(*dialog, ExportField::From, QStringLiteral("1000cy"));
    set(*dialog, ExportField::Moment, QStringLiteral("At …"));
    QVERIFY(canWrite(*dialog));
    QWidget* widget = dialog->form().field(static_cast<ExportField>(field));
    set(*dialog, static_cast<ExportField>(field), bad);
    QVERIFY(!canWrite(*dialog));
    QVERIFY(!dialog->request());
    const QString line = widget->accessibleDescription();
    QVERIFY(!line.isEmpty() && !line.contains(QLatin1Char('\n')));
    QLabel* shown = nullptr;
    for (auto* label : dialog->form().findChildren<QLabel*>())
        if (label->isVisible() && label->text() == line)
            shown = label;
    QVERIFY(shown);
    QApplication::processEvents();
    QVERIFY(shown->y() >= widget->geometry().bottom()); // under its field
    keep(*dialog, QStringLiteral("bad_%1").arg(QLatin1String(QTest::currentDataTag())));
    set(*dialog, static_cast<ExportField>(field), good);
    QVERIFY2(canWrite(*dialog), qPrintable(widget->accessibleDescription()));
    QVERIFY(!shown->isVisible());
    QVERIFY(dialog->command().contains(good));
}

void WindowExport::beginsAtTheViewInHand()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    for (const char* name : { "timeline", "ledger", "memory", "tiles" }) {
        QApplication::setActiveWindow(window.get());
        window->showView(QString::fromLatin1(name));
        window->actions().action(QStringLiteral("export.view"))->trigger();
        auto* dialog = window->findChild<ExportDialog*>();
        QVERIFY(dialog);
        QCOMPARE(dialog->options().view, std::string(name));
        QCOMPARE(dialog->options().at, std::to_string(window->session().playback.position().value));
        QCOMPARE(dialog->options().cta, std::to_string(window->session().selection.cta().index()));
        dialog->reject();
        QTRY_VERIFY(!window->findChild<ExportDialog*>());
    }
}

void WindowExport::beginsWithTheLastChoices()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = open(*window, QStringLiteral("png"), QStringLiteral("memory"));
    set(*dialog, ExportField::Theme, QStringLiteral("Dark"));
    set(*dialog, ExportField::Size, QStringLiteral("640x480"));
    QSignalSpy written(&window->exporter(), &ExportController::written);
    window->writeFrom(*dialog, m_folder.filePath(QStringLiteral("last.png")));
    QVERIFY(!written.isEmpty() || written.wait(30000));
    QTRY_VERIFY(!window->findChild<ExportDialog*>());
    dialog = open(*window, QString(), QString());
    QCOMPARE(dialog->options().format, std::string("png"));
    QCOMPARE(dialog->options().view, std::string("memory"));
    QCOMPARE(dialog->options().theme, std::string("dark"));
    QCOMPARE(dialog->options().size, std::string("640x480"));
    QVERIFY(window->exportNotice().text().contains(QStringLiteral("last.png")));
}

void WindowExport::stretchOfTheTimelineIsOffered()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    paint::TimelineView view = window->timeline().view();
    view.from = 1000.4;
    view.to = 3000.2;
    window->timeline().setView(view);
    ExportDialog* dialog = open(*window, QStringLiteral("csv"), QString());
    set(*dialog, ExportField::Range, QStringLiteral("What the timeline shows"));
    QCOMPARE(dialog->options().from, std::string("1000cy"));
    QCOMPARE(dialog->options().to, std::string("3001cy"));
    QVERIFY(canWrite(*dialog));
}

void WindowExport::everyControlHasANameAndIsReachedByTab()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = open(*window, QStringLiteral("png"), QStringLiteral("timeline"));
    set(*dialog, ExportField::Range, QStringLiteral("From … to …"));
    QApplication::setActiveWindow(dialog);
    QSet<QWidget*> wanted;
    for (auto* widget : dialog->findChildren<QWidget*>())
        if (widget->isVisible() && (widget->focusPolicy() & Qt::TabFocus) && widget->isEnabled()) {
            wanted.insert(widget);
            const auto* button = qobject_cast<QPushButton*>(widget);
            QVERIFY2(!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty()),
                widget->metaObject()->className());
        }
    QVERIFY(wanted.size() >= 12);
    QSet<QWidget*> visited;
    int lowest = -1;
    bool downwards = true;
    QTRY_VERIFY(QApplication::focusWidget());
    for (int k = 0; k < wanted.size(); ++k) {
        QWidget* at = QApplication::focusWidget();
        visited.insert(at);
        if (dialog->form().isAncestorOf(at)) {
            downwards = downwards && at->y() > lowest;
            lowest = at->y();
        }
        QTest::keyClick(at, Qt::Key_Tab);
    }
    QVERIFY(downwards);
    QCOMPARE(visited, wanted);
}

void WindowExport::enterAsksForAFileAndEscapeCloses()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = open(*window, QStringLiteral("csv"), QString());
    dialog->disconnect(window.get()); // no file dialog here
    QSignalSpy asked(dialog, &ExportDialog::writeAsked);
    QApplication::setActiveWindow(dialog);
    QTest::keyClick(dialog->findChild<QListWidget*>(), Qt::Key_Return);
    QCOMPARE(asked.count(), 1);
    QTest::keyClick(dialog->form().field(ExportField::Table), Qt::Key_Return);
    QCOMPARE(asked.count(), 2);
    set(*dialog, ExportField::Range, QStringLiteral("From … to …"));
    set(*dialog, ExportField::From, QStringLiteral("nowhere"));
    QTest::keyClick(dialog->form().field(ExportField::From), Qt::Key_Return);
    QCOMPARE(asked.count(), 2);
    QTest::keyClick(dialog, Qt::Key_Escape);
    QTRY_VERIFY(!window->findChild<ExportDialog*>());
}

void WindowExport::fitsSmallWindowsAndLargeLetters_data()
{
    QTest::addColumn<QSize>("size");
    QTest::addColumn<double>("scale");
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << QSize(1440, 900) << 1.0 << false;
    QTest::newRow("dark") << QSize(1440, 900) << 1.0 << true;
    QTest::newRow("small") << QSize(1024, 700) << 1.0 << false;
    QTest::newRow("small and large letters") << QSize(1024, 700) << 1.5 << true;
}

void WindowExport::fitsSmallWindowsAndLargeLetters()
{
    QFETCH(QSize, size);
    QFETCH(double, scale);
    QFETCH(bool, dark);
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    window->session().appearance.setChoice(dark ? Appearance::Choice::Dark : Appearance::Choice::Light);
    window->session().appearance.setScale(scale);
    window->resize(size);
    ExportDialog* dialog = open(*window, QStringLiteral("png"), QStringLiteral("timeline"));
    set(*dialog, ExportField::Range, QStringLiteral("From … to …"));
    QApplication::processEvents();
    QVERIFY2(dialog->width() <= size.width() && dialog->height() <= size.height(),
        qPrintable(QStringLiteral("%1 x %2").arg(dialog->width()).arg(dialog->height())));
    for (const auto* button : dialog->findChildren<QPushButton*>())
        QVERIFY(dialog->rect().contains(QRect(button->mapTo(dialog, QPoint()), button->size())));
    keep(*dialog, QString::fromLatin1(QTest::currentDataTag()).replace(QLatin1Char(' '), QLatin1Char('_')));
}

void WindowExport::previewFollowsTheChoices()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = open(*window, QStringLiteral("svg"), QStringLiteral("tiles"));
    QTRY_VERIFY_WITH_TIMEOUT(!dialog->preview().image().isNull(), 20000);
    const QImage tiles = dialog->preview().image();
    QSignalSpy drawn(&dialog->preview(), &ExportPreview::drawn);
    set(*dialog, ExportField::Theme, QStringLiteral("Dark"));
    QVERIFY(drawn.wait(20000));
    const QImage dark = dialog->preview().image();
    QCOMPARE(dark.size(), tiles.size());
    QVERIFY(qGray(dark.pixel(2, 2)) < 64 && qGray(tiles.pixel(2, 2)) > 192);
    dialog->choose(QStringLiteral("csv"));
    QVERIFY(dialog->preview().image().isNull());
    QVERIFY(drawn.wait(20000));
    QCOMPARE(dialog->preview().rows().size(), 15);
    set(*dialog, ExportField::Table, QStringLiteral("Spans"));
    QVERIFY(drawn.wait(20000));
    const QStringList rows = dialog->preview().rows();
    write(*window, m_folder.filePath(QStringLiteral("spans.csv")));
    QCOMPARE(rows.join(QStringLiteral("\n")).toUtf8(),
        contents(m_folder.filePath(QStringLiteral("spans.csv"))).left(rows.join(QStringLiteral("\n")).size()));
}

QByteArray WindowExport::contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// What a person does after choosing: a name, then wait.
void WindowExport::write(MainWindow& window, const QString& path)
{
    auto* dialog = window.findChild<ExportDialog*>();
    QSignalSpy written(&window.exporter(), &ExportController::written);
    window.writeFrom(*dialog, path);
    QTRY_VERIFY_WITH_TIMEOUT(window.exporter().running() == 0, 120000);
    QVERIFY2(!written.isEmpty(), qPrintable(window.exportNotice().text()));
    QTRY_VERIFY(!window.findChild<ExportDialog*>());
}

void WindowExport::compareWithCommand(MainWindow& window, ExportDialog& dialog)
{
    QVERIFY2(canWrite(dialog), qPrintable(dialog.verdict()));
    const QTemporaryDir here, there;
    const QString command = dialog.command();
    const QString name = QString::fromStdString(dialog.options().out);
    write(window, here.filePath(name));
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

void WindowExport::writesTheBytesOfItsCommand_data()
{
    QTest::addColumn<QString>("format");
    QTest::addColumn<QString>("view");
    for (const ExportFormat& format : exportFormats()) {
        if (!format.hasViews) {
            QTest::newRow(std::string(format.name).c_str()) << fromView(format.name) << QString();
            continue;
        }
        for (const std::string_view view : exportViews())
            if (!needsWidgets(view))
                QTest::newRow((std::string(format.name) + " " + std::string(view)).c_str())
                    << fromView(format.name) << fromView(view);
    }
}

void WindowExport::writesTheBytesOfItsCommand()
{
    QFETCH(QString, format);
    QFETCH(QString, view);
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = open(*window, format, {});
    dialog->choose(format);
    if (!view.isEmpty())
        set(*dialog, ExportField::View, view.left(1).toUpper() + view.mid(1));
    if (dialog->form().field(ExportField::Fps)) { // a short film
        set(*dialog, ExportField::Range, QStringLiteral("From … to …"));
        set(*dialog, ExportField::From, QStringLiteral("block(i=6, n=1)"));
        set(*dialog, ExportField::To, QStringLiteral("block(i=6, n=2)"));
        set(*dialog, ExportField::Size, QStringLiteral("480x300"));
    }
    compareWithCommand(*window, *dialog);
}

void WindowExport::changesThatAreNotSavedAreInTheCommand_data()
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

void WindowExport::changesThatAreNotSavedAreInTheCommand()
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
        ExportDialog* dialog = open(window, QLatin1String(format), {});
        QCOMPARE(dialog->command().contains(QStringLiteral("--scenario")), beside);
        compareWithCommand(window, *dialog);
        if (QTest::currentTestFailed())
            return;
    }
}

// Two at once and more, while the window draws itself by the same painters.
void WindowExport::picturesOnManyThreadsAreThoseOfOne()
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

QTEST_MAIN(WindowExport)
#include "window_export_test.moc"
