// SPDX-License-Identifier: GPL-3.0-or-later
// The window of a kernel: what it shows at a position is what a session of the same kernel says there, whichever way
// it was reached.
#include "core/hardware/spec.h"
#include "core/ptx/parser.h"
#include "open_window.h"
#include "resources/embedded/resources.h"
#include "ui/actions.h"
#include "ui/kernel/code_list.h"
#include "ui/kernel/code_views.h"
#include "ui/kernel/kernel_transport.h"
#include "ui/kernel/kernel_window.h"
#include "ui/kernel/matrix_view.h"
#include "ui/kernel/register_view.h"
#include "ui/kernel/shared_view.h"
#include "ui/kernel/side_panels.h"
#include "ui/kernel/strip_view.h"
#include "ui/paint/kernel_values.h"
#include "ui/views/controls.h"

#include <QSignalSpy>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;

namespace {

KernelRequest smallRequest(const char* kernel, std::set<std::uint32_t> dropped = {})
{
    ScenarioFile file;
    file.scenario.problem.seqlenQ = 64;
    file.scenario.problem.seqlenK = 128;
    file.given = { "seqlen_q", "seqlen_k" };
    return { kernel, smallProblem(*cuda::findKernelPlan(kernel), file), std::move(dropped) };
}

// The same kernel in a session of its own.
std::unique_ptr<ptx::KernelSession> sessionOf(const KernelRequest& request)
{
    KernelRequest copy = request;
    if (!loadInputs(copy.file))
        return {};
    const cuda::KernelPlan& plan = *cuda::findKernelPlan(request.kernel);
    auto module = ptx::parse(*resource("ptx/fa2_forward.ptx"), "fa2_forward.ptx");
    auto run = ptx::prepareKernel(plan, std::make_shared<const ptx::Module>(std::move(*module)), "fa2_forward.ptx",
        copy.file.scenario.problem, generateInputs(copy.file.scenario.problem));
    ptx::RunOptions options;
    options.gpu = findGpu("a100");
    return std::move(ptx::KernelSession::make(std::move(*run), options, {})).value();
}

// The first line of the PTX entry with this opcode.
std::uint32_t lineOf(const KernelWindow& window, const char* text)
{
    const KernelState& state = const_cast<KernelWindow&>(window).state();
    for (const ptx::Statement& s : state.now().code->function->statements) {
        if (QString::fromStdString(s.text()).startsWith(QLatin1String(text)))
            return s.line;
    }
    return 0;
}

} // namespace

class WindowKernel : public QObject {
    Q_OBJECT
private slots:
    void init();
    void cleanup();
    void showsTheRegistersOfTheSessionAtEachStepBothWays();
    void seeksAndComesBackToTheSameValues();
    void theChosenWarpIsTheOneThatSteps();
    void aClickOnALineGoesToItsNextExecution();
    void pointingAtALineLightsItsInstructions();
    void stepsByLineAndThroughBarriers();
    void sharedMemoryIsThatOfTheSession();
    void aMatrixShowsEachLanesElementsInTheirPlaces();
    void aCleanKernelSaysSo();
    void aDroppedBarrierIsFoundAndLedTo();
    void breakpointsStopRunning();
    void everyPartSpeaks();
    void bothThemesAndSizesPaint();
    void aCancelledRunLeavesWhatWasOpen();
    void opensFromTheMainWindow();
    void aScenarioWithoutAKernelSaysWhy();

private:
    void open(const KernelRequest& request);
    std::unique_ptr<Appearance> m_appearance;
    std::unique_ptr<KernelWindow> m_window;
};

void WindowKernel::init()
{
    m_appearance = std::make_unique<Appearance>();
    m_window = std::make_unique<KernelWindow>(*m_appearance);
    m_window->resize(1440, 900);
    m_window->show();
}

void WindowKernel::cleanup()
{
    m_window.reset();
    m_appearance.reset();
}

