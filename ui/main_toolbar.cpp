// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/algorithms/registry.h" // before Qt, whose word "slots" it uses for a name of its own

#include "ui/main_window.h"

#include "core/emulation/run.h"
#include "ui/actions.h"
#include "ui/samples.h"
#include "ui/text.h"
#include "ui/views/controls.h"
#include "ui/views/notice_bar.h"

#include <QFileInfo>
#include <QLineEdit>
#include <QSettings>
#include <QToolBar>
#include <QToolButton>

namespace flashstep::ui {

namespace {

constexpr int pathRole = Qt::UserRole;
constexpr int sampleRole = Qt::UserRole + 1;
constexpr int maxRecent = 8;

QString shortName(const Algorithm& algorithm)
{
    const QString name = fromView(algorithm.name);
    return name == QStringLiteral("standard") ? QObject::tr("Standard") : name.toUpper();
}

QList<const Algorithm*> forwardAlgorithms()
{
    QList<const Algorithm*> list;
    for (const Algorithm& algorithm : algorithms())
        if (algorithm.pass == "forward")
            list.append(&algorithm);
    return list;
}

} // namespace

void MainWindow::makeToolBar()
{
    QToolBar* bar = addToolBar(tr("Toolbar"));
    bar->setObjectName(QStringLiteral("toolbar"));
    bar->setMovable(false);
    bar->setFloatable(false);
    bar->toggleViewAction()->setEnabled(false);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);

    m_scenarioBox = new ComboBox(bar);
    m_scenarioBox->setAccessibleName(tr("Scenario"));
    m_scenarioBox->setToolTip(tr("Samples, recent files, or open one"));
    m_scenarioBox->setMinimumWidth(m_appearance.px(150));
    m_algorithmBox = new Segments(bar);
    m_algorithmBox->setAccessibleName(tr("Algorithm"));
    for (const Algorithm* algorithm : forwardAlgorithms())
        m_algorithmBox->add(shortName(*algorithm),
            QStringLiteral("%1\n%2").arg(fromView(algorithm->title), fromView(algorithm->revision)));
    m_gpuBox = new ComboBox(bar);
    m_gpuBox->setAccessibleName(tr("GPU"));
    for (const GpuSpec& gpu : gpuSpecs()) {
        m_gpuBox->addItem(fromView(gpu.name).toUpper(), fromView(gpu.name));
        m_gpuBox->setItemData(m_gpuBox->count() - 1, fromView(gpu.title), Qt::ToolTipRole);
    }
    m_gpuBox->setToolTip(tr("The GPU that is emulated"));
    m_headBox = new ComboBox(bar);
    m_headBox->setAccessibleName(tr("Head"));
    m_headBox->setToolTip(tr("Which head of which sequence is on show"));
    m_runToBox = new ComboBox(bar);
    m_runToBox->setAccessibleName(tr("Run to the next"));
    m_runToBox->setToolTip(tr("Run to the next of a kind, a value, a wait, a phase (F8 again, Shift+F8 back)"));
    m_search = new QLineEdit(bar);
    m_search->setAccessibleName(tr("Find a moment or a command"));
    m_search->setToolTip(
        tr("A moment, such as block(i=2, n=1), first(rescale, i=2), 1200cy or end; a condition to run to, such as "
           "next(rescale); or the name of a command (F3 again, Shift+F3 back)"));
    m_search->setPlaceholderText(tr("Find or do   Ctrl+Shift+P"));
    m_search->setClearButtonEnabled(true);
    m_search->setMinimumWidth(m_appearance.px(120));
    m_search->setMaximumWidth(m_appearance.px(340));
    auto* glass = new QAction(m_search);
    const auto dress = [this, glass] {
        const paint::Theme& theme = m_appearance.theme();
        glass->setIcon(symbolIcon(Symbol::Search, theme.t2, theme.text, theme.t3));
    };
    dress();
    connect(&m_appearance, &Appearance::changed, glass, dress);
    m_search->addAction(glass, QLineEdit::LeadingPosition);

    bar->addWidget(m_scenarioBox);
    bar->addWidget(m_algorithmBox);
    bar->addWidget(m_gpuBox);
    m_headAction = bar->addWidget(m_headBox);
    bar->addWidget(m_runToBox);
    auto* gap = new QWidget(bar);
    gap->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(gap);
    bar->addWidget(m_search);

