// SPDX-License-Identifier: GPL-3.0-or-later
// Ledger, row and exp in the window: what they show and read out is what the trace says, at any position.
#include "tests/gui/fa4_run.h"

#include "core/tensor/real_math.h"
#include "core/trace/state.h"
#include "ui/current.h"
#include "ui/main_window.h"
#include "ui/paint/text.h"
#include "ui/views/accessible.h"
#include "ui/views/controls.h"
#include "ui/views/exp_view.h"
#include "ui/views/ledger.h"
#include "ui/views/ledger_detail.h"
#include "ui/views/row_view.h"

#include <QAccessible>
#include <QApplication>
#include <QFile>
#include <QJsonArray>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

#include <cmath>
#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

Scenario scenarioOf(const std::string& algorithm)
{
    Scenario scenario = test::fa4Scenario(64, 96, 64, MaskKind::Causal);
    scenario.algorithm = algorithm;
    scenario.problem.init = Init::Outliers;
    if (algorithm == "fa3") // three consumer warpgroups
        scenario.tile = TileSize { 24, 16 };
    return scenario;
}

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

QJsonArray nodesOf(MainWindow& window, const char* view)
{
    return accessibleTree(QAccessible::queryAccessibleInterface(window.view(QString::fromLatin1(view))))
        .value(QStringLiteral("children"))
        .toArray();
}

// The value of the first node of that name, at any depth; null where there is none.
QString find(const QJsonArray& nodes, const QString& name)
{
    for (const QJsonValue& each : nodes) {
        const QJsonObject node = each.toObject();
        if (node.value(QStringLiteral("name")).toString() == name)
            return node.value(QStringLiteral("value")).toString();
        if (const QString found = find(node.value(QStringLiteral("children")).toArray(), name); !found.isNull())
            return found;
    }
    return {};
}

// The same positions every time.
class Positions {
public:
    explicit Positions(const Trace& trace)
        : m_end(trace.end().value)
    {
    }
    Position next()
    {
        m_state = m_state * 1664525U + 1013904223U;
        return Position { (m_state >> 8U) % (m_end + 1) };
    }

private:
    std::uint32_t m_end, m_state = 7;
};

} // namespace

class WindowLedger : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void numbersAreTheTraces_data();
    void numbersAreTheTraces();
    void unitsTurn();
    void rowGoesToItsBlocks();
    void referenceTurns();
    void expTurnsItsKnobs();
    void thereIsAReasonWhereNothingIsShown();
    void isReadAtNarrowWidths();
    void nanIsNotAbsent();

private:
    QTemporaryDir m_folder;
};

void WindowLedger::numbersAreTheTraces_data()
{
    QTest::addColumn<QString>("algorithm");
    for (const char* algorithm : { "fa1", "fa2", "fa3", "fa4" })
        QTest::newRow(algorithm) << QString::fromLatin1(algorithm);
}