void WindowKernel::open(const KernelRequest& request)
{
    QSignalSpy shown(m_window.get(), &KernelWindow::shown);
    m_window->open(request);
    if (shown.isEmpty())
        QVERIFY2(shown.wait(60000), qPrintable(m_window->failureText()));
    QApplication::processEvents();
}

void WindowKernel::showsTheRegistersOfTheSessionAtEachStepBothWays()
{
    const KernelRequest request = smallRequest("fa2_forward_d64");
    open(request);
    const auto session = sessionOf(request);
    QVERIFY(session);
    KernelState& state = m_window->state();
    QCOMPARE(state.end(), session->end());
    const RegisterTable& table = m_window->registers().table();
    const auto agree = [&] {
        const ptx::Cta* cta = session->at(state.position()).resident(0);
        for (const RegisterRow& row : table.rows()) {
            for (const int lane : { 0, 13, 31 }) {
                const QString shown = table.cellText(row.number, lane);
                if (shown == QString(QChar(0x2013)))
                    continue;
                const ptx::Place& place = state.now().code->places[row.number];
                const QString expected = paint::registerText(
                    paint::registerBits(session->codeAt(state.position()), cta->warps[0], row.number, lane),
                    state.kindOf(row.number), place.rows >= 2);
                if (shown != expected)
                    return false;
            }
        }
        return !table.rows().empty();
    };
    state.seek(state.end() / 3);
    for (int k = 0; k < 60; ++k) {
        state.step(ptx::StepKind::Instruction, true);
        QVERIFY(agree());
    }
    for (int k = 0; k < 80; ++k) {
        state.step(ptx::StepKind::Instruction, false);
        QVERIFY(agree());
    }
}

void WindowKernel::seeksAndComesBackToTheSameValues()
{
    open(smallRequest("fa2_forward_d64"));
    KernelState& state = m_window->state();
    QVERIFY(m_window->goTo(QStringLiteral("2000")));
    QCOMPARE(state.position(), std::uint64_t { 2000 });
    const ptx::Warp before = *state.now().registers;
    const std::vector<std::byte> shared = state.now().block->shared;
    QVERIFY(m_window->goTo(QStringLiteral("end")));
    QCOMPARE(state.position(), state.end());
    m_window->transport().slider().setValue(3);
    QVERIFY(state.position() < 100);
    QVERIFY(m_window->goTo(QStringLiteral("2000")));
    QVERIFY(state.now().registers->cells == before.cells);
    QVERIFY(state.now().block->shared == shared);
    QVERIFY(!m_window->goTo(QStringLiteral("nowhere")));
    QCOMPARE(state.position(), std::uint64_t { 2000 });
    QVERIFY(m_window->transport().positionText().contains(QStringLiteral("modelled cycle")));
}

void WindowKernel::theChosenWarpIsTheOneThatSteps()
{
    open(smallRequest("fa2_forward_d64"));
    KernelState& state = m_window->state();
    state.seek(500);
    m_window->transport().warpBox().setCurrentIndex(3); // any, 0, 1, 2
    emit m_window->transport().warpBox().activated(3);
    QCOMPARE(state.now().warp, 2U);
    for (int k = 0; k < 10; ++k) {
        m_window->transport().step(true);
        const ptx::Step& done = state.session().step(state.position() - 1);
        QCOMPARE(std::uint32_t { done.warp }, 2U);
    }
    emit m_window->transport().warpBox().activated(0);
    m_window->transport().warpBox().setCurrentIndex(0);
    emit m_window->transport().warpBox().activated(0);
    QVERIFY(state.followsAny());
    const std::uint64_t here = state.position();
    m_window->transport().step(true);
    QCOMPARE(state.position(), here + 1);
    QCOMPARE(state.now().warp, std::uint32_t { state.session().step(here + 1).warp });
}

