// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/actions.h"
#include "ui/main_window.h"

#include <QApplication>
#include <QComboBox>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

std::unique_ptr<MainWindow> openAt(const QString& position)
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(1440, 900);
    window->show();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->openSample(QStringLiteral("samples/licence-causal.json"));
    if (shown.isEmpty())
        shown.wait(30000);
    if (const Status found = window->goTo(position); !found)
        qFatal("%s", found.error().line().c_str());
    QApplication::processEvents();
    return window;
}

} // namespace

class WindowKeys : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void noKeyDoesTwoThings();
    void everyActionIsInAMenu();
    void plainKeysActOnCanvasesOnly();
    void functionKeysActEverywhere();

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

QTEST_MAIN(WindowKeys)
#include "window_keys_test.moc"
