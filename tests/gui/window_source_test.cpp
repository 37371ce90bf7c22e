// SPDX-License-Identifier: GPL-3.0-or-later
// The texts of the algorithm: in step with each other and with the trace, for every version.
#include "core/emulation/run.h"
#include "core/trace/state.h"
#include "ui/current.h"
#include "ui/main_window.h"
#include "ui/views/accessible.h"
#include "ui/views/source_tabs.h"
#include "ui/views/source_view.h"

#include <QAccessible>
#include <QApplication>
#include <QJsonArray>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

#include <memory>
#include <random>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

struct Sample {
    const char* algorithm;
    TileSize tile;
    std::vector<std::pair<std::string, std::string>> knobs;
};

const std::vector<Sample>& samples()
{
    static const std::vector<Sample> list { { "standard", { 32, 16 }, {} }, { "fa1", { 16, 64 }, {} },
        { "fa1", { 64, 64 }, { { "fa1-form", "paper" } } }, { "fa2", { 16, 16 }, {} }, { "fa3", { 48, 32 }, {} },
        { "fa3", { 48, 32 }, { { "intra-overlap", "off" } } }, { "fa4", { 16, 16 }, {} } };
    return list;
}

void everyVersion()
{
    QTest::addColumn<int>("which");
    for (std::size_t k = 0; k < samples().size(); ++k)
        QTest::newRow(samples()[k].knobs.empty()
                ? samples()[k].algorithm
                : (std::string(samples()[k].algorithm) + ", " + samples()[k].knobs.front().first).c_str())
            << static_cast<int>(k);
}

std::unique_ptr<MainWindow> opened(int which)
{
    const Sample& sample = samples()[static_cast<std::size_t>(which)];
    auto window = std::make_unique<MainWindow>(MainWindow::Options { false, false });
    window->resize(1440, 900);
    window->show();
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    ScenarioFile file;
    file.scenario.algorithm = sample.algorithm;
    file.scenario.tile = sample.tile;
    file.scenario.knobs = sample.knobs;
    file.scenario.problem.seqlenQ = 96;
    file.scenario.problem.seqlenK = 128;
    file.scenario.problem.headDim = file.scenario.problem.headDimV = 32;
    file.scenario.problem.mask.kind = MaskKind::Causal;
    file.scenario.record.kind = Record::Kind::All;
    window->start({ file, QString(), false });
    if (shown.isEmpty())
        shown.wait(30000);
    return window;
}

SourceView& sourceOf(MainWindow& window)
{
    return *qobject_cast<SourceView*>(window.view(QStringLiteral("source")));
}

// Positions anywhere in the run, in the CTA that works there.
std::vector<Position> somePositions(const Session& session, int many)
{
    std::mt19937 random(7);
    const Trace& trace = session.document.trace();
    std::vector<Position> list;
    for (int k = 0; k < many; ++k)
        list.push_back(Position { 1 + static_cast<std::uint32_t>(random() % trace.end().value) });
    return list;
}

void goTo(const Session& session, Position p)
{
    const Trace& trace = session.document.trace();
    session.selection.chooseCta(trace.ctaOf(trace.eventAt(p.value - 1).instance));
    session.playback.seek(p);
}

} // namespace

class WindowSource : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void everyTabShowsTheLineOfEachRole_data() { everyVersion(); }
    void everyTabShowsTheLineOfEachRole();
    void readingGivesTheLinesOfAllTabs_data() { everyVersion(); }
    void readingGivesTheLinesOfAllTabs();
    void clickGoesToTheNextTimeTheLineIsRun_data() { everyVersion(); }
    void clickGoesToTheNextTimeTheLineIsRun();
    void breakpointsAreSetInTheGutter();
    void tabsAreReachedByKeys();
    void whatIsNotThereSaysSo();
    void everyKernelIsTiedToTheOps();
    void anotherVersionBringsItsTexts();
    void currentLineIsInSightAndReadable();

private:
    QTemporaryDir m_folder;
};

