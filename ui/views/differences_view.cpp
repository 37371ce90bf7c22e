// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/differences_view.h"

#include "core/emulation/run.h"
#include "core/io/recorded_scenario.h"
#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/paint/text.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QHeaderView>
#include <QLabel>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <cmath>

namespace flashstep::ui {

namespace {

enum Column { Op, Schedule, Recorded, Difference, Ratio, columns };
constexpr int summaryRole = Qt::UserRole + 1; // of OpDifferences::summaries
constexpr int instanceRole = Qt::UserRole + 2; // in the schedule
constexpr std::uint32_t mostInstances = 2000; // shown of one op; the command line lists them all

QString whole(double value)
{
    return paint::grouped(std::llround(value));
}

QString withSign(double value)
{
    const auto rounded = std::llround(value);
    return rounded == 0 ? QStringLiteral("0")
                        : (rounded > 0 ? QStringLiteral("+") : QStringLiteral("−")) + paint::grouped(std::abs(rounded));
}

QString ratioOf(double a, double b)
{
    return a > 0 ? QStringLiteral("× %1").arg(b / a, 0, 'g', 3) : QString();
}

// "measured" of "measured on NVIDIA H200".
QString standingWord(const OpTimes& side)
{
    return QString::fromStdString(side.standing.substr(0, side.standing.find_first_of(" ,:")));
}

QString placeOf(const OpTimes& side, const OpTimes::Row& row)
{
    QString text = QObject::tr("CTA %1, %2, i %3").arg(row.cta).arg(fromView(side.roles[row.role])).arg(row.i);
    return row.j == OpTimes::none ? text : text + QObject::tr(", j %1").arg(row.j);
}

// The last value of a knob; empty where it is not turned.
std::string knobOf(const Scenario& scenario, std::string_view key)
{
    std::string value;
    for (const auto& [name, given] : scenario.knobs)
        if (name == key)
            value = given;
    return value;
}

} // namespace

bool sameRun(const Scenario& recorded, const Run& run)
{
    Problem a = recorded.problem, b = run.scenario.problem;
    a.init = b.init;
    a.seed = b.seed;
    return recorded.algorithm == run.scenario.algorithm && recorded.pass == run.scenario.pass && a == b
        && (!recorded.tile || recorded.tile == run.program->tile)
        && (recorded.gpu.empty() || recorded.gpu == run.scenario.gpu)
        && knobOf(recorded, "fa1-form") == knobOf(run.scenario, "fa1-form");
}

DifferencesView::DifferencesView(const Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_statement(makeLabel({}, "info", this))
    , m_table(new QTreeWidget(this))
{
    setObjectName(QStringLiteral("view.differences"));
    setAccessibleName(tr("Recording against schedule, op by op"));
    setFocusProxy(m_table);
    m_statement->setWordWrap(true);
    m_statement->setContentsMargins(10, 6, 10, 6);
    m_table->setAccessibleName(accessibleName());
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setColumnCount(columns);
    m_table->setUniformRowHeights(true);
    m_table->setAllColumnsShowFocus(true);
    QHeaderView* header = m_table->header();
    header->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
    header->setStretchLastSection(false);
    header->setSectionResizeMode(QHeaderView::ResizeToContents);
    header->setSectionResizeMode(Op, QHeaderView::Stretch);
    header->setMinimumSectionSize(40);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_statement);
    column->addWidget(m_table, 1);
    connect(m_table, &QTreeWidget::itemExpanded, this, &DifferencesView::unfold);
    connect(m_table, &QTreeWidget::currentItemChanged, this, [this](QTreeWidgetItem* item) {
        if (item != nullptr && item->data(0, instanceRole).isValid())
            emit chosen(InstanceId(item->data(0, instanceRole).toUInt()));
    });
    connect(&session.document, &Document::changed, this, &DifferencesView::compute);
    connect(&session.appearance, &Appearance::changed, this, &DifferencesView::dress);
    dress();
    compute();
}

DifferencesView::~DifferencesView()
{
    m_worker = {};
}

QString DifferencesView::statement() const
{
    return m_statement->text();
}

void DifferencesView::setRecording(std::shared_ptr<const paint::RecordingLanes> recording)
{
    if (recording == m_recording)
        return;
    m_recording = std::move(recording);
    compute();
}

void DifferencesView::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_due)
        compute();
}

