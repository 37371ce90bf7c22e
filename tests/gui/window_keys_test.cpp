// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/gui/open_window.h"
#include "ui/actions.h"
#include "ui/main_window.h"
#include "ui/views/accessible.h"

#include <QAbstractScrollArea>
#include <QAccessible>
#include <QApplication>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QJsonObject>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTimer>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;
using flashstep::test::openAt;

class WindowKeys : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void noKeyDoesTwoThings();
    void everyActionIsInAMenu();
    void plainKeysActOnCanvasesOnly();
    void functionKeysActEverywhere();
    void f6VisitsEveryPaneOnce_data();
    void f6VisitsEveryPaneOnce();
    void focusIsSeenInBothThemes();
    void everyViewHasWords_data();
    void everyViewHasWords();
    void menuKeyOpensAMenu();

private:
    QTemporaryDir m_folder;
};

void WindowKeys::noKeyDoesTwoThings()
{
    MainWindow window({ false, false });
    QHash<QString, QString> owner;
    for (const QAction* action : window.findChildren<QAction*>())
        for (const QKeySequence& key : action->shortcuts()) {
            const QString text = key.toString(QKeySequence::PortableText);
            QVERIFY2(!owner.contains(text),
                qPrintable(QStringLiteral("%1: %2 and %3").arg(text, owner.value(text), action->objectName())));
            owner.insert(text, action->objectName());
        }
    QVERIFY(owner.size() > 40);
}

void WindowKeys::everyActionIsInAMenu()
{
    MainWindow window({ false, false });
    QSet<QAction*> inMenus;
    for (const QMenu* menu : window.menuBar()->findChildren<QMenu*>())
        for (QAction* action : menu->actions())
            inMenus.insert(action);
    for (QAction* action : window.actions().all()) {
        QVERIFY2(inMenus.contains(action), qPrintable(action->objectName()));
        for (const QString& key : window.actions().keysOf(action))
            QVERIFY2(action->text().contains(key), qPrintable(action->objectName()));
    }
}

void WindowKeys::plainKeysActOnCanvasesOnly()
{
    const auto window = openAt(QStringLiteral("0"));
    QApplication::setActiveWindow(window.get());
    Playback& playback = window->session().playback;
    for (const char* name : { "tiles", "timeline", "transport" }) {
        QWidget* canvas = window->view(QString::fromLatin1(name));
        canvas->setFocus();
        QTRY_VERIFY(canvas->hasFocus());
        const Position before = playback.position();
        QTest::keyClick(canvas, Qt::Key_Right);
        QVERIFY2(playback.position() > before, name);
    }
    const Position before = playback.position();
    auto* search = window->findChild<QLineEdit*>();
    QWidget* others[] = { window->view(QStringLiteral("source")), window->view(QStringLiteral("ledger")),
        window->view(QStringLiteral("outline")), window->findChild<QComboBox*>(), search };
    for (QWidget* other : others) {
        other->setFocus();
        QTRY_VERIFY(other->hasFocus());
        for (const int key : { Qt::Key_Right, Qt::Key_Home, Qt::Key_W, Qt::Key_BracketRight })
            QTest::keyClick(other, static_cast<Qt::Key>(key));
        QCOMPARE(playback.position().value, before.value);
    }
}

void WindowKeys::functionKeysActEverywhere()
{
    const auto window = openAt(QStringLiteral("0"));
    QApplication::setActiveWindow(window.get());
    Playback& playback = window->session().playback;
    QWidget* source = window->view(QStringLiteral("source"));
    source->setFocus();
    QTRY_VERIFY(source->hasFocus());
    QTest::keyClick(source, Qt::Key_F10);
    QVERIFY(playback.position().value > 0);
    QTest::keyClick(source, Qt::Key_F10, Qt::ShiftModifier);
    QCOMPARE(playback.position().value, 0U);
}

namespace {

// The panes in which something may be done or read by key.
QStringList panesOnShow(MainWindow& window)
{
    QStringList panes;
    for (const QString& name : MainWindow::viewNames())
        if (QWidget* pane = window.view(name);
            pane && name != QStringLiteral("welcome") && pane->isVisible() && !pane->visibleRegion().isEmpty())
            panes.append(name);
    return panes;
}

QString paneOf(MainWindow& window, const QStringList& panes, const QWidget* widget)
{
    for (const QString& name : panes)
        if (const QWidget* pane = window.view(name); pane == widget || pane->isAncestorOf(widget))
            return name;
    return {};
}

} // namespace

void WindowKeys::f6VisitsEveryPaneOnce_data()
{
    QTest::addColumn<QSize>("size");
    QTest::addColumn<int>("layout");
    for (const QSize& size : { QSize(1440, 900), QSize(1024, 700) })
        for (const Layout layout : { Layout::Learn, Layout::Pipeline, Layout::Numbers, Layout::Present })
            QTest::newRow(qPrintable(QStringLiteral("%1, layout %2").arg(size.width()).arg(static_cast<int>(layout))))
                << size << static_cast<int>(layout);
}

