// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/scenario_panel.h"

#include "core/emulation/run.h"
#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/paint/text.h"
#include "ui/text.h"
#include "ui/views/controls.h"
#include "ui/views/term_card.h"

#include <QFileInfo>
#include <QFontMetrics>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QSlider>

#include <algorithm>
#include <array>
#include <cmath>

namespace flashstep::ui {

namespace {

// What the machine or the kernel has before the knob is turned; -1 where no one number says.
double shippedValue(std::string_view key, std::string_view gpuName)
{
    static const std::array<std::pair<std::string_view, Figure GpuSpec::*>, 3> renamed { {
        { "tensor-rate", &GpuSpec::tensorFlopsPerClk },
        { "mufu-rate", &GpuSpec::mufuPerClk },
        { "smem-kib", &GpuSpec::smemPerSmKib },
    } };
    static const std::array<std::pair<std::string_view, double>, 5> kernels { { { "rescale-threshold", 8 },
        { "exp2-degree", 3 }, { "assumed-rescale-rate", 0.1 }, { "fp8-offset", 8 }, { "jitter-seed", 0 } } };
    for (const auto& [name, value] : kernels)
        if (name == key)
            return value;
    const GpuSpec* gpu = findGpu(gpuName);
    if (!gpu)
        return -1;
    for (const auto& [name, figure] : renamed)
        if (name == key)
            return (gpu->*figure).value;
    const Figure* figure = figureOf(*gpu, key);
    return figure && !figure->absent() ? figure->value : -1;
}

// Places of a slider to values of a knob: in equal ratios round the machine's own value, which keeps a place of its
// own.
class KnobScale {
public:
    static constexpr int steps = 160;

    KnobScale(const Knob& knob, std::string_view gpuName)
        : m_shipped(shippedValue(knob.key, gpuName))
        , m_ratios(knob.low > 0 && m_shipped > 0)
        , m_low(m_ratios ? std::max(knob.low, m_shipped / 8) : knob.low)
        , m_high(m_ratios ? std::min(knob.high, m_shipped * 8) : knob.high)
    {
    }
    [[nodiscard]] double shipped() const { return m_shipped; }
    [[nodiscard]] int place(double value) const
    {
        const double share
            = m_ratios ? std::log(value / m_low) / std::log(m_high / m_low) : (value - m_low) / (m_high - m_low);
        return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * steps));
    }
    [[nodiscard]] double value(int place) const
    {
        const double share = static_cast<double>(place) / steps;
        const double exact = m_ratios ? m_low * std::pow(m_high / m_low, share) : m_low + share * (m_high - m_low);
        return m_ratios && exact >= 10 ? std::round(exact) : QString::number(exact, 'g', 3).toDouble();
    }
    [[nodiscard]] bool isShipped(int at) const { return at == place(m_shipped); }
    [[nodiscard]] QString text(double value) const
    {
        if (value < m_low) // not a value of the knob: the kernel decides, or the GPU has no such figure
            return ScenarioPanel::tr("as shipped");
        return value >= 10000 ? paint::grouped(std::lround(value)) : QString::number(value, 'g', 4);
    }

private:
    double m_shipped;
    bool m_ratios;
    double m_low, m_high;
};

} // namespace

ScenarioPanel::ScenarioPanel(const Session& session, QWidget* parent)
    : QScrollArea(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("view.scenario"));
    setAccessibleName(tr("Scenario: problem, tiles, machine and knobs"));
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_settle.setSingleShot(true);
    m_settle.setInterval(60);
    connect(&m_settle, &QTimer::timeout, this, [this] { emit requested(m_wanted); });
    connect(&session.document, &Document::wantedChanged, &m_settle, &QTimer::stop); // something else is asked for
    connect(&session.document, &Document::changed, this, &ScenarioPanel::rebuild);
    connect(&session.appearance, &Appearance::changed, this, &ScenarioPanel::rebuild);
    rebuild();
}

QVBoxLayout* ScenarioPanel::addSection(const QString& title)
{
    auto* column = qobject_cast<QVBoxLayout*>(widget()->layout());
    if (column->count() > 0)
        column->addSpacing(m_session.appearance.px(8));
    column->addWidget(makeLabel(title, "section"));
    return column;
}

void ScenarioPanel::addRow(QVBoxLayout* section, const QString& label, QWidget* field, const QString& help)
{
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    QLabel* words = makeLabel(label, "field");
    words->setToolTip(help);
    field->setToolTip(help);
    field->setAccessibleName(label);
    words->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    row->addWidget(words, 1);
    field->setFixedWidth(m_session.appearance.px(100));
    row->addWidget(field);
    section->addLayout(row);
}