void DifferencesView::dress()
{
    const QFont font = m_session.appearance.uiFont(11.5);
    m_table->setFont(font);
    m_table->header()->setFont(m_session.appearance.uiFont(11));
    m_table->header()->setFixedHeight(m_session.appearance.px(34));
    m_table->setIndentation(m_session.appearance.px(12));
}

void DifferencesView::say(const QString& text)
{
    m_statement->setText(text);
    m_statement->setAccessibleName(text);
}

// On a worker thread: a recording may hold a million ops.
void DifferencesView::compute()
{
    m_worker.request_stop();
    ++m_generation;
    m_differences.reset();
    m_table->clear();
    m_due = !inSight(this) && m_recording != nullptr;
    if (m_recording == nullptr || m_session.document.empty()) {
        say(tr(
            "Open a recording of the kernel of this run, or make one (Run menu): here it is held against the schedule, "
            "op by op."));
        return;
    }
    if (m_due)
        return;
    const int generation = m_generation;
    const auto run = m_session.document.run();
    const auto lanes = m_recording;
    say(tr("Comparing …"));
    m_worker = std::jthread([this, generation, run, lanes] {
        std::shared_ptr<const OpDifferences> made;
        QString refusal;
        const Result<ScenarioFile> recorded = recordedScenario(lanes->recording());
        if (!recorded || !sameRun(recorded->scenario, *run)) {
            refusal = tr("The recording is of another problem than the run on show, or does not say of which.");
        } else if (Result<OpTimes> schedule = opTimes(*run->trace); !schedule) {
            refusal = QString::fromStdString(schedule.error().line());
        } else {
            made = std::make_shared<const OpDifferences>(
                differencesOf(std::move(*schedule), opTimes(lanes->recording(), "recording")));
        }
        QMetaObject::invokeMethod(
            this, [this, generation, made, refusal] { take(generation, made, refusal); }, Qt::QueuedConnection);
    });
}

void DifferencesView::take(int generation, std::shared_ptr<const OpDifferences> differences, const QString& refusal)
{
    if (generation != m_generation)
        return;
    m_differences = std::move(differences);
    if (m_differences)
        fill();
    else
        say(refusal);
    emit refreshed();
}

void DifferencesView::fill()
{
    const OpDifferences& d = *m_differences;
    const QString unit = d.converted ? QString::fromStdString(d.a.unit) : tr("as they stand");
    QString text = tr("Median time of a warp at an op, in cycles of the schedule's clock. %1 ops compared.")
                       .arg(paint::grouped(static_cast<std::int64_t>(d.pairs.size())));
    for (const std::string& note : d.notes)
        text += QLatin1Char(' ') + QString::fromStdString(note) + QLatin1Char('.');
    say(text);
    m_table->setHeaderLabels({ tr("Op"), tr("Schedule,\n%1").arg(standingWord(d.a)),
        tr("Recording,\n%1").arg(standingWord(d.b)), tr("Difference,\n%1").arg(unit), tr("Ratio") });
    m_table->headerItem()->setTextAlignment(Op, Qt::AlignLeft | Qt::AlignVCenter);
    for (std::uint32_t k = 0; k < d.summaries.size(); ++k) {
        const OpSummary& s = d.summaries[k];
        if (s.pairs == 0)
            continue;
        auto* item = new QTreeWidgetItem(m_table,
            { QString::fromStdString(d.ops[s.op]), whole(s.medianA), whole(s.medianB), withSign(s.medianB - s.medianA),
                ratioOf(s.medianA, s.medianB) });
        item->setData(0, summaryRole, k);
        item->setChildIndicatorPolicy(QTreeWidgetItem::ShowIndicator);
        item->setToolTip(Op, tr("%n instance(s)", nullptr, static_cast<int>(s.pairs)));
        const auto tip = [&](const OpTimes& side, double median, double spread, double sum) {
            return tr("%1, %2: median %3, quartiles %4 apart, %5 in all, in %6")
                .arg(QString::fromStdString(side.what), QString::fromStdString(side.standing), whole(median),
                    whole(spread), whole(sum), unit);
        };
        item->setToolTip(Schedule, tip(d.a, s.medianA, s.spreadA, s.sumA));
        item->setToolTip(Recorded, tip(d.b, s.medianB, s.spreadB, s.sumB));
        for (int column = Schedule; column < columns; ++column)
            item->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
    }
    addAlone(tr("Only in the schedule"), d.a, d.onlyInA, true);
    addAlone(tr("Only in the recording"), d.b, d.onlyInB, false);
}