void WindowLedger::numbersAreTheTraces()
{
    QFETCH(QString, algorithm);
    const auto window = opened(scenarioOf(algorithm.toStdString()));
    window->showView(QStringLiteral("ledger"));
    const Session session = window->session();
    const Trace& trace = session.document.trace();
    const Program& program = session.document.program();
    const auto* view = qobject_cast<LedgerView*>(window->view(QStringLiteral("ledger")));
    const auto* row = qobject_cast<RowView*>(window->view(QStringLiteral("row")));
    Positions positions(trace);
    for (int k = 0; k < 25; ++k) {
        const Position p = positions.next();
        session.playback.seek(p);
        QApplication::processEvents();
        const std::vector<RowState> rows = ledgerAt(trace, session.selection.cta(), p);
        const QJsonArray nodes = nodesOf(*window, "ledger");
        QCOMPARE(nodes.size(), static_cast<int>(rows.size()));
        for (int r = 0; r < nodes.size(); ++r) {
            const QJsonArray cells = nodes[r].toObject().value(QStringLiteral("children")).toArray();
            QCOMPARE(find(cells, QStringLiteral("m")), exactText(rows[static_cast<std::size_t>(r)].m));
            QCOMPARE(find(cells, QStringLiteral("l")), exactText(rows[static_cast<std::size_t>(r)].l));
        }
        // The table, cell by cell.
        const TileRef on = tileOnShow(session);
        const paint::TileNumbers tile
            = paint::ledgerTile(trace, session.selection.batch(), session.selection.head(), on.i, on.j, p);
        QCOMPARE(view->model()->rowCount(), tile.rows);
        const auto cell
            = [&](int r, LedgerModel::Column column) { return view->model()->index(r, column).data().toString(); };
        for (int r = 0; r < tile.rows; ++r) {
            const paint::TileNumbers::Row& now = tile.row[static_cast<std::size_t>(r)];
            QCOMPARE(cell(r, LedgerModel::RowMax), std::isnan(now.most) ? QString() : paint::fixed(now.most, 2));
            QCOMPARE(cell(r, LedgerModel::Sum),
                std::isnan(now.l) ? QString() : paint::fixed(now.l * exp2Real(-tile.offset), 2));
            QCOMPARE(cell(r, LedgerModel::Decision), paint::decisionText(paint::decisionOf(tile, r)));
            if (std::isnan(now.used)) // not there yet: nowhere a 0 in its place
                QVERIFY(cell(r, LedgerModel::Decision).isEmpty() && cell(r, LedgerModel::RowMax).isEmpty());
        }
        // The detail is of a row of the table, and the row's view of the same one.
        const int shown = view->ledger().rowOnShow();
        QCOMPARE(view->detail().facts().row, shown);
        QVERIFY(view->detail().lines().size() >= 2);
        QCOMPARE(row->content().row, shown);
        for (const DetailLine& line : view->detail().lines()) {
            QVERIFY(!line.label.isEmpty() && !line.tip.isEmpty());
            QVERIFY(!line.value.contains(QStringLiteral("nan")));
        }
        const paint::RowFacts facts = paint::rowFacts(trace, session.document.run()->inputs.get(),
            session.selection.batch(), session.selection.head(), tile, shown, p);
        if (facts.decision != paint::RowDecision::Unknown)
            QCOMPARE(find(nodes, QStringLiteral("true max")), paint::fixed(facts.most, 2));
        Q_UNUSED(program)
    }
}

void WindowLedger::unitsTurn()
{
    const auto window = opened(scenarioOf("fa4"));
    window->showView(QStringLiteral("ledger"));
    QVERIFY(window->goTo(QStringLiteral("block(i=3, n=3)")));
    const auto* view = qobject_cast<LedgerView*>(window->view(QStringLiteral("ledger")));
    auto* units = qobject_cast<Segments*>(view->unitsBox());
    const double log2 = view->ledger().tile().row[5].most;
    QCOMPARE(view->model()->index(5, LedgerModel::RowMax).data().toString(), paint::fixed(log2, 2));
    units->button(1)->click();
    QCOMPARE(view->model()->index(5, LedgerModel::RowMax).data().toString(), paint::fixed(log2 * ln2, 2));
    QVERIFY(
        view->model()->index(5, LedgerModel::Gap).data(Qt::ToolTipRole).toString().contains(QStringLiteral("5.545")));
}

void WindowLedger::rowGoesToItsBlocks()
{
    const auto window = opened(scenarioOf("fa4"));
    window->showView(QStringLiteral("row"));
    const Session session = window->session();
    auto* row = qobject_cast<RowView*>(window->view(QStringLiteral("row")));
    QVERIFY(window->goTo(QStringLiteral("block(i=3, n=1)")));
    session.selection.chooseRow(3 * 16 + 7);
    QApplication::processEvents();
    const RowView::Content content = row->content();
    QCOMPARE(content.row, 7);
    const paint::RowChartLayout at = paint::layoutRowChart(row->chartRect(), content.history);
    for (const int n : { 3, 2, content.history.visits }) {
        QTest::mouseClick(row, Qt::LeftButton, {}, QPointF(at.x(n), at.references.center().y()).toPoint());
        QCOMPARE(session.playback.position(), *session.document.trace().block(0, 0, 3, n));
        QCOMPARE(row->content().tile.n, n);
        const QJsonArray nodes = nodesOf(*window, "row");
        QVERIFY(find(nodes, QStringLiteral("block %1").arg(n))
                    .contains(paint::fixed(content.history.points[static_cast<std::size_t>(n - 1)].most, 2)));
    }
}

