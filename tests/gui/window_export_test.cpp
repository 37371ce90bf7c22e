// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/export_dialog.h"

#include "core/emulation/run.h"
#include "ui/actions.h"
#include "ui/paint/export.h"
#include "ui/text.h"
#include "ui/views/export_dialog.h"
#include "ui/views/export_form.h"
#include "ui/views/export_preview.h"
#include "ui/views/notice_bar.h"
#include "ui/views/stage_view.h"
#include "ui/views/tile_canvas.h"
#include "ui/views/timeline_canvas.h"

#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPushButton>
#include <QSettings>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;
using namespace flashstep::test;

// The dialog and what it writes. With FLASHSTEP_PICTURES=FOLDER it is also written there as pictures.
class WindowExport : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void asksForWhatTheFormatTakes();
    void badValueIsSaidAtItsField_data();
    void badValueIsSaidAtItsField();
    void beginsAtTheViewInHand();
    void menusOfTheCanvasesOfferIt();
    void beginsWithTheLastChoices();
    void lastingChoicesAreKeptAndPlacesAreNot();
    void stretchOfTheTimelineIsOffered();
    void everyControlHasANameAndIsReachedByTab();
    void enterAsksForAFileAndEscapeCloses();
    void fitsSmallWindowsAndLargeLetters_data();
    void fitsSmallWindowsAndLargeLetters();
    void previewFollowsTheChoices();

private:
    static void keep(QWidget& widget, const QString& name);

    QTemporaryDir m_folder;
};

void WindowExport::keep(QWidget& widget, const QString& name)
{
    const QByteArray folder = qgetenv("FLASHSTEP_PICTURES");
    if (folder.isEmpty())
        return;
    QTest::qWait(600); // the preview
    QVERIFY(
        widget.grab().save(QDir(QString::fromLocal8Bit(folder)).filePath(QStringLiteral("export_%1.png").arg(name))));
}

void WindowExport::asksForWhatTheFormatTakes()
{
    using F = ExportField;
    const std::map<QString, std::set<F>> expected {
        { QStringLiteral("perfetto"), { F::Range } },
        { QStringLiteral("chrome"), { F::Range } },
        { QStringLiteral("kanata"), { F::Range } },
        { QStringLiteral("csv"), { F::Table, F::Range } },
        { QStringLiteral("npz"), { F::Moment } },
        { QStringLiteral("gif"), { F::View, F::Theme, F::Size, F::Scale, F::Level, F::Fps, F::Range, F::Cta } },
        { QStringLiteral("html"), { F::View, F::Theme, F::Size, F::Scale, F::Level, F::Range, F::Cta } },
        { QStringLiteral("svg"), { F::View, F::Theme, F::Size, F::Range, F::Moment, F::Cta } },
        { QStringLiteral("png"), { F::View, F::Theme, F::Size, F::Scale, F::Range, F::Moment, F::Cta } },
    };
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = openExport(*window, QString(), QStringLiteral("timeline"));
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
    setField(*dialog, F::Range, QStringLiteral("From … to …"));
    QVERIFY(dialog->form().field(F::From) && dialog->form().field(F::To));
    setField(*dialog, F::View, QStringLiteral("Tiles")); // of one moment: no range
    QVERIFY(!dialog->form().field(F::Range) && !dialog->form().field(F::From));
    QVERIFY(dialog->options().from.empty());
    setField(*dialog, F::View, QStringLiteral("Figure")); // of a whole run, until its panels are chosen
    QVERIFY(dialog->form().field(F::Panels) && dialog->form().field(F::Cta));
    QVERIFY(!dialog->form().field(F::Range) && !dialog->form().field(F::Moment));
    setField(*dialog, F::Panels, QStringLiteral("tiles,memory"));
    QVERIFY(!dialog->form().field(F::Range) && dialog->form().field(F::Moment));
    setField(*dialog, F::Panels, QStringLiteral("tiles,timeline"));
    QVERIFY(dialog->form().field(F::Range) && dialog->form().field(F::Moment));
    QVERIFY(canWrite(*dialog));
    setField(*dialog, F::Panels, QStringLiteral("tiles,painting"));
    QVERIFY(!canWrite(*dialog));
    QVERIFY(dialog->form().field(F::Panels)->accessibleDescription().contains(QStringLiteral("painting")));
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
    ExportDialog* dialog = openExport(*window, QStringLiteral("png"), QStringLiteral("timeline"));
    setField(*dialog, ExportField::Range, QStringLiteral("From … to …"));
    setField(*dialog, ExportField::From, QStringLiteral("1000cy"));
    setField(*dialog, ExportField::Moment, QStringLiteral("At …"));
    QVERIFY(canWrite(*dialog));
    QWidget* widget = dialog->form().field(static_cast<ExportField>(field));
    setField(*dialog, static_cast<ExportField>(field), bad);
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
    setField(*dialog, static_cast<ExportField>(field), good);
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

void WindowExport::menusOfTheCanvasesOfferIt()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    const auto choose = [&](std::unique_ptr<QMenu> menu, const char* view) {
        for (QAction* action : menu->actions())
            if (action->text() == QStringLiteral("Export this view …"))
                action->trigger();
        auto* dialog = window->findChild<ExportDialog*>();
        QVERIFY(dialog);
        QCOMPARE(dialog->options().view, std::string(view));
        dialog->reject();
        QTRY_VERIFY(!window->findChild<ExportDialog*>());
    };
    choose(window->stage().tiles()->menuOf(6, 5), "tiles");
    choose(window->timeline().menuAt(QPointF(300, 60)), "timeline");
}

