// SPDX-License-Identifier: GPL-3.0-or-later
// FlashAttention-4 in the window: chosen, stepped through, read.
#include "tests/gui/fa4_run.h"

#include "core/trace/state.h"
#include "ui/headless.h"
#include "ui/main_window.h"
#include "ui/views/accessible.h"
#include "ui/views/controls.h"
#include "ui/views/ledger.h"
#include "ui/views/notice_bar.h"

#include <QAccessible>
#include <QApplication>
#include <QJsonArray>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

std::unique_ptr<MainWindow> opened(const Scenario& scenario)
{
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(1440, 900);
    window->show();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    ScenarioFile file;
    file.scenario = scenario;
    window->start({ file, QString(), false });
    if (shown.isEmpty())
        shown.wait(30000);
    return window;
}

void scenarios()
{
    QTest::addColumn<int>("which");
    QTest::newRow("two tiles") << 0;
    QTest::newRow("pair") << 1;
    QTest::newRow("causal") << 2;
    QTest::newRow("packed") << 3;
}

Scenario scenarioOf(int which)
{
    return which == 0 ? test::fa4Scenario(64, 48, 32)
        : which == 1  ? test::fa4Scenario(96, 48, 128)
        : which == 2  ? test::fa4Scenario(60, 60, 64, MaskKind::Causal)
                      : test::fa4Scenario(24, 48, 32, MaskKind::Causal, 4, 2);
}

QString value(const QJsonObject& node, const QString& name)
{
    for (const QJsonValue& child : node.value(QStringLiteral("children")).toArray())
        if (child.toObject().value(QStringLiteral("name")).toString() == name)
            return child.toObject().value(QStringLiteral("value")).toString();
    return {};
}

} // namespace

class WindowFa4 : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void isChosenWithAGpuThatRunsIt();
    void everyViewStepsBothWays_data() { scenarios(); }
    void everyViewStepsBothWays();
    void ledgerReadsTheTracesNumbers_data() { scenarios(); }
    void ledgerReadsTheTracesNumbers();

private:
    QTemporaryDir m_folder;
};

void WindowFa4::isChosenWithAGpuThatRunsIt()
{
    MainWindow window({ false, false });
    window.resize(1440, 900);
    window.show();
    QSignalSpy shown(&window, &MainWindow::runShown);
    window.openSample(QStringLiteral("samples/licence-causal.json")); // on a Hopper GPU
    if (shown.isEmpty())
        shown.wait(30000);
    Segments* versions = nullptr;
    for (Segments* each : window.findChildren<Segments*>())
        if (each->accessibleName() == QStringLiteral("Algorithm"))
            versions = each;
    QVERIFY(versions != nullptr);
    shown.clear();
    emit versions->chosen(4);
    if (shown.isEmpty())
        shown.wait(30000);
    QCOMPARE(window.session().document.program().algorithm, std::string("fa4"));
    QCOMPARE(window.session().document.run()->gpu.name, std::string_view("b200"));
    QVERIFY(window.notice().text().contains(QStringLiteral("does not run on")));
    QVERIFY(!window.notice().showsError());
    for (const char* gpu : { "gb200", "b300" }) {
        Scenario scenario = test::fa4Scenario(64, 48, 32);
        scenario.gpu = gpu;
        QCOMPARE(opened(scenario)->session().document.run()->gpu.name, std::string_view(gpu));
    }
}

void WindowFa4::everyViewStepsBothWays()
{
    QFETCH(int, which);
    const auto window = opened(scenarioOf(which));
    const Session session = window->session();
    const Trace& trace = session.document.trace();
    const auto reads = [&](const QString& view) {
        const QJsonObject tree = accessibleTree(QAccessible::queryAccessibleInterface(window->view(view)));
        QVERIFY2(!tree.value(QStringLiteral("children")).toArray().isEmpty(), qPrintable(view));
    };
    // Each view is in front on a way of its own through the run, forwards and back again, and is read all along it.
    const QStringList views = MainWindow::viewNames();
    const std::uint32_t end = trace.end().value, step = std::max(1U, end / 2);
    for (int v = 0; v < views.size(); ++v) {
        window->showView(views[v]);
        for (const CtaId cta : { CtaId(0), CtaId(1) }) {
            session.selection.chooseCta(cta);
            const std::uint32_t first = step * static_cast<std::uint32_t>(v) / static_cast<std::uint32_t>(views.size());
            std::vector<std::uint32_t> way;
            for (std::uint32_t p = first; p <= end; p += step)
                way.push_back(p);
            way.insert(way.end(), way.rbegin() + 1, way.rend());
            for (const std::uint32_t p : way) {
                session.playback.seek(Position { p });
                QApplication::processEvents();
                reads(views[v]);
            }
        }
    }
    for (const Layout layout : { Layout::Learn, Layout::Pipeline, Layout::Numbers, Layout::Present }) {
        window->setLayout(layout);
        window->resize(1024, 700);
        QApplication::processEvents();
        QVERIFY(!window->grab().isNull());
    }
}

void WindowFa4::ledgerReadsTheTracesNumbers()
{
    QFETCH(int, which);
    const auto window = opened(scenarioOf(which));
    const Session session = window->session();
    const Trace& trace = session.document.trace();
    const Program& program = session.document.program();
    const int i = program.queryTiles() - 1;
    QVERIFY(window->goTo(QStringLiteral("block(i=%1, n=2)").arg(i)));
    QApplication::processEvents();
    QCOMPARE(session.selection.cta(), trace.ctaOfTile(0, 0, i));
    const std::vector<RowState> rows = ledgerAt(trace, session.selection.cta(), session.playback.position());
    const QJsonArray nodes
        = accessibleTree(QAccessible::queryAccessibleInterface(window->view(QStringLiteral("ledger"))))
              .value(QStringLiteral("children"))
              .toArray();
    QCOMPARE(nodes.size(), static_cast<int>(rows.size()));
    for (int r = 0; r < nodes.size(); ++r) {
        const RowState& row = rows[static_cast<std::size_t>(r)];
        const QJsonObject node = nodes[r].toObject();
        QCOMPARE(value(node, QStringLiteral("m")).toDouble(), row.m);
        QCOMPARE(value(node, QStringLiteral("m_used")).toDouble(), row.mUsed);
        QCOMPARE(value(node, QStringLiteral("l")).toDouble(), row.l);
        QCOMPARE(value(node, QStringLiteral("decision")), QString::fromStdString(row.decision));
        QCOMPARE(node.value(QStringLiteral("name")).toString().contains(QStringLiteral("of head")), program.packed > 1);
    }
    // The table has the rows of the tile on show alone.
    const auto* view = qobject_cast<LedgerView*>(window->view(QStringLiteral("ledger")));
    const int inside = std::min(program.tile.rows, program.headRows() - i * program.tile.rows);
    QCOMPARE(view->model()->rowCount(), inside);
    for (int r = 0; r < inside; ++r)
        QCOMPARE(view->ledger().headRow(r), i * program.tile.rows + r);
    const QString decision = view->model()->index(0, LedgerModel::Decision).data().toString();
    QVERIFY(decision == QStringLiteral("kept") || decision == QStringLiteral("rescale"));
}

QTEST_MAIN(WindowFa4)
#include "window_fa4_test.moc"