void WindowLedger::referenceTurns()
{
    const auto window = opened(scenarioOf("fa2"));
    window->showView(QStringLiteral("row"));
    QVERIFY(window->goTo(QStringLiteral("block(i=3, n=2)")));
    auto* row = qobject_cast<RowView*>(window->view(QStringLiteral("row")));
    auto* box = qobject_cast<Segments*>(row->referenceBox());
    for (int k = 0; k < 4; ++k) {
        box->button(k)->click();
        QCOMPARE(static_cast<int>(row->reference()), k);
        const RowView::Content content = row->content();
        QVERIFY(content.line.there);
        for (const paint::ExponentLine::Tick& tick : content.line.ticks)
            QCOMPARE(find(nodesOf(*window, "row"), QStringLiteral("key %1").arg(tick.key)),
                exactText(tick.score - content.line.reference));
    }
    // Relative to the log-sum-exp the whole row's exponentials come to 1.
    row->setReference(paint::ExponentReference::Lse);
    const paint::TileNumbers& tile = row->content().tile;
    double sum = 0;
    for (int n = 1;; ++n) {
        if (!window->goTo(QStringLiteral("block(i=%1, n=%2)").arg(tile.i).arg(n)))
            break;
        for (const paint::ExponentLine::Tick& tick : row->content().line.ticks)
            sum += exp2Real(tick.exponent);
        window->session().selection.chooseRow(row->content().tile.firstRow + row->content().row);
    }
    QVERIFY(std::fabs(sum - 1) < 1e-3);
}

void WindowLedger::expTurnsItsKnobs()
{
    const auto window = opened(scenarioOf("fa4"));
    window->showView(QStringLiteral("exp"));
    auto* view = qobject_cast<ExpView*>(window->view(QStringLiteral("exp")));
    const auto emulated = [&] { return window->session().document.run()->report.exp2Emulated; };
    const auto total = [&] { return window->session().document.run()->report.exp2Hardware + emulated(); };
    QCOMPARE(find(nodesOf(*window, "exp"), QStringLiteral("emulated")), exactText(emulated()));
    const double shipped = emulated();
    QVERIFY(shipped > 0);
    const auto turned = [&](const std::string& knob, const std::string& value) {
        QSignalSpy shown(window.get(), &MainWindow::runShown);
        view->turn(knob, value);
        return !shown.isEmpty() || shown.wait(30000);
    };
    QVERIFY(turned("exp2-emulation", "0.5"));
    QCOMPARE(emulated(), total() / 2);
    QVERIFY(turned("exp2-degree", "1"));
    QCOMPARE(window->session().document.program().softmax.polynomialDegree, 1);
    QCOMPARE(emulated(), total() / 2);
    QVERIFY(turned("exp2-emulation", "off"));
    QCOMPARE(emulated(), 0.0);
    QVERIFY(turned("exp2-emulation", ""));
    QCOMPARE(emulated(), shipped);
    const std::array<Exp2Errors, 6> errors = exp2Errors(1 << 16);
    const QJsonArray nodes = nodesOf(*window, "exp");
    QCOMPARE(find(nodes, QStringLiteral("fp32 ulp")), exactText(errors[0].ulpFp32));
    // Versions without emulation still have the comparison, and no knobs.
    const auto older = opened(scenarioOf("fa2"));
    older->showView(QStringLiteral("exp"));
    QVERIFY(!qobject_cast<ExpView*>(older->view(QStringLiteral("exp")))->knobs()->isVisible());
    QCOMPARE(find(nodesOf(*older, "exp"), QStringLiteral("emulated")), QStringLiteral("0"));
    QCOMPARE(find(nodesOf(*older, "exp"), QStringLiteral("fp32 ulp")), exactText(errors[0].ulpFp32));
}