    fillScenarios();
    fillChoices();
    connect(m_scenarioBox, QOverload<int>::of(&QComboBox::activated), this, [this](int index) {
        const QString path = m_scenarioBox->itemData(index, pathRole).toString();
        const QString sample = m_scenarioBox->itemData(index, sampleRole).toString();
        if (!sample.isEmpty())
            openSample(sample);
        else if (!path.isEmpty())
            open(path);
        else
            m_actions->action(QStringLiteral("open"))->trigger();
        fillScenarios();
    });
    connect(m_algorithmBox, &Segments::chosen, this,
        [this](int index) { change("algorithm", std::string(forwardAlgorithms().at(index)->name)); });
    connect(m_gpuBox, QOverload<int>::of(&QComboBox::activated), this,
        [this](int index) { change("gpu", m_gpuBox->itemData(index).toString().toStdString()); });
    connect(m_headBox, QOverload<int>::of(&QComboBox::activated), this, [this](int index) {
        const int groups = m_document.empty() ? 1 : m_document.program().groups();
        const int packed = m_document.empty() ? 1 : m_document.program().packed;
        m_selection.chooseHead(index / groups, index % groups * packed);
    });
    connect(m_runToBox, QOverload<int>::of(&QComboBox::activated), this,
        [this](int index) { chooseRunTo(m_runToBox->itemData(index).toString()); });
    connect(m_search, &QLineEdit::returnPressed, this, &MainWindow::search);
}

void MainWindow::fillScenarios()
{
    const QSignalBlocker quiet(m_scenarioBox);
    m_scenarioBox->clear();
    const QString here = m_document.path();
    int current = -1;
    for (const Sample& sample : samples()) {
        m_scenarioBox->addItem(sample.title);
        m_scenarioBox->setItemData(m_scenarioBox->count() - 1, sample.resource, sampleRole);
        if (here.endsWith(QStringLiteral("/flashstep/") + sample.resource)
            || (!here.isEmpty() && here.endsWith(QLatin1Char('/') + sample.resource)))
            current = m_scenarioBox->count() - 1;
    }
    m_scenarioBox->insertSeparator(m_scenarioBox->count());
    QStringList recent
        = m_options.remembers ? QSettings().value(QStringLiteral("recent")).toStringList() : QStringList();
    if (current < 0 && !m_document.empty() && !recent.contains(here))
        recent.prepend(here);
    for (const QString& path : recent.mid(0, maxRecent)) {
        m_scenarioBox->addItem(path.isEmpty() ? documentTitle() : QFileInfo(path).fileName());
        m_scenarioBox->setItemData(m_scenarioBox->count() - 1, path, pathRole);
        m_scenarioBox->setItemData(m_scenarioBox->count() - 1, path, Qt::ToolTipRole);
        if (current < 0 && path == here && !m_document.empty())
            current = m_scenarioBox->count() - 1;
    }
    if (!recent.isEmpty())
        m_scenarioBox->insertSeparator(m_scenarioBox->count());
    m_scenarioBox->addItem(tr("Open …"));
    m_scenarioBox->setCurrentIndex(current);
}

void MainWindow::fillChoices()
{
    const bool empty = m_document.empty();
    for (QWidget* box : std::initializer_list<QWidget*> { m_algorithmBox, m_gpuBox, m_headBox, m_runToBox })
        box->setEnabled(!empty);
    if (empty)
        return;
    const Program& program = m_document.program();
    const auto list = forwardAlgorithms();
    for (int k = 0; k < list.size(); ++k)
        if (list[k]->name == program.algorithm)
            m_algorithmBox->setCurrent(k);
    m_gpuBox->setCurrentIndex(m_gpuBox->findData(fromView(m_document.run()->gpu.name)));
    const QSignalBlocker quiet(m_headBox);
    const Problem& problem = program.problem;
    const int packed = program.packed; // heads whose rows share tiles are shown together
    if (m_headBox->count() != problem.batch * program.groups() || m_headBox->property("heads").toInt() != problem.heads
        || m_headBox->property("packed").toInt() != packed) {
        m_headBox->clear();
        m_headBox->setProperty("heads", problem.heads);
        m_headBox->setProperty("packed", packed);
        for (int b = 0; b < problem.batch; ++b)
            for (int h = 0; h < problem.heads; h += packed) {
                const QString last = QStringLiteral("–%1").arg(h + packed - (problem.batch > 1 ? 1 : 0));
                const QString together = packed > 1 ? last : QString();
                m_headBox->addItem(problem.batch > 1
                        ? (packed > 1 ? tr("batch %1, heads %2%3") : tr("batch %1, head %2%3"))
                              .arg(b)
                              .arg(h)
                              .arg(together)
                        : (packed > 1 ? tr("heads %1%2 of %3") : tr("head %1%2 of %3"))
                              .arg(h + 1)
                              .arg(together)
                              .arg(problem.heads));
            }
    }
    m_headBox->setCurrentIndex(m_selection.batch() * program.groups() + m_selection.head() / packed);
    m_headAction->setVisible(m_headBox->count() > 1);
    fillScenarios();
    if (m_selection.row() != m_rowOffered) {
        fillRunTo();
        fillPalette();
    }
}

} // namespace flashstep::ui