void ScenarioPanel::addFact(QVBoxLayout* section, const QString& label, const QString& value, const QString& source)
{
    QLabel* text = makeLabel(value, "value");
    text->setFont(m_session.appearance.mono(11));
    text->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    text->setFixedHeight(m_session.appearance.px(18));
    addRow(section, label, text, source);
    const QString fits = QFontMetrics(text->font()).elidedText(value, Qt::ElideRight, text->maximumWidth() - 2);
    if (fits != value) {
        text->setText(fits);
        text->setToolTip(source.isEmpty() ? value : value + QLatin1Char('\n') + source);
    }
    text->setAccessibleName(QStringLiteral("%1: %2").arg(label, value)); // a label has no value of its own to tell
}

void ScenarioPanel::addText(
    QVBoxLayout* section, const QString& label, const QString& key, const QString& value, const QString& help)
{
    auto* field = new QLineEdit(value);
    field->setFont(m_session.appearance.mono(11));
    connect(field, &QLineEdit::editingFinished, this, [this, field, key, value] {
        if (field->text() != value)
            change(key, field->text());
    });
    addRow(section, label, field, help);
}

void ScenarioPanel::addChoice(QVBoxLayout* section, const QString& label, const QString& key, const QStringList& values,
    const QString& value, const QString& help)
{
    auto* field = new ComboBox;
    field->addItems(values);
    if (field->findText(value) < 0)
        field->addItem(value);
    field->setCurrentText(value);
    connect(field, QOverload<int>::of(&QComboBox::activated), this, [this, field, key, value] {
        if (field->currentText() != value)
            change(key, field->currentText());
    });
    addRow(section, label, field, help);
}

QString ScenarioPanel::knobValue(std::string_view key) const
{
    const auto& set = m_session.document.file().scenario.knobs;
    const auto found = std::find_if(set.rbegin(), set.rend(), [key](const auto& knob) { return knob.first == key; });
    return found == set.rend() ? QString() : QString::fromStdString(found->second);
}

void ScenarioPanel::addKnob(QVBoxLayout* section, const Knob& knob)
{
    const QString key = fromView(knob.key);
    const QString label = QString(key).replace(QLatin1Char('-'), QLatin1Char(' '));
    const QString about
        = QStringLiteral("%1\n%2 %3\n%4")
              .arg(fromView(knob.help), fromView(knob.accepts), fromView(knob.unit), fromView(knob.source))
              .trimmed();
    const QString help = tipWithTerm(about, termOfKnob(knob.key), m_session);
    const QString value = knobValue(knob.key);
    if (!knob.words.empty()) {
        auto* field = new ComboBox;
        field->addItem(tr("as shipped"), QString());
        for (const std::string_view word : knob.words)
            field->addItem(fromView(word), fromView(word));
        field->setCurrentIndex(std::max(0, field->findData(value)));
        connect(field, QOverload<int>::of(&QComboBox::activated), this,
            [this, field, key] { turn(key, field->currentData().toString()); });
        addRow(section, label, field, help);
        return;
    }
    auto* head = new QHBoxLayout;
    QLabel* words = makeLabel(label, "field");
    QLabel* figure = makeLabel({}, "value");
    figure->setFont(m_session.appearance.mono(11));
    words->setToolTip(help);
    words->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    head->addWidget(words, 1);
    head->addWidget(figure);
    section->addLayout(head);
    const KnobScale scale(knob, m_session.document.run()->gpu.name);
    auto* slider = new QSlider(Qt::Horizontal);
    slider->setRange(0, KnobScale::steps);
    slider->setAccessibleName(label);
    slider->setToolTip(
        tipWithTerm(tr("%1\nUnturned: %2").arg(about, scale.text(scale.shipped())), termOfKnob(knob.key), m_session));
    const bool turned = !value.isEmpty();
    const auto show = [=](int place) {
        const bool own = scale.isShipped(place);
        figure->setText(own ? scale.text(scale.shipped())
                            : tr("%1, not %2").arg(scale.text(scale.value(place)), scale.text(scale.shipped())));
    };
    slider->setValue(scale.place(turned ? value.toDouble() : scale.shipped()));
    show(slider->value());
    connect(slider, &QSlider::valueChanged, this, [this, key, scale, show](int place) {
        show(place);
        turn(key, scale.isShipped(place) ? QString() : QString::number(scale.value(place), 'g', 6));
    });
    section->addWidget(slider);
}

void ScenarioPanel::change(const QString& key, const QString& value)
{
    ScenarioFile file = m_settle.isActive() ? m_wanted : m_session.document.wanted();
    const Status status
        = setOption(file, key.toStdString(), value.trimmed().replace(QChar(0x00d7), QLatin1Char('x')).toStdString());
    if (!status) {
        complain(QString::fromStdString(status.error().line()));
        return;
    }
    complain({});
    emit requested(file);
}