void WindowKernel::aClickOnALineGoesToItsNextExecution()
{
    open(smallRequest("fa2_forward_d64"));
    KernelState& state = m_window->state();
    CodeList& list = m_window->cuda().kernel();
    // The line of the exponentials, by its text.
    int line = 0;
    for (const CodeList::Line& l : list.lines()) {
        if (l.text.contains(QStringLiteral("exponentials(S, m")))
            line = l.number;
    }
    QVERIFY(line > 0);
    emit list.asked(line, false);
    QCOMPARE(state.ownPlace(state.now().pc).line, line);
    QCOMPARE(list.marks().current, line);
    const std::uint64_t first = state.position();
    emit list.asked(line, false); // the next key block's
    QVERIFY(state.position() > first);
    QCOMPARE(state.ownPlace(state.now().pc).line, line);
    emit list.asked(line, true);
    QCOMPARE(state.position(), first);
    // A click on the screen does the same.
    const QRect rect = list.lineRect(line);
    QVERIFY(rect.isValid());
    QTest::mouseClick(list.viewport(), Qt::LeftButton, Qt::NoModifier, rect.center());
    QVERIFY(state.position() > first);
    QVERIFY(!m_window->cuda().helperFile().empty()); // it is inlined from a helper, which is on show
    QCOMPARE(m_window->cuda().helper().marks().current, state.innerPlace(state.now().pc).line);
}

void WindowKernel::pointingAtALineLightsItsInstructions()
{
    open(smallRequest("fa2_forward_d64"));
    KernelState& state = m_window->state();
    CodeList& cuda = m_window->cuda().kernel();
    CodeList& ptxList = m_window->ptx().list();
    QVERIFY(state.seekLine({ state.subject().plan->file, 72 }, true));
    emit cuda.pointedAt(72);
    QVERIFY(ptxList.marks().pointed.size() > 10);
    const int ptxLine = static_cast<int>(state.ptxLine(state.now().pc));
    emit ptxList.pointedAt(ptxLine);
    QVERIFY(cuda.marks().pointed.count(state.ownPlace(state.now().pc).line) == 1);
    emit ptxList.pointedAt(0);
    QVERIFY(cuda.marks().pointed.empty());
}

void WindowKernel::stepsByLineAndThroughBarriers()
{
    open(smallRequest("fa2_forward_d64"));
    KernelState& state = m_window->state();
    const auto lineNow = [&] { return state.innerPlace(state.now().pc); };
    const SourcePlace before = lineNow();
    state.step(ptx::StepKind::Line, true);
    QVERIFY(!(lineNow() == before));
    state.step(ptx::StepKind::Barrier, true);
    const ptx::Instruction& i = state.now().code->instructions[state.session().step(*state.now().past).pc];
    QVERIFY(i.flow == ptx::Flow::Barrier || i.flow == ptx::Flow::Wait);
    const std::uint64_t there = state.position();
    state.step(ptx::StepKind::Barrier, true);
    state.step(ptx::StepKind::Barrier, false);
    QVERIFY(state.position() >= there);
    QTest::keyClick(m_window.get(), Qt::Key_F10);
    QTest::keyClick(m_window.get(), Qt::Key_F10, Qt::ShiftModifier);
}