void WindowExport::beginsWithTheLastChoices()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = openExport(*window, QStringLiteral("png"), QStringLiteral("memory"));
    setField(*dialog, ExportField::Theme, QStringLiteral("Dark"));
    setField(*dialog, ExportField::Size, QStringLiteral("640x480"));
    QSignalSpy written(&window->exporter(), &ExportController::written);
    window->writeFrom(*dialog, m_folder.filePath(QStringLiteral("last.png")));
    QVERIFY(!written.isEmpty() || written.wait(30000));
    QTRY_VERIFY(!window->findChild<ExportDialog*>());
    dialog = openExport(*window, QString(), QString());
    QCOMPARE(dialog->options().format, std::string("png"));
    QCOMPARE(dialog->options().view, std::string("memory"));
    QCOMPARE(dialog->options().theme, std::string("dark"));
    QCOMPARE(dialog->options().size, std::string("640x480"));
    QVERIFY(window->exportNotice().text().contains(QStringLiteral("last.png")));
}

void WindowExport::lastingChoicesAreKeptAndPlacesAreNot()
{
    QSettings settings(m_folder.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat);
    QVERIFY(rememberedExport(settings).format.empty());
    ExportOptions options;
    options.format = "png";
    options.view = "memory";
    options.size = "640x480";
    options.at = "1200cy";
    options.cta = "3";
    rememberExport(settings, options);
    settings.sync();
    const ExportOptions again = rememberedExport(settings);
    QCOMPARE(again.format, options.format);
    QCOMPARE(again.view, options.view);
    QCOMPARE(again.size, options.size);
    QVERIFY(again.at.empty() && again.cta.empty() && again.theme.empty());
    // What a later version wrote there does no harm.
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    options.format = "hologram";
    options.view = "smell";
    options.size = "large";
    ExportContext context { window->session().document.run(), {}, window->session().document.file(), {}, {}, {}, {},
        {} };
    const ExportDialog dialog(context, options, window->session().appearance, window.get());
    QCOMPARE(dialog.options().format, std::string("svg"));
    QCOMPARE(dialog.options().view, std::string("timeline"));
    QVERIFY(!canWrite(dialog)); // the size is said at its field
}

void WindowExport::stretchOfTheTimelineIsOffered()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    paint::TimelineView view = window->timeline().view();
    view.from = 1000.4;
    view.to = 3000.2;
    window->timeline().setView(view);
    ExportDialog* dialog = openExport(*window, QStringLiteral("csv"), QString());
    setField(*dialog, ExportField::Range, QStringLiteral("What the timeline shows"));
    QCOMPARE(dialog->options().from, std::string("1000cy"));
    QCOMPARE(dialog->options().to, std::string("3001cy"));
    QVERIFY(canWrite(*dialog));
}

void WindowExport::everyControlHasANameAndIsReachedByTab()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    ExportDialog* dialog = openExport(*window, QStringLiteral("png"), QStringLiteral("timeline"));
    setField(*dialog, ExportField::Range, QStringLiteral("From … to …"));
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
    ExportDialog* dialog = openExport(*window, QStringLiteral("csv"), QString());
    dialog->disconnect(window.get()); // no file dialog here
    QSignalSpy asked(dialog, &ExportDialog::writeAsked);
    QApplication::setActiveWindow(dialog);
    QTest::keyClick(dialog->findChild<QListWidget*>(), Qt::Key_Return);
    QCOMPARE(asked.count(), 1);
    QTest::keyClick(dialog->form().field(ExportField::Table), Qt::Key_Return);
    QCOMPARE(asked.count(), 2);
    setField(*dialog, ExportField::Range, QStringLiteral("From … to …"));
    setField(*dialog, ExportField::From, QStringLiteral("nowhere"));
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
    ExportDialog* dialog = openExport(*window, QStringLiteral("png"), QStringLiteral("timeline"));
    setField(*dialog, ExportField::Range, QStringLiteral("From … to …"));
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
    ExportDialog* dialog = openExport(*window, QStringLiteral("svg"), QStringLiteral("tiles"));
    QTRY_VERIFY_WITH_TIMEOUT(!dialog->preview().image().isNull(), 20000);
    const QImage tiles = dialog->preview().image();
    QSignalSpy drawn(&dialog->preview(), &ExportPreview::drawn);
    setField(*dialog, ExportField::Theme, QStringLiteral("Dark"));
    QVERIFY(drawn.wait(20000));
    const QImage dark = dialog->preview().image();
    QCOMPARE(dark.size(), tiles.size());
    QVERIFY(qGray(dark.pixel(2, 2)) < 64 && qGray(tiles.pixel(2, 2)) > 192);
    dialog->choose(QStringLiteral("csv"));
    QVERIFY(dialog->preview().image().isNull());
    QVERIFY(drawn.wait(20000));
    QCOMPARE(dialog->preview().rows().size(), 15);
    setField(*dialog, ExportField::Table, QStringLiteral("Spans"));
    QVERIFY(drawn.wait(20000));
    const QStringList rows = dialog->preview().rows();
    writeAndWait(*window, m_folder.filePath(QStringLiteral("spans.csv")));
    QCOMPARE(rows.join(QStringLiteral("\n")).toUtf8(),
        contents(m_folder.filePath(QStringLiteral("spans.csv"))).left(rows.join(QStringLiteral("\n")).size()));
}

QTEST_MAIN(WindowExport)
#include "window_export_test.moc"