void WindowSource::everyTabShowsTheLineOfEachRole()
{
    QFETCH(int, which);
    const auto window = opened(which);
    const Session session = window->session();
    const Trace& trace = session.document.trace();
    const Program& program = session.document.program();
    SourceView& source = sourceOf(*window);
    int exact = 0;
    for (const Position p : somePositions(session, 60)) {
        goTo(session, p);
        for (const RoleState& state : rolesAt(trace, session.selection.cta(), p)) {
            if (!state.current.valid() || state.kind == RoleState::Kind::Done)
                continue;
            const Op& op = trace.op(state.current);
            // The schedule: the very line that `dump --what state` names.
            const auto schedule = source.currentOf(SourceText::Schedule);
            QVERIFY(schedule.count(static_cast<int>(op.line)) == 1);
            QVERIFY(schedule.at(static_cast<int>(op.line)).exact);
            QCOMPARE(source.page(SourceText::Schedule).file().toStdString() + ":" + std::to_string(op.line),
                program.sourceOf(op.line));
            // The others: the line whose anchor the op is; between two lines the one before.
            for (const SourceText tab : { SourceText::Paper, SourceText::Numpy }) {
                const SourcePage& page = source.page(tab);
                const LineMap::Place place = page.placeOf(trace, state.current);
                const auto& current = source.currentOf(tab);
                if (const int line = page.lineOf(op); line > 0) {
                    ++exact;
                    QCOMPARE(place.line, line);
                    QVERIFY(current.count(line) == 1);
                    QVERIFY(current.at(line).exact);
                    QVERIFY(page.hasOps(line));
                } else {
                    QVERIFY(!place.exact);
                    QVERIFY(place.line == 0 || current.count(place.line) == 1);
                }
            }
        }
    }
    QVERIFY(exact > 60);
}

void WindowSource::readingGivesTheLinesOfAllTabs()
{
    QFETCH(int, which);
    const auto window = opened(which);
    const Session session = window->session();
    const SourceView& source = sourceOf(*window);
    for (const Position p : somePositions(session, 5)) {
        goTo(session, p);
        const QJsonArray tabs
            = accessibleTree(QAccessible::queryAccessibleInterface(window->view(QStringLiteral("source"))))
                  .value(QStringLiteral("children"))
                  .toArray();
        QCOMPARE(tabs.size(), static_cast<int>(sourceTextCount));
        for (int k = 0; k < tabs.size(); ++k) {
            const auto tab = static_cast<SourceText>(k);
            QCOMPARE(tabs[k].toObject().value(QStringLiteral("name")).toString().toStdString(), std::string(name(tab)));
            const QJsonArray lines = tabs[k].toObject().value(QStringLiteral("children")).toArray();
            QCOMPARE(lines.size(), static_cast<int>(source.currentOf(tab).size()));
            int at = 0;
            for (const auto& [line, here] : source.currentOf(tab)) {
                const QString told = lines[at++].toObject().value(QStringLiteral("value")).toString();
                QVERIFY(told.startsWith(here.roles));
                QVERIFY(told.endsWith(source.page(tab).line(line).text.trimmed()));
            }
        }
    }
}