void WindowKernel::sharedMemoryIsThatOfTheSession()
{
    const KernelRequest request = smallRequest("fa2_forward_d64");
    open(request);
    const auto session = sessionOf(request);
    KernelState& state = m_window->state();
    // Nothing has been written once the CTA has begun; at the first product its operands have.
    QVERIFY(m_window->shared().grid().scene().words.empty());
    state.seek(1);
    QVERIFY(m_window->shared().grid().scene().words.size() >= 64 * 64 * 2 / 4 * 3);
    for (const paint::SharedWord& word : m_window->shared().grid().scene().words)
        QVERIFY(!word.written);
    QVERIFY(state.seekPtxLine(lineOf(*m_window, "ldmatrix"), true));
    const paint::SharedScene& scene = m_window->shared().grid().scene();
    const ptx::Cta* cta = session->at(state.position()).resident(0);
    int touched = 0;
    for (std::size_t k = 0; k < scene.words.size(); ++k) {
        std::uint32_t value = 0;
        std::memcpy(&value, cta->shared.data() + 4 * k, 4);
        QCOMPARE(scene.words[k].value, value);
        touched += scene.words[k].lane >= 0 ? 1 : 0;
        QVERIFY(scene.words[k].lane < 0 || scene.words[k].written);
    }
    QCOMPARE(touched, 32 * 4); // 16 bytes for each lane's row
    QVERIFY(m_window->shared().grid().sentence().contains(QStringLiteral("4 wavefronts, no bank conflict")));
    // The swizzle: rows of a tile side by side have their first chunks in different places.
    m_window->shared().grid().chooseRow(1, 3);
    QCOMPARE(scene.chosenRow, 3);
    QCOMPARE(scene.tiles[1].chunkAt(3, 0) - scene.tiles[1].base, 3U * 128 + 3 * 16);
    // While copies are on their way, their destinations say so.
    QVERIFY(state.seekPtxLine(lineOf(*m_window, "cp.async.wait_group"), false));
    state.seek(0);
    QVERIFY(state.seekPtxLine(lineOf(*m_window, "cp.async.wait_group"), true));
    int flying = 0;
    for (const paint::SharedWord& word : scene.words)
        flying += word.inFlight ? 1 : 0;
    QVERIFY(flying > 0);
}

void WindowKernel::aMatrixShowsEachLanesElementsInTheirPlaces()
{
    open(smallRequest("fa2_forward_d64"));
    KernelState& state = m_window->state();
    QVERIFY(state.seekPtxLine(lineOf(*m_window, "mma"), true));
    QVERIFY(m_window->showTab(QStringLiteral("matrix")));
    const auto& scene = m_window->matrix().canvas().scene();
    QVERIFY(scene.has_value());
    QCOMPARE(scene->rows, 16);
    QCOMPARE(scene->columns, 16);
    QCOMPARE(scene->cells.size(), std::size_t { 256 });
    // A is Q: 16 rows of the warp, as the input has them.
    KernelRequest request = smallRequest("fa2_forward_d64");
    QVERIFY(loadInputs(request.file));
    const Inputs inputs = generateInputs(request.file.scenario.problem);
    for (const paint::MatrixCell& cell : scene->cells) {
        QVERIFY(cell.written);
        const float q = inputs.q.data[static_cast<std::size_t>(cell.row * 64 + cell.column)];
        QCOMPARE(static_cast<float>(cell.value), q);
    }
    state.seek(0);
    QVERIFY(!m_window->matrix().canvas().scene().has_value());
}

void WindowKernel::aCleanKernelSaysSo()
{
    for (const char* kernel : { "fa2_forward_d64_fp16", "fa1_forward_d64", "standard_d64" }) {
        open(smallRequest(kernel));
        QCOMPARE(m_window->findings().count(), 1);
        QCOMPARE(m_window->findings().item(0)->text(), QStringLiteral("no faults found"));
    }
    // Several launches: on from one to the next, and back.
    KernelState& state = m_window->state();
    QCOMPARE(state.subject().firstSteps.size(), std::size_t { 4 });
    state.seek(state.subject().firstSteps[1] - 1);
    QCOMPARE(state.now().launch, 0U);
    for (int k = 0; k < 3; ++k)
        state.step(ptx::StepKind::Instruction, true);
    QCOMPARE(state.now().launch, 1U);
    QVERIFY(m_window->transport().positionText().contains(QStringLiteral("launch 2 of 3")));
    // A line of a later launch is found from the first one, and one of the first from there.
    state.seek(0);
    const std::uint32_t last = state.subject().session->run().codes[2]->function->statements[5].line;
    QVERIFY(state.seekPtxLine(last, true));
    QCOMPARE(state.now().launch, 2U);
    QCOMPARE(state.ptxLine(state.now().pc), last);
    QVERIFY(state.seekPtxLine(state.subject().session->run().codes[0]->function->statements[5].line, true));
    QCOMPARE(state.now().launch, 0U);
    state.seek(state.end());
    QVERIFY(!state.now().next.has_value());
}

