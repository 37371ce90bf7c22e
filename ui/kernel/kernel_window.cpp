// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/kernel_window.h"

#include "ui/actions.h"
#include "ui/appearance.h"
#include "ui/kernel/code_list.h"
#include "ui/kernel/code_views.h"
#include "ui/kernel/kernel_transport.h"
#include "ui/kernel/matrix_view.h"
#include "ui/kernel/register_view.h"
#include "ui/kernel/shared_view.h"
#include "ui/kernel/side_panels.h"
#include "ui/kernel/strip_view.h"
#include "ui/paint/text.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QSplitter>
#include <QStatusBar>
#include <QTabBar>
#include <QTabWidget>
#include <QTimer>
#include <QVBoxLayout>

namespace flashstep::ui {

namespace {

constexpr int wideFrom = 1240; // below it shared memory is a tab beside the registers

QString problemText(const Problem& p)
{
    QString text
        = QObject::tr("%1 head(s), %2 queries × %3 keys, d %4, %5, %6")
              .arg(p.heads * p.batch)
              .arg(p.seqlenQ)
              .arg(p.seqlenK)
              .arg(p.headDim)
              .arg(fromView(flashstep::name(p.dtype)),
                  p.mask.kind == MaskKind::None ? QObject::tr("no mask") : QString::fromStdString(p.mask.text()));
    return text.replace(QStringLiteral("1 head(s)"), QStringLiteral("1 head"))
        .replace(QStringLiteral("head(s)"), QStringLiteral("heads"));
}

// A label that gives way: what has no room ends in an ellipsis and is told on hover.
class GivingLabel : public QLabel {
public:
    using QLabel::QLabel;
    [[nodiscard]] QSize minimumSizeHint() const override { return { 40, QLabel::minimumSizeHint().height() }; }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        QPainter painter(this);
        painter.setPen(palette().color(foregroundRole()));
        painter.setFont(font());
        painter.drawText(
            rect(), Qt::AlignLeft | Qt::AlignVCenter, fontMetrics().elidedText(text(), Qt::ElideRight, width()));
    }
};

} // namespace

KernelWindow::KernelWindow(Appearance& appearance, QWidget* parent)
    : QMainWindow(parent)
    , m_appearance(appearance)
    , m_actions(new Actions(this))
{
    setObjectName(QStringLiteral("kernelWindow"));
    installAccessibility();
    makeParts();
    makeMenus();
    connectRunner();
    resize(appearance.px(1440), appearance.px(900));
    showTitle();
}

KernelWindow::~KernelWindow() = default;

QStringList KernelWindow::tabNames()
{
    return { QStringLiteral("registers"), QStringLiteral("matrix"), QStringLiteral("shared"), QStringLiteral("warps"),
        QStringLiteral("faults") };
}