void WindowLedger::thereIsAReasonWhereNothingIsShown()
{
    Scenario scenario = scenarioOf("fa4");
    scenario.record.kind = Record::Kind::None;
    const auto window = opened(scenario);
    for (const char* name : { "ledger", "row", "exp" }) {
        window->showView(QString::fromLatin1(name));
        window->session().playback.seekEnd();
        QApplication::processEvents();
        QVERIFY(!nodesOf(*window, name).isEmpty());
        QVERIFY(!window->view(QString::fromLatin1(name))->grab().isNull());
    }
    QVERIFY(nodesOf(*window, "ledger")[0]
                .toObject()
                .value(QStringLiteral("name"))
                .toString()
                .contains(QStringLiteral("not computed")));
    QVERIFY(nodesOf(*window, "row")[0]
                .toObject()
                .value(QStringLiteral("name"))
                .toString()
                .contains(QStringLiteral("not computed")));
}

// At the narrowest dock nothing of the table is out of sight to the right.
void WindowLedger::isReadAtNarrowWidths()
{
    const auto window = opened(scenarioOf("fa4"));
    window->showView(QStringLiteral("ledger"));
    QVERIFY(window->goTo(QStringLiteral("block(i=3, n=3)")));
    const auto* view = qobject_cast<LedgerView*>(window->view(QStringLiteral("ledger")));
    auto* table = view->findChild<QTableView*>();
    for (const int width : { 280, 330, 360, 460 }) {
        const_cast<LedgerView*>(view)->setFixedWidth(width);
        QApplication::processEvents();
        int used = 0;
        for (int column = 0; column < LedgerModel::columnCount_; ++column)
            used += table->isColumnHidden(column) ? 0 : table->columnWidth(column);
        QVERIFY2(used <= table->viewport()->width(), qPrintable(QStringLiteral("%1 of %2").arg(used).arg(width)));
        for (const auto column : { LedgerModel::Row, LedgerModel::InUse, LedgerModel::RowMax, LedgerModel::Gap,
                 LedgerModel::Decision, LedgerModel::Sum })
            QVERIFY(!table->isColumnHidden(column));
    }
}

// What is computed and no number is told from what has not been computed yet.
void WindowLedger::nanIsNotAbsent()
{
    const auto written = [this](const char* name, float special) {
        const QString path = m_folder.filePath(QString::fromLatin1(name));
        QByteArray header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 32, 16), }";
        header = header.leftJustified(117, ' ') + '\n'; // with the ten bytes before it 128
        std::vector<float> values(32 * 16, 0.25F);
        values[3 * 16] = special;
        QFile file(path);
        if (file.open(QIODevice::WriteOnly)) {
            file.write(QByteArray("\x93NUMPY\x01\x00", 8) + char(header.size()) + char(0) + header);
            file.write(reinterpret_cast<const char*>(values.data()), qint64(values.size() * sizeof(float)));
        }
        return path.toStdString();
    };
    Scenario scenario = test::fa4Scenario(32, 32, 16, MaskKind::None);
    scenario.algorithm = "fa2";
    scenario.kFile = written("nan.npy", std::nanf(""));
    scenario.qFile = scenario.vFile = written("whole.npy", 0.5F);
    const auto window = opened(scenario);
    QVERIFY(!window->session().document.empty());
    window->showView(QStringLiteral("ledger"));
    window->session().playback.seekEnd();
    const auto* view = qobject_cast<LedgerView*>(window->view(QStringLiteral("ledger")));
    bool summed = false, output = false;
    for (const DetailLine& line : view->detail().read()) {
        summed |= line.label.startsWith(QStringLiteral("ℓ = ")) && line.value.contains(QStringLiteral("nan"));
        output |= line.label.startsWith(QStringLiteral("|O| of")) && line.value.endsWith(QStringLiteral("nan"));
    }
    QVERIFY(summed);
    QVERIFY(output);
}

QTEST_MAIN(WindowLedger)
#include "window_ledger_test.moc"