void WindowKernel::aDroppedBarrierIsFoundAndLedTo()
{
    open(smallRequest("fa2_forward_d64"));
    const std::uint32_t line = lineOf(*m_window, "cp.async.wait_group");
    QVERIFY(line > 0);
    QSignalSpy shown(m_window.get(), &KernelWindow::shown);
    m_window->dropLine(line);
    QVERIFY(shown.wait(60000));
    QVERIFY(m_window->state().session().run().findings.size() > 0);
    FindingList& list = m_window->findings();
    QVERIFY(list.count() > 0);
    const QString text = list.item(0)->text();
    QVERIFY2(text.contains(QStringLiteral("class o")) || text.contains(QStringLiteral("class l")), qPrintable(text));
    QVERIFY(text.contains(QStringLiteral("PTX line")));
    emit list.itemClicked(list.item(0));
    const ptx::Finding& finding = m_window->state().session().run().findings[0];
    QCOMPARE(m_window->state().position(), m_window->state().session().positionOf(finding) - 1);
    QCOMPARE(m_window->state().now().pc, finding.party.pc);
    QCOMPARE(m_window->state().now().warp, finding.party.warp);
    QVERIFY(m_window->ptx().list().marks().dropped.count(static_cast<int>(line)) == 1);
    QVERIFY(m_window->ptx().list().marks().faults.count(static_cast<int>(m_window->state().ptxLine(finding.party.pc))));
    m_window->dropLine(line); // and back
    QVERIFY(shown.wait(60000));
    QCOMPARE(list.item(0)->text(), QStringLiteral("no faults found"));
}

void WindowKernel::breakpointsStopRunning()
{
    open(smallRequest("fa2_forward_d64"));
    KernelState& state = m_window->state();
    QVERIFY(!state.seekBreakpoint(true));
    const SourcePlace place { state.subject().plan->file, 72 };
    state.toggleBreakpoint(place);
    QVERIFY(m_window->cuda().kernel().marks().breakpoints.count(72) == 1);
    QVERIFY(state.seekBreakpoint(true));
    QCOMPARE(state.ownPlace(state.now().pc).line, 72);
    const std::uint64_t first = state.position();
    QVERIFY(state.seekBreakpoint(true)); // the second key block
    QVERIFY(!state.seekBreakpoint(true));
    QVERIFY(state.seekBreakpoint(false));
    QCOMPARE(state.position(), first);
    state.toggleBreakpoint(place);
    QVERIFY(state.breakpoints().empty());
}

void WindowKernel::everyPartSpeaks()
{
    open(smallRequest("fa2_forward_d64"));
    m_window->state().seekPtxLine(lineOf(*m_window, "mma"), true);
    for (QWidget* part :
        { static_cast<QWidget*>(&m_window->registers().table()), static_cast<QWidget*>(&m_window->matrix().canvas()),
            static_cast<QWidget*>(&m_window->shared().grid()), static_cast<QWidget*>(&m_window->strip()),
            static_cast<QWidget*>(&m_window->cuda().kernel()), static_cast<QWidget*>(&m_window->ptx().list()) }) {
        QVERIFY2(!part->accessibleName().isEmpty(), qPrintable(part->objectName()));
        QVERIFY(part->focusPolicy() == Qt::StrongFocus);
        QVERIFY(!dynamic_cast<AccessibleView*>(part)->accessibleNodes().empty());
    }
}