void ScenarioPanel::turn(const QString& knob, const QString& value)
{
    if (!m_settle.isActive())
        m_wanted = m_session.document.wanted();
    auto& set = m_wanted.scenario.knobs;
    const std::string key = knob.toStdString();
    set.erase(
        std::remove_if(set.begin(), set.end(), [&key](const auto& other) { return other.first == key; }), set.end());
    if (!value.isEmpty()) {
        const Status status = setOption(m_wanted, "what_if", key + "=" + value.toStdString());
        if (!status) {
            complain(QString::fromStdString(status.error().line()));
            return;
        }
    }
    complain({});
    m_settle.start();
}

void ScenarioPanel::complain(const QString& text)
{
    if (!m_complaint)
        return;
    m_complaint->setText(text);
    m_complaint->setVisible(!text.isEmpty());
}

void ScenarioPanel::rebuild()
{
    // A slider in hand keeps its place: its own run must not take it away from the pointer.
    if (auto* slider = qobject_cast<QSlider*>(focusWidget()); slider && slider->isSliderDown())
        return;
    const QString focused = focusWidget() ? focusWidget()->accessibleName() : QString();
    auto* page = new QWidget;
    setRole(page, "form");
    auto* column = new QVBoxLayout(page);
    const int inset = m_session.appearance.px(12);
    column->setContentsMargins(inset, m_session.appearance.px(8), inset, inset);
    column->setSpacing(m_session.appearance.px(4));
    setWidget(page); // deletes the page before
    page->setAutoFillBackground(false);
    m_complaint = makeLabel({}, "info", page);
    m_complaint->setWordWrap(true);
    m_complaint->hide();
    if (m_session.document.empty()) {
        column->addWidget(makeLabel(tr("No scenario is open."), "info"));
        column->addStretch(1);
        return;
    }
    const Run& run = *m_session.document.run();
    const Program& program = *run.program;
    const Problem& problem = program.problem;
    const bool files = !run.scenario.qFile.empty();

    QVBoxLayout* section = addSection(tr("Problem"));
    const QString length = QString::number(problem.seqlenQ);
    if (files)
        addFact(section, tr("sequence"),
            problem.seqlenQ == problem.seqlenK ? length : QStringLiteral("%1 × %2").arg(length).arg(problem.seqlenK),
            tr("The length of %1").arg(QFileInfo(QString::fromStdString(run.scenario.qFile)).fileName()));
    else {
        addText(section, tr("queries"), QStringLiteral("seqlen_q"), length, tr("Query rows of each head"));
        addText(section, tr("keys"), QStringLiteral("seqlen_k"), QString::number(problem.seqlenK),
            tr("Keys and values of each head"));
    }
    addFact(section, tr("heads × dim"), QStringLiteral("%1 × %2").arg(problem.heads).arg(problem.headDim),
        tr("%1 query heads share %2 key and value heads").arg(problem.heads).arg(problem.kvHeads));
    addChoice(section, tr("mask"), QStringLiteral("mask"),
        { QStringLiteral("none"), QStringLiteral("causal"), QStringLiteral("window:16,0") },
        QString::fromStdString(problem.mask.text()), tr("Which keys a query may see"));
    addChoice(section, tr("number format"), QStringLiteral("dtype"),
        { QStringLiteral("fp32"), QStringLiteral("fp16"), QStringLiteral("bf16"), QStringLiteral("e4m3") },
        fromView(name(problem.dtype)),
        tr("What Q, K, V, P and O are stored in. fp32 keeps the schedule, bytes and times of bf16; with e4m3 O is bf16 "
           "(FA3, FA4)."));

    section = addSection(tr("Tiles"));
    addText(section, tr("shown"), QStringLiteral("tile"), QString::fromStdString(program.tile.text()),
        tr("Query rows x keys of the tiles that are computed and drawn"));
    addText(section, tr("timed as"), QStringLiteral("cost_tile"), QString::fromStdString(program.costTile.text()),
        tr("The tile whose time each operation takes"));

    section = addSection(tr("Machine"));
    addFact(section, tr("GPU"), fromView(run.gpu.title));
    addFact(section, tr("SMs"), QString::number(run.gpu.sms.value), fromView(run.gpu.sms.source));
    addFact(section, tr("clock"), tr("%1 GHz").arg(run.gpu.clockMhz.value / 1000), fromView(run.gpu.clockMhz.source));
    addFact(section, tr("CTAs per SM"), QString::number(m_session.document.trace().ctasPerSm()));

    bool any = false;
    for (const Knob& knob : knobs()) {
        const bool obeyed = knob.algorithms.empty()
            || std::find(knob.algorithms.begin(), knob.algorithms.end(), std::string_view(run.scenario.algorithm))
                != knob.algorithms.end();
        if (!obeyed)
            continue;
        if (!any)
            section = addSection(tr("Knobs (what if)"));
        any = true;
        addKnob(section, knob);
    }
    column->addWidget(m_complaint);
    column->addStretch(1);
    for (QWidget* child : page->findChildren<QWidget*>())
        if (!focused.isEmpty() && child->accessibleName() == focused)
            child->setFocus();
}

} // namespace flashstep::ui