void WindowSource::clickGoesToTheNextTimeTheLineIsRun()
{
    QFETCH(int, which);
    const auto window = opened(which);
    const Session session = window->session();
    const Trace& trace = session.document.trace();
    SourceView& source = sourceOf(*window);
    window->showView(QStringLiteral("source"));
    int clicked = 0;
    for (const SourceText tab : { SourceText::Schedule, SourceText::Paper, SourceText::Numpy }) {
        source.setTab(tab);
        QCOMPARE(source.tab(), tab);
        for (const Position p : somePositions(session, 8)) {
            goTo(session, p);
            QApplication::processEvents();
            for (int line = 1; line <= source.page().count(); ++line) {
                const QRect rect = source.lineRect(line);
                if (!source.page().hasOps(line) || !source.viewport()->rect().contains(rect))
                    continue;
                const std::optional<Position> next = source.page().execution(session, line, true);
                const std::optional<Position> previous = source.page().execution(session, line, false);
                const QPoint point(source.viewport()->width() / 2, rect.center().y());
                QTest::mouseClick(source.viewport(), Qt::LeftButton, Qt::NoModifier, point);
                if (!next) { // not in this CTA
                    QCOMPARE(session.playback.position().value, p.value);
                    continue;
                }
                QCOMPARE(session.playback.position().value, next->value);
                const Op& op = trace.op(trace.eventAt(next->value - 1).instance);
                QCOMPARE(source.page().lineOf(op), line);
                QVERIFY(source.currentOf(tab).count(line) == 1 || op.role.valid());
                // Nothing of that line lies between.
                for (std::uint32_t q = p.value + 1; *next > p && q < next->value; ++q) {
                    const Event event = trace.eventAt(q - 1);
                    QVERIFY(event.ends || trace.ctaOf(event.instance) != session.selection.cta()
                        || source.page().lineOf(trace.op(event.instance)) != line);
                }
                goTo(session, p);
                // Scrolled back with it, where the role has come to a line at all.
                const LineMap::Place place = source.page().placeOf(trace, currentInstance(session));
                QVERIFY(place.line == 0 || source.viewport()->rect().intersects(source.lineRect(place.line)));
                if (const QRect again = source.lineRect(line); source.viewport()->rect().contains(again))
                    QTest::mouseClick(source.viewport(), Qt::LeftButton, Qt::ShiftModifier,
                        QPoint(source.viewport()->width() / 2, again.center().y()));
                else
                    source.goToLine(tab, line, false);
                QVERIFY(previous.has_value());
                QCOMPARE(session.playback.position().value, previous->value);
                goTo(session, p);
                ++clicked;
                break;
            }
        }
    }
    QVERIFY(clicked >= 8);
}

// The gutter, F9 and the list of places are one thing; a line stops playing, and loses its mark by another click.
void WindowSource::breakpointsAreSetInTheGutter()
{
    const auto window = opened(0);
    const Session session = window->session();
    SourceView& source = sourceOf(*window);
    window->showView(QStringLiteral("source"));
    QApplication::setActiveWindow(window.get());
    source.setTab(SourceText::Schedule);
    goTo(session, Position { session.document.trace().end().value / 2 });
    QApplication::processEvents();
    int line = 0;
    for (int k = 1; k <= source.page().count() && line == 0; ++k)
        if (source.page().hasOps(k) && source.viewport()->rect().contains(source.lineRect(k)))
            line = k;
    QVERIFY(line > 0);
    const Position before = session.playback.position();
    const QPoint number(source.gutterWidth() / 2, source.lineRect(line).center().y());
    QTest::mouseClick(source.viewport(), Qt::LeftButton, Qt::NoModifier, number);
    QCOMPARE(session.playback.position().value, before.value); // nothing moves
    QCOMPARE(source.breakpoints(), (std::map<int, bool> { { line, true } }));
    QAccessibleInterface* places = QAccessible::queryAccessibleInterface(window->view(QStringLiteral("bookmarks")));
    QVERIFY(accessibleText(accessibleTree(places)).contains(QStringLiteral("line(%1)").arg(line)));

    // Run to the next breakpoint: an op of that line has just ended.
    session.playback.seekStart();
    QVERIFY(window->command(QStringLiteral("Run to the next breakpoint")));
    const Position there = session.playback.position();
    QVERIFY(there.value > 0);
    QCOMPARE(
        static_cast<int>(session.document.trace().op(session.document.trace().eventAt(there.value - 1).instance).line),
        line);

    // F9 takes the one of the cursor's line away, wherever the run stands.
    source.setFocus();
    QTRY_VERIFY(source.hasFocus());
    session.playback.seekStart();
    QTest::mouseClick(source.viewport(), Qt::LeftButton, Qt::NoModifier,
        QPoint(source.viewport()->width() / 2, source.lineRect(line).center().y()));
    while (source.lineOfKeys() != line)
        QTest::keyClick(&source, source.lineOfKeys() < line ? Qt::Key_Down : Qt::Key_Up);
    QTest::keyClick(&source, Qt::Key_F9);
    QVERIFY(source.breakpoints().empty());

    // A line that nothing stands on takes none.
    int other = 0;
    for (int k = 1; k <= source.page().count() && other == 0; ++k)
        if (!source.page().hasOps(k))
            other = k;
    if (other > 0) {
        while (source.lineOfKeys() != other)
            QTest::keyClick(&source, source.lineOfKeys() < other ? Qt::Key_Down : Qt::Key_Up);
        QTest::keyClick(&source, Qt::Key_F9);
        QVERIFY(source.breakpoints().empty());
    }
}