void KernelWindow::makeParts()
{
    auto* centre = new QWidget(this);
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);

    m_kernelBox = new ComboBox(centre);
    m_kernelBox->setAccessibleName(tr("Kernel"));
    for (const cuda::KernelPlan& kernel : cuda::kernelPlans()) {
        if (!kernel.traced)
            m_kernelBox->addItem(QString::fromLatin1(kernel.name));
    }
    m_problem = new GivingLabel(centre);
    setRole(m_problem, "info");
    auto* top = new QWidget(centre);
    auto* topRow = new QHBoxLayout(top);
    topRow->setContentsMargins(12, 6, 12, 2);
    topRow->setSpacing(12);
    topRow->addWidget(m_kernelBox);
    topRow->addWidget(m_problem, 1);
    m_goTo = new QLineEdit(top);
    m_goTo->setPlaceholderText(tr("go to: 1204, 900cy, line:72, fault:1"));
    m_goTo->setAccessibleName(tr("Go to a position"));
    m_goTo->setToolTip(tr("A step, a modelled cycle, the next execution of a CUDA or PTX line (line:72, ptx:518), a "
                          "fault, or end (Ctrl+G)"));
    m_goTo->setFixedWidth(m_appearance.px(240));
    topRow->addWidget(m_goTo);
    connect(m_goTo, &QLineEdit::returnPressed, this, [this] {
        if (const Status found = goTo(m_goTo->text()); !found)
            say(QString::fromStdString(found.error().line()));
        else
            m_transport->setFocus();
    });
    column->addWidget(top);
    m_transport = new KernelTransport(m_state, m_appearance, centre);
    column->addWidget(m_transport);

    m_busy = new QFrame(centre);
    setRole(m_busy, "notice");
    auto* busyRow = new QHBoxLayout(m_busy);
    busyRow->setContentsMargins(12, 6, 12, 6);
    busyRow->setSpacing(12);
    m_busyText = makeLabel({}, "value", m_busy);
    m_progress = new QProgressBar(m_busy);
    m_progress->setTextVisible(false);
    auto* cancel = new QPushButton(tr("Cancel"), m_busy);
    connect(cancel, &QPushButton::clicked, &m_runner, &KernelRunner::cancel);
    busyRow->addWidget(m_busyText);
    busyRow->addWidget(m_progress, 1);
    busyRow->addWidget(cancel);
    m_busy->hide();
    column->addWidget(m_busy);
    m_failed = new QFrame(centre);
    setRole(m_failed, "notice");
    m_failed->setProperty("fault", true);
    auto* failedRow = new QHBoxLayout(m_failed);
    failedRow->setContentsMargins(12, 6, 12, 6);
    m_failure = makeLabel({}, "value", m_failed);
    m_failure->setWordWrap(true);
    failedRow->addWidget(m_failure, 1);
    m_failed->hide();
    column->addWidget(m_failed);

    m_cuda = new CudaView(m_state, m_appearance, centre);
    m_ptx = new PtxView(m_state, m_appearance, centre);
    m_card = new InstructionCard(m_state, m_appearance, centre);
    m_warps = new WarpList(m_state, m_appearance, centre);
    m_findings = new FindingList(m_state, m_appearance, centre);
    m_registers = new RegisterView(m_state, m_appearance, centre);
    m_matrix = new MatrixView(m_state, m_appearance, centre);
    m_shared = new SharedView(m_state, m_appearance, centre);
    m_strip = new StripView(m_state, m_appearance, centre);

    const auto tabs = [this, centre](const QString& name) {
        auto* widget = new QTabWidget(centre);
        widget->setDocumentMode(true);
        widget->setAccessibleName(name);
        widget->tabBar()->setExpanding(false);
        return widget;
    };
    m_side = tabs(tr("Instruction, warps and faults"));
    m_side->addTab(m_card, tr("Instruction"));
    m_side->addTab(m_warps, tr("Warps"));
    m_side->addTab(m_findings, tr("Faults"));
    m_left = tabs(tr("Registers and matrices"));
    m_left->addTab(m_registers, tr("Registers"));
    m_left->addTab(m_matrix, tr("Matrix"));
    m_right = tabs(tr("Shared memory"));
    m_right->addTab(m_shared, tr("Shared memory"));

    m_code = new QSplitter(Qt::Horizontal, centre);
    m_code->addWidget(m_cuda);
    m_code->addWidget(m_ptx);
    m_code->addWidget(m_side);
    m_lower = new QSplitter(Qt::Horizontal, centre);
    m_lower->addWidget(m_left);
    m_lower->addWidget(m_right);
    // Their bars may be cut while the window gets narrower, before it is arranged anew.
    for (QWidget* part : { static_cast<QWidget*>(m_left), static_cast<QWidget*>(m_right), static_cast<QWidget*>(m_cuda),
             static_cast<QWidget*>(m_ptx), static_cast<QWidget*>(m_side) })
        part->setMinimumWidth(m_appearance.px(200));
    m_all = new QSplitter(Qt::Vertical, centre);
    m_all->addWidget(m_code);
    m_all->addWidget(m_lower);
    for (QSplitter* splitter : { m_code, m_lower, m_all }) {
        splitter->setChildrenCollapsible(false);
        splitter->setHandleWidth(3);
        connect(splitter, &QSplitter::splitterMoved, this, [this] { m_arrangedByHand = true; });
    }
    column->addWidget(m_all, 1);
    column->addWidget(m_strip);
    setCentralWidget(centre);
    m_status = new QLabel(this);
    m_status->setContentsMargins(12, 0, 12, 0);
    statusBar()->addWidget(m_status, 1);
    statusBar()->setSizeGripEnabled(false);
    arrange();

    connect(m_kernelBox, QOverload<int>::of(&QComboBox::activated), this, [this] {
        KernelRequest request { m_kernelBox->currentText().toStdString(), m_request.file, {} };
        request.file.given.erase("head_dim");
        request.file.given.erase("head_dim_v");
        request.file.given.erase("dtype");
        request.file = smallProblem(*cuda::findKernelPlan(request.kernel), request.file);
        open(request);
    });
    connect(m_ptx, &PtxView::dropAsked, this, [this](int line) { dropLine(static_cast<std::uint32_t>(line)); });
    connect(m_findings, &FindingList::counted, this, [this](int faults) {
        m_side->setTabText(2, faults == 0 ? tr("Faults") : tr("Faults (%1)").arg(faults));
        if (faults > 0)
            m_side->setCurrentIndex(2);
    });
    connect(&m_state, &KernelState::said, this, &KernelWindow::say);
    connect(&m_state, &KernelState::moved, this, [this] { say({}); });
}

void KernelWindow::arrange()
{
    const int width = this->width(), height = this->height();
    m_code->setSizes({ width * 36 / 100, width * 36 / 100, width * 28 / 100 });
    m_lower->setSizes({ width * 54 / 100, width * 46 / 100 });
    // Little height: the tables keep theirs.
    const int upper = height < m_appearance.px(800) ? 42 : 52;
    m_all->setSizes({ height * upper / 100, height * (86 - upper) / 100 });
}

void KernelWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    const bool wide = width() >= m_appearance.px(wideFrom);
    if (wide != m_wide) {
        m_wide = wide;
        if (wide)
            m_right->addTab(m_shared, tr("Shared memory"));
        else
            m_left->addTab(m_shared, tr("Shared memory"));
        m_right->setVisible(wide);
        m_arrangedByHand = false;
    }
    if (!m_arrangedByHand)
        arrange();
}

void KernelWindow::connectRunner()
{
    connect(&m_runner, &KernelRunner::started, this, [this] {
        m_failed->hide();
        m_busyText->setText(tr("Running %1 on the emulated GPU …").arg(QString::fromStdString(m_request.kernel)));
        m_progress->setRange(0, 0);
        // What takes less is not worth a word.
        QTimer::singleShot(200, this, [this] { m_busy->setVisible(m_runner.running()); });
    });
    connect(&m_runner, &KernelRunner::progressed, this, [this](double fraction) {
        m_progress->setRange(0, 1000);
        m_progress->setValue(static_cast<int>(fraction * 1000));
        m_busyText->setText(tr("Looking up what was written when …"));
    });
    connect(&m_runner, &KernelRunner::finished, this, [this](const std::shared_ptr<KernelSubject>& subject) {
        m_busy->hide();
        m_state.load(subject);
        showTitle();
        emit shown();
    });
    connect(&m_runner, &KernelRunner::failed, this, [this](const Error& error) {
        m_busy->hide();
        m_failure->setText(QString::fromStdString(error.line()));
        m_failed->show();
        if (!m_state.empty())
            m_request = m_state.subject().request; // what is on show stays
        emit failed();
    });
    connect(&m_runner, &KernelRunner::cancelled, this, [this] {
        m_busy->hide();
        if (!m_state.empty())
            m_request = m_state.subject().request;
        say(tr("Cancelled"));
    });
}

void KernelWindow::open(const KernelRequest& request)
{
    m_request = request;
    m_runner.start(request);
}

void KernelWindow::dropLine(std::uint32_t line)
{
    KernelRequest request = m_request;
    if (request.dropped.erase(line) == 0)
        request.dropped.insert(line);
    open(request);
}

Status KernelWindow::showTab(const QString& name)
{
    const QHash<QString, QWidget*> pages { { QStringLiteral("registers"), m_registers },
        { QStringLiteral("matrix"), m_matrix }, { QStringLiteral("shared"), m_shared },
        { QStringLiteral("warps"), m_warps }, { QStringLiteral("faults"), m_findings },
        { QStringLiteral("instruction"), m_card } };
    QWidget* page = pages.value(name);
    if (page == nullptr)
        return Error { "there is no part '" + name.toStdString() + "'", "--focus",
            tabNames().join(QStringLiteral(", ")).toStdString() };
    for (QTabWidget* tabs : { m_side, m_left, m_right }) {
        if (tabs->indexOf(page) >= 0)
            tabs->setCurrentWidget(page);
    }
    return Nothing {};
}

Status KernelWindow::goTo(const QString& position)
{
    QString accepted;
    if (m_state.empty())
        return Error { "nothing is open", "--at", {} };
    if (!m_state.seekText(position, &accepted))
        return Error { "'" + position.toStdString() + "' is no position of this run", "--at", accepted.toStdString() };
    return Nothing {};
}

QString KernelWindow::failureText() const
{
    return m_failed->isVisibleTo(this) ? m_failure->text() : QString();
}

void KernelWindow::showTitle()
{
    if (m_state.empty()) {
        setWindowTitle(tr("A kernel's own instructions – FlashStep"));
        return;
    }
    const KernelSubject& subject = m_state.subject();
    setWindowTitle(tr("%1: its own instructions – FlashStep").arg(QString::fromStdString(subject.request.kernel)));
    m_kernelBox->setCurrentText(QString::fromStdString(subject.request.kernel));
    const ptx::KernelRun& run = subject.session->run();
    QString text = problemText(subject.problem) + QStringLiteral(" · ")
        + tr("%1 instructions of warps, times modelled for %2")
              .arg(paint::grouped(static_cast<std::int64_t>(run.steps)), QString::fromStdString(subject.gpu).toUpper());
    if (!subject.request.dropped.empty()) {
        QStringList lines;
        for (const std::uint32_t line : subject.request.dropped)
            lines.append(QString::number(line));
        text += QStringLiteral(" · ")
            + tr("broken on purpose: without PTX line %1").arg(lines.join(QStringLiteral(", ")));
    }
    m_problem->setText(text);
    m_problem->setToolTip(text);
}

void KernelWindow::say(const QString& text)
{
    if (!text.isEmpty() || m_state.empty()) {
        m_status->setText(text);
        return;
    }
    const std::size_t faults = m_state.session().run().findings.size() + m_state.session().run().deadlock.size();
    m_status->setText(tr("CTA %1, warp %2 · ").arg(m_state.now().cta).arg(m_state.now().warp)
        + (faults == 0        ? tr("no faults found in this run")
                : faults == 1 ? tr("1 fault found in this run")
                              : tr("%1 faults found in this run").arg(faults)));
}

} // namespace flashstep::ui