void WindowKeys::f6VisitsEveryPaneOnce()
{
    QFETCH(QSize, size);
    QFETCH(int, layout);
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    window->resize(size);
    window->setLayout(static_cast<Layout>(layout));
    QApplication::setActiveWindow(window.get());
    QApplication::processEvents();
    QTRY_VERIFY(QApplication::focusWidget() != nullptr);
    const QStringList panes = panesOnShow(*window);
    QVERIFY(panes.size() >= 4);
    for (const auto& [key, modifiers] : { std::pair(Qt::Key_F6, Qt::NoModifier), { Qt::Key_F6, Qt::ShiftModifier } }) {
        QMap<QString, int> visits;
        for (int k = 0; k < panes.size(); ++k) {
            QTest::keyClick(QApplication::focusWidget(), key, modifiers);
            QWidget* at = QApplication::focusWidget();
            QVERIFY(at != nullptr);
            const QString name = paneOf(*window, panes, at);
            QVERIFY2(!name.isEmpty(), at->metaObject()->className());
            ++visits[name];
        }
        for (const QString& name : panes)
            QVERIFY2(visits.value(name) == 1,
                qPrintable(QStringLiteral("%1: %2 of %3")
                               .arg(name)
                               .arg(visits.value(name))
                               .arg(panes.join(QLatin1Char(' ')))));
    }
}

// Where the focus is shows in the pane itself.
void WindowKeys::focusIsSeenInBothThemes()
{
    for (const auto choice : { Appearance::Choice::Light, Appearance::Choice::Dark }) {
        const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
        window->session().appearance.setChoice(choice);
        QApplication::setActiveWindow(window.get());
        for (const QString& name :
            { QStringLiteral("tiles"), QStringLiteral("numbers"), QStringLiteral("memory"), QStringLiteral("grid"),
                QStringLiteral("timeline"), QStringLiteral("transport"), QStringLiteral("explain"),
                QStringLiteral("ledger"), QStringLiteral("inspector"), QStringLiteral("why"), QStringLiteral("source"),
                QStringLiteral("outline"), QStringLiteral("bookmarks"), QStringLiteral("row"), QStringLiteral("exp"),
                QStringLiteral("glossary"), QStringLiteral("scenario") }) {
            window->showView(name);
            QApplication::processEvents();
            QWidget* pane = window->view(name);
            auto* elsewhere = window->findChild<QLineEdit*>();
            elsewhere->setFocus();
            QTRY_VERIFY(elsewhere->hasFocus());
            QApplication::processEvents();
            const QImage without = pane->grab().toImage();
            window->showView(name);
            QApplication::processEvents();
            const QWidget* at = QApplication::focusWidget();
            QVERIFY2(at == pane || pane->isAncestorOf(at), qPrintable(name));
            QVERIFY2(pane->grab().toImage() != without, qPrintable(name));
        }
    }
}

void WindowKeys::everyViewHasWords_data()
{
    QTest::addColumn<int>("rows"); // 0: nothing is open
    QTest::newRow("empty") << 0;
    QTest::newRow("one query") << 1;
    QTest::newRow("many") << 8192;
}

// What a screen reader is told, and --read writes: never nothing.
void WindowKeys::everyViewHasWords()
{
    QFETCH(int, rows);
    MainWindow window({ false, false });
    window.resize(1440, 900);
    window.show();
    if (rows > 0) {
        QSignalSpy shown(&window, &MainWindow::runShown);
        ScenarioFile file;
        file.scenario.algorithm = "fa3";
        file.scenario.problem.seqlenQ = rows;
        file.scenario.problem.seqlenK = std::max(64, rows);
        file.scenario.problem.headDim = file.scenario.problem.headDimV = 64;
        file.scenario.problem.heads = file.scenario.problem.kvHeads = rows > 1 ? 16 : 1;
        file.scenario.record.kind = rows > 1 ? Record::Kind::None : Record::Kind::All;
        window.start({ file, QString(), false });
        QTRY_VERIFY_WITH_TIMEOUT(shown.count() > 0, 60000);
    }
    for (const QString& name : MainWindow::viewNames()) {
        window.showView(name);
        QApplication::processEvents();
        QAccessibleInterface* root = QAccessible::queryAccessibleInterface(window.view(name));
        QVERIFY2(root != nullptr, qPrintable(name));
        const QString text = accessibleText(accessibleTree(root)).trimmed();
        QVERIFY2(text.contains(QLatin1Char('\n')), qPrintable(name + QStringLiteral(": ") + text));
    }
}

void WindowKeys::menuKeyOpensAMenu()
{
    const auto window = openAt(QStringLiteral("block(i=6, n=2)"));
    QApplication::setActiveWindow(window.get());
    QVERIFY(window->command(QStringLiteral("Keep this moment as a bookmark")));
    for (const char* name : { "tiles", "timeline", "source", "bookmarks" }) {
        QApplication::setActiveWindow(window.get());
        window->showView(QString::fromLatin1(name));
        QWidget* pane = window->view(QString::fromLatin1(name));
        QTRY_VERIFY2(pane->hasFocus(), name);
        bool opened = false;
        QTimer::singleShot(0, window.get(), [&] {
            if (auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget())) {
                opened = !menu->actions().isEmpty();
                menu->close();
            }
        });
        QContextMenuEvent event( // as Qt sends it for the Menu key
            QContextMenuEvent::Keyboard, pane->rect().center(), pane->mapToGlobal(pane->rect().center()));
        QApplication::sendEvent(pane, &event);
        QTRY_VERIFY2(opened, name);
    }
}

QTEST_MAIN(WindowKeys)
#include "window_keys_test.moc"