void WindowSource::tabsAreReachedByKeys()
{
    const auto window = opened(3);
    QApplication::setActiveWindow(window.get());
    SourceView& source = sourceOf(*window);
    auto* tabs = window->findChild<SourceTabs*>();
    QVERIFY(tabs);
    QCOMPARE(tabs->current(), 0);
    source.setFocus();
    QTRY_VERIFY(source.hasFocus());
    QTest::keyClick(&source, Qt::Key_PageDown, Qt::ControlModifier);
    QCOMPARE(source.tab(), SourceText::Paper);
    QCOMPARE(tabs->current(), 1);
    QTest::keyClick(&source, Qt::Key_PageDown, Qt::ControlModifier);
    QCOMPARE(source.tab(), SourceText::Cuda);
    QTest::keyClick(&source, Qt::Key_PageDown, Qt::ControlModifier);
    QCOMPARE(source.tab(), SourceText::Numpy);
    QTest::keyClick(&source, Qt::Key_Tab, Qt::ControlModifier);
    QCOMPARE(source.tab(), SourceText::Schedule);
    QTest::keyClick(&source, Qt::Key_PageUp, Qt::ControlModifier);
    QCOMPARE(source.tab(), SourceText::Numpy);
    // The tabs themselves: the arrows go from one to the next.
    tabs->button(3)->setFocus();
    QTRY_VERIFY(tabs->button(3)->hasFocus());
    QTest::keyClick(tabs->button(3), Qt::Key_Left);
    QCOMPARE(source.tab(), SourceText::Cuda);
    // A line by keys.
    source.setTab(SourceText::Numpy);
    source.setFocus();
    const Session session = window->session();
    goTo(session, Position { session.document.trace().end().value / 2 });
    QTest::keyClick(&source, Qt::Key_Return);
    const Op& op
        = session.document.trace().op(session.document.trace().eventAt(session.playback.position().value - 1).instance);
    QVERIFY(source.page().lineOf(op) > 0);
}

void WindowSource::whatIsNotThereSaysSo()
{
    const auto window = opened(3);
    SourceView& source = sourceOf(*window);
    auto* tabs = window->findChild<SourceTabs*>();
    QVERIFY(tabs->button(2)->isEnabled()); // of this version there is a kernel
    QSignalSpy shown(window.get(), &MainWindow::runShown);
    window->openVersion(QStringLiteral("fa3"), QStringLiteral("h100"));
    QVERIFY(!shown.isEmpty() || shown.wait(30000));
    QVERIFY(!source.page(SourceText::Cuda).available());
    QVERIFY(!tabs->button(2)->isEnabled());
    QVERIFY(tabs->button(2)->toolTip().contains(QStringLiteral("no CUDA kernel of this version here yet")));
    source.setTab(SourceText::Cuda);
    QCOMPARE(source.tab(), SourceText::Schedule);
    for (const int there : { 0, 1, 3 })
        QVERIFY(tabs->button(there)->isEnabled());
    // What is not certain of the paper's lines is said where they are.
    QVERIFY(tabs->button(1)->toolTip().contains(QStringLiteral("from memory")));
    MainWindow empty({ false, false });
    empty.show();
    QVERIFY(!sourceOf(empty).page().available());
    QVERIFY(!empty.grab().isNull());
}

