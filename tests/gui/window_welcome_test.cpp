// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/io/overview.h"

#include "core/emulation/run.h"
#include "ui/actions.h"
#include "ui/main_window.h"
#include "ui/views/accessible.h"
#include "ui/views/welcome.h"

#include <QAccessible>
#include <QApplication>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

std::unique_ptr<MainWindow> openPage(const QSize& size = { 1440, 900 })
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(size);
    window->show();
    QApplication::setActiveWindow(window.get());
    window->showView(QStringLiteral("welcome"));
    while (!window->welcome().settled())
        QTest::qWait(20);
    return window;
}

QString spoken(MainWindow& window)
{
    return accessibleText(
        accessibleTree(QAccessible::queryAccessibleInterface(window.view(QStringLiteral("welcome")))));
}

QString wordsOf(const OverviewRow& row)
{
    return QStringLiteral("%1 TFLOP/s modelled, %2 of its peak, %3")
        .arg(paint::rateText(row), paint::shareText(row.peakShare()), paint::publishedText(row));
}

} // namespace

class WindowWelcome : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void numbersAreThoseOfTheCommand();
    void placeholderUntilTheyAreKnown();
    void keysChooseAndOpen();
    void clickOpensThatVersion();
    void tabStaysOnThePage();
    void escapeAndActionsLeaveIt();
    void everySizeDraws_data();
    void everySizeDraws();

private:
    QTemporaryDir m_folder;
};

void WindowWelcome::placeholderUntilTheyAreKnown()
{
    paint::WelcomeScene scene;
    Appearance appearance;
    WelcomeCanvas canvas(appearance, nullptr);
    canvas.setOverview(nullptr, QStringLiteral("being predicted"));
    int cards = 0;
    for (const AccessibleNode& version : canvas.accessibleNodes())
        for (const AccessibleNode& card : version.children) {
            ++cards;
            QCOMPARE(card.value, QStringLiteral("being predicted"));
            QVERIFY(card.children.empty());
        }
    QCOMPARE(cards, 5);
}

void WindowWelcome::numbersAreThoseOfTheCommand()
{
    const auto window = openPage();
    const QString text = spoken(*window);
    const auto all = overview({}, shippedResults(), {});
    QVERIFY(all.ok());
    int found = 0;
    for (const paint::WelcomeColumn& column : window->welcome().canvas()->scene().columns)
        for (const paint::WelcomeCard& card : column.cards)
            for (const OverviewRow& row : all->rows) {
                if (QString::fromStdString(row.scenario.algorithm) != card.algorithm
                    || QString::fromStdString(row.scenario.gpu) != card.gpu)
                    continue;
                ++found;
                const bool causal = row.scenario.problem.mask.kind == MaskKind::Causal;
                const OverviewRow* shown = causal ? card.causal : card.dense;
                QVERIFY(shown);
                QCOMPARE(shown->prediction.tflops(), row.prediction.tflops());
                QVERIFY2(text.contains(wordsOf(row)), qPrintable(wordsOf(row)));
                const QString binds = QString::fromUtf8(row.prediction.binding().data()) + QStringLiteral(" binds");
                QVERIFY2(text.contains(binds), qPrintable(binds));
            }
    QCOMPARE(found, 10);
}

void WindowWelcome::keysChooseAndOpen()
{
    const auto window = openPage();
    WelcomeCanvas* canvas = window->welcome().canvas();
    QTRY_VERIFY(canvas->hasFocus());
    QTest::keyClick(canvas, Qt::Key_Right);
    QTest::keyClick(canvas, Qt::Key_Down);
    QCOMPARE(canvas->chosen(), 2);
    QTest::keyClick(canvas, Qt::Key_End);
    QCOMPARE(canvas->chosen(), 4);
    QTest::keyClick(canvas, Qt::Key_Right);
    QCOMPARE(canvas->chosen(), 4);
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    QTest::keyClick(canvas, Qt::Key_Return);
    QVERIFY(!window->welcome().isVisible());
    if (shown.isEmpty())
        QVERIFY(shown.wait(30000));
    QCOMPARE(window->session().document.program().algorithm, std::string("fa4"));
    QCOMPARE(std::string(window->session().document.run()->gpu.name), std::string("b200"));
    QVERIFY(window->session().document.run()->o.data.size() > 0); // with its values
}

void WindowWelcome::clickOpensThatVersion()
{
    const auto window = openPage();
    WelcomeCanvas* canvas = window->welcome().canvas();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    QTest::mouseClick(canvas, Qt::LeftButton, {}, canvas->cardRect(2).center());
    if (shown.isEmpty())
        QVERIFY(shown.wait(30000));
    QCOMPARE(window->session().document.program().algorithm, std::string("fa2"));
    QCOMPARE(std::string(window->session().document.run()->gpu.name), std::string("h100"));
    QVERIFY(!window->welcome().isVisible());
}

void WindowWelcome::tabStaysOnThePage()
{
    const auto window = openPage();
    WelcomePage& page = window->welcome();
    QTRY_VERIFY(page.canvas()->hasFocus());
    QSet<QWidget*> stops;
    for (int k = 0; k < 4; ++k) {
        QWidget* focus = QApplication::focusWidget();
        QVERIFY(focus && page.isAncestorOf(focus));
        QVERIFY(!focus->accessibleName().isEmpty() || !qobject_cast<QPushButton*>(focus)->text().isEmpty());
        stops.insert(focus);
        QTest::keyClick(focus, Qt::Key_Tab);
    }
    QCOMPARE(stops.size(), 4);
    QVERIFY(page.canvas()->hasFocus());
}

void WindowWelcome::escapeAndActionsLeaveIt()
{
    const auto window = openPage();
    QVERIFY(window->welcome().isVisible());
    window->actions().action(QStringLiteral("deselect"))->trigger();
    QVERIFY(!window->welcome().isVisible());
    window->actions().action(QStringLiteral("welcome"))->trigger();
    QVERIFY(window->welcome().isVisible());
    window->showView(QStringLiteral("explain"));
    QVERIFY(!window->welcome().isVisible());
}

void WindowWelcome::everySizeDraws_data()
{
    QTest::addColumn<QSize>("size");
    QTest::newRow("small") << QSize(1024, 700);
    QTest::newRow("design") << QSize(1440, 900);
    QTest::newRow("large") << QSize(2560, 1440);
}

void WindowWelcome::everySizeDraws()
{
    QFETCH(QSize, size);
    const auto window = openPage(size);
    WelcomeCanvas* canvas = window->welcome().canvas();
    for (const auto choice : { Appearance::Choice::Light, Appearance::Choice::Dark }) {
        window->session().appearance.setChoice(choice);
        const paint::Theme& theme = window->session().appearance.theme();
        const QImage image = canvas->grab().toImage();
        QCOMPARE(image.pixelColor(1, 1), theme.win);
        for (int card = 0; card < 5; ++card) {
            const QRect at = canvas->cardRect(card);
            QVERIFY(canvas->rect().contains(at));
            QSet<QRgb> colours;
            for (int y = at.top(); y < at.bottom(); ++y)
                for (int x = at.left(); x < at.right(); ++x)
                    colours.insert(image.pixel(x, y));
            QVERIFY2(colours.contains(theme.engine(Engine::Tensor).rgb()), "the bar of the tensor core is drawn");
            QVERIFY(colours.contains(theme.t2.rgb()));
        }
    }
    window->session().appearance.setChoice(Appearance::Choice::Light);
}

QTEST_MAIN(WindowWelcome)
#include "window_welcome_test.moc"