void WindowKernel::bothThemesAndSizesPaint()
{
    open(smallRequest("fa2_forward_d64"));
    m_window->state().seekPtxLine(lineOf(*m_window, "ldmatrix"), true);
    for (const QSize size : { QSize(1024, 700), QSize(1440, 900), QSize(1920, 1200) }) {
        m_window->resize(size);
        QImage images[2];
        for (const bool dark : { false, true }) {
            m_appearance->setChoice(dark ? Appearance::Choice::Dark : Appearance::Choice::Light);
            QApplication::processEvents();
            QCOMPARE(m_window->size(), size); // nothing insists on more room
            images[dark] = m_window->grab().toImage();
        }
        QVERIFY(qGray(images[0].pixel(4, 100)) > 200);
        QVERIFY(qGray(images[1].pixel(4, 100)) < 60);
    }
    m_appearance->setChoice(Appearance::Choice::Light);
}

void WindowKernel::aCancelledRunLeavesWhatWasOpen()
{
    open(smallRequest("fa2_forward_d64"));
    m_window->state().seek(700);
    KernelRequest large = smallRequest("fa1_forward_d64");
    large.file.scenario.problem.seqlenQ = large.file.scenario.problem.seqlenK = 2048;
    large.file.scenario.problem.heads = 8;
    large.file.given.insert("heads");
    QSignalSpy shown(m_window.get(), &KernelWindow::shown), cancelled(&m_window->runner(), &KernelRunner::cancelled);
    m_window->open(large);
    QTest::qWait(50);
    QVERIFY(m_window->runner().running());
    QCOMPARE(m_window->state().position(), std::uint64_t { 700 }); // it can be stepped meanwhile
    m_window->state().step(ptx::StepKind::Instruction, true);
    m_window->runner().cancel();
    QCOMPARE(cancelled.count(), 1);
    QVERIFY(!shown.wait(500));
    QCOMPARE(m_window->state().subject().request.kernel, std::string("fa2_forward_d64"));
    QVERIFY(m_window->state().position() > 700);
}

void WindowKernel::opensFromTheMainWindow()
{
    const auto window = test::openAt(QStringLiteral("0"));
    window->session().appearance.setChoice(Appearance::Choice::Light);
    ScenarioFile file;
    file.scenario.algorithm = "fa2";
    file.scenario.problem.seqlenQ = file.scenario.problem.seqlenK = 64;
    QSignalSpy run(window.get(), &MainWindow::runShown);
    window->start({ file, QString(), false });
    QVERIFY(run.wait(30000));
    window->openKernel();
    QVERIFY(window->kernelWindow() != nullptr);
    QSignalSpy shown(window->kernelWindow(), &KernelWindow::shown);
    QVERIFY(shown.wait(60000));
    QCOMPARE(window->kernelWindow()->state().subject().request.kernel, std::string("fa2_forward_d64"));
    QCOMPARE(window->kernelWindow()->state().subject().problem.seqlenQ, 64);
}

void WindowKernel::aScenarioWithoutAKernelSaysWhy()
{
    Scenario scenario;
    scenario.algorithm = "fa4";
    const auto none = kernelFor(scenario);
    QVERIFY(!none);
    QVERIFY(QString::fromStdString(none.error().line()).contains(QStringLiteral("fa2")));
    scenario.algorithm = "fa2";
    QVERIFY(kernelFor(scenario));
    scenario.problem.headDim = scenario.problem.headDimV = 32;
    const auto small = kernelFor(scenario);
    QVERIFY(!small);
    QVERIFY(QString::fromStdString(small.error().line()).contains(QStringLiteral("64")));
    KernelRequest request = smallRequest("fa2_forward_d64");
    request.kernel = "no_such_kernel";
    QSignalSpy failed(m_window.get(), &KernelWindow::failed);
    m_window->open(request);
    QVERIFY(failed.wait(10000));
    QVERIFY(m_window->failureText().contains(QStringLiteral("no_such_kernel")));
}

QTEST_MAIN(WindowKernel)
#include "window_kernel_test.moc"