void WindowSource::everyKernelIsTiedToTheOps()
{
    const auto window = opened(3);
    SourceView& source = sourceOf(*window);
    for (const char* version : { "standard", "fa1", "fa2" }) {
        QSignalSpy shown(window.get(), &MainWindow::runShown);
        window->openVersion(QString::fromLatin1(version), QStringLiteral("h100"));
        QVERIFY(!shown.isEmpty() || shown.wait(30000));
        source.setTab(SourceText::Cuda);
        QCOMPARE(source.tab(), SourceText::Cuda);
        QVERIFY(source.page().file().startsWith(QStringLiteral("core/cuda/") + QLatin1String(version)));
        const Session session = window->session();
        int found = 0;
        for (const Position p : somePositions(session, 40)) {
            goTo(session, p);
            found += source.currentOf(SourceText::Cuda).empty() ? 0 : 1;
        }
        QVERIFY2(found > 20, version);
        // The fa1 kernel goes by the paper's loop, the schedule it opens on by that of the shipped one: products of O
        // are others there.
        for (const Op& op : session.document.program().ops)
            if (op.kind == OpKind::Mma && op.transposed)
                QVERIFY2(source.page().hasOps(source.page().lineOf(op)), version);
        QCOMPARE(source.page().note().contains(QStringLiteral("fa1-form=paper")),
            QLatin1String(version) == QLatin1String("fa1"));
    }
}

void WindowSource::anotherVersionBringsItsTexts()
{
    const auto window = opened(3);
    SourceView& source = sourceOf(*window);
    source.setTab(SourceText::Numpy);
    const int lines = source.page().count();
    QVERIFY(source.page().file().endsWith(QStringLiteral("fa2_forward.py")));
    for (const char* version : { "fa3", "fa2" }) {
        QSignalSpy shown(window.get(), &MainWindow::runShown);
        window->openVersion(QString::fromLatin1(version), QStringLiteral("h100"));
        QVERIFY(!shown.isEmpty() || shown.wait(30000));
        QCOMPARE(source.tab(), SourceText::Numpy); // what was looked at stays
        for (const SourceText tab : { SourceText::Schedule, SourceText::Paper, SourceText::Numpy })
            QVERIFY(source.page(tab).file().contains(QString::fromLatin1(version) + QStringLiteral("_forward")));
        QVERIFY((source.page().count() == lines) == (QLatin1String(version) == QLatin1String("fa2")));
        const Session session = window->session();
        goTo(session, Position { session.document.trace().end().value / 2 });
        QVERIFY(!source.currentOf(SourceText::Numpy).empty());
    }
}

void WindowSource::currentLineIsInSightAndReadable()
{
    const auto window = opened(6);
    const Session session = window->session();
    SourceView& source = sourceOf(*window);
    window->showView(QStringLiteral("source"));
    QApplication::processEvents();
    for (const SourceText tab : { SourceText::Schedule, SourceText::Paper, SourceText::Numpy }) {
        source.setTab(tab);
        for (const Position p : somePositions(session, 30)) {
            goTo(session, p);
            const LineMap::Place place = source.page().placeOf(session.document.trace(), currentInstance(session));
            if (place.line > 0)
                QVERIFY(source.viewport()->rect().intersects(source.lineRect(place.line)));
        }
    }
    if (qEnvironmentVariableIsSet("FLASHSTEP_KEEP_PICTURES")) // to be looked at
        for (const SourceText tab : { SourceText::Schedule, SourceText::Paper, SourceText::Numpy })
            for (const auto theme : { Appearance::Choice::Light, Appearance::Choice::Dark }) {
                source.setTab(tab);
                session.appearance.setChoice(theme);
                QApplication::processEvents();
                window->grab().save(QStringLiteral("%1/source_%2_%3.png")
                                        .arg(qEnvironmentVariable("FLASHSTEP_KEEP_PICTURES"))
                                        .arg(static_cast<int>(tab))
                                        .arg(static_cast<int>(theme)));
            }
}

QTEST_MAIN(WindowSource)
#include "window_source_test.moc"