void DifferencesView::unfold(QTreeWidgetItem* item)
{
    if (!m_differences || item->childCount() > 0 || !item->data(0, summaryRole).isValid())
        return;
    const OpDifferences& d = *m_differences;
    const OpSummary& s = d.summaries[item->data(0, summaryRole).toUInt()];
    for (std::uint32_t k = 0; k < std::min(s.pairs, mostInstances); ++k)
        addInstance(item, d.pairs[s.firstPair + k]);
    if (s.pairs > mostInstances)
        new QTreeWidgetItem(item, { tr("%1 more: flashstep-cli device compare").arg(s.pairs - mostInstances) });
}

void DifferencesView::addInstance(QTreeWidgetItem* parent, const OpPair& pair)
{
    const OpDifferences& d = *m_differences;
    const double a = d.timeA(pair), b = d.timeB(pair);
    const OpTimes::Row& row = d.b.rows[pair.b];
    auto* item = new QTreeWidgetItem(parent, { placeOf(d.b, row), whole(a), whole(b), withSign(b - a), ratioOf(a, b) });
    item->setData(0, instanceRole, d.a.rows[pair.a].origin);
    item->setToolTip(Recorded, tr("%1 %2").arg(paint::grouped(row.length), QString::fromStdString(d.b.unit)));
    for (int column = Schedule; column < columns; ++column)
        item->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
}

// Counted by op, and named one by one below.
void DifferencesView::addAlone(
    const QString& title, const OpTimes& side, const std::vector<std::uint32_t>& rows, bool ofSchedule)
{
    if (rows.empty())
        return;
    auto* group
        = new QTreeWidgetItem(m_table, { tr("%1: %2").arg(title, paint::grouped(static_cast<int>(rows.size()))) });
    QTreeWidgetItem* kind = nullptr;
    std::uint32_t op = ~0U, shown = 0;
    const auto close = [&] {
        if (kind != nullptr)
            kind->setText(Op, QStringLiteral("%1: %2").arg(QString::fromStdString(side.ops[op])).arg(shown));
    };
    for (const std::uint32_t index : rows) { // they come op by op
        const OpTimes::Row& row = side.rows[index];
        if (row.op != op) {
            close();
            op = row.op;
            shown = 0;
            kind = new QTreeWidgetItem(group);
        }
        if (++shown > mostInstances)
            continue;
        auto* item = new QTreeWidgetItem(kind, { placeOf(side, row) });
        const int column = ofSchedule ? Schedule : Recorded;
        item->setText(column, whole(static_cast<double>(row.length) * (ofSchedule ? 1 : m_differences->factor)));
        item->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
        if (ofSchedule)
            item->setData(0, instanceRole, row.origin);
    }
    close();
}

} // namespace flashstep::ui
