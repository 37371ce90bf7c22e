// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/measure_dialog.h"

#include "ui/text.h"
#include "ui/views/controls.h"

#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QStyle>
#include <QVBoxLayout>

namespace flashstep::ui {

MeasureDialog::MeasureDialog(MeasureController& controller, Subject subject, bool remembers, QWidget* parent)
    : QDialog(parent)
    , m_controller(controller)
    , m_subject(std::move(subject))
    , m_remembers(remembers)
    , m_prefix(new QLineEdit(this))
    , m_program(new QLineEdit(this))
    , m_timeout(new QSpinBox(this))
    , m_verdict(makeLabel({}, "info", this))
    , m_bar(new QProgressBar(this))
{
    setObjectName(QStringLiteral("measure"));
    setWindowTitle(tr("Measure on a GPU"));
    setAttribute(Qt::WA_DeleteOnClose);
    m_prefix->setObjectName(QStringLiteral("prefix"));
    m_prefix->setPlaceholderText(tr("empty: on this computer"));
    m_prefix->setToolTip(tr("Words before the program: ssh gpubox, srun --gres=gpu:1, docker exec box"));
    m_program->setObjectName(QStringLiteral("program"));
    m_program->setPlaceholderText(tr("flashstep-gpu"));
    m_program->setToolTip(tr("Its path where it runs; empty: beside FlashStep, or by its name behind a prefix"));
    m_timeout->setObjectName(QStringLiteral("timeout"));
    m_timeout->setRange(0, 86400);
    m_timeout->setSuffix(tr(" s"));
    m_timeout->setSpecialValueText(tr("never"));
    m_timeout->setToolTip(tr("The program is ended when it has taken so long"));
    m_verdict->setObjectName(QStringLiteral("verdict"));
    m_verdict->setWordWrap(true);
    m_verdict->setTextFormat(Qt::PlainText);
    m_verdict->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_verdict->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_verdict->setMinimumHeight(4 * fontMetrics().lineSpacing());
    m_bar->setRange(0, 1000);
    m_bar->setTextVisible(false);
    m_bar->setAccessibleName(tr("Progress"));
    auto* form = new QFormLayout;
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("&Start it with"), m_prefix);
    form->addRow(tr("&Program"), m_program);
    form->addRow(tr("&Give up after"), m_timeout);
    auto* buttons = new QDialogButtonBox(this);
    m_test = buttons->addButton(tr("&Test"), QDialogButtonBox::ActionRole);
    m_record = buttons->addButton(tr("&Record"), QDialogButtonBox::ActionRole);
    m_stop = buttons->addButton(tr("Sto&p"), QDialogButtonBox::ActionRole);
    buttons->addButton(QDialogButtonBox::Close);
    m_test->setObjectName(QStringLiteral("test"));
    m_record->setObjectName(QStringLiteral("record"));
    m_stop->setObjectName(QStringLiteral("stop"));
    m_record->setDefault(true);
    auto* column = new QVBoxLayout(this);
    auto* about = makeLabel(m_subject.refusal.isEmpty()
            ? tr("Records %1 by flashstep-gpu, here or where a prefix leads.").arg(m_subject.words)
            : m_subject.refusal,
        "info", this);
    about->setWordWrap(true);
    column->addWidget(about);
    column->addLayout(form);
    column->addWidget(m_verdict, 1);
    column->addWidget(m_bar);
    column->addWidget(buttons);
    connect(m_test, &QPushButton::clicked, this, [this] {
        begin();
        m_controller.list(program());
    });
    connect(m_record, &QPushButton::clicked, this, [this] {
        begin();
        m_controller.record(program(), *m_subject.kernel, m_subject.problem);
    });
    connect(m_stop, &QPushButton::clicked, &m_controller, &MeasureController::cancel);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(&m_controller, &MeasureController::started, this, [this](const QString& what) { say(what, "info"); });
    connect(&m_controller, &MeasureController::progressed, m_bar,
        [this](double fraction) { m_bar->setValue(static_cast<int>(1000 * fraction)); });
    connect(&m_controller, &MeasureController::failed, this,
        [this](const Error& error) { say(QString::fromStdString(error.line()), "fault"); });
    connect(&m_controller, &MeasureController::cancelled, this, [this] { say(tr("Cancelled."), "info"); });
    connect(&m_controller, &MeasureController::listed, this,
        [this](const QString& devices) { say(tr("There is %1.").arg(devices), "info"); });
    connect(&m_controller, &MeasureController::recorded, this, &QDialog::accept);
    connect(&m_controller, &MeasureController::ended, this, &MeasureDialog::refresh);
    connect(this, &QDialog::finished, this, [this] {
        remember();
        if (m_controller.running())
            m_controller.cancel();
    });
    restore();
    refresh();
    resize(520, sizeHint().height());
}

DeviceProgram MeasureDialog::program() const
{
    DeviceProgram program;
    program.prefix = m_prefix->text().toStdString();
    program.program = m_program->text().trimmed().toStdString();
    program.timeoutSeconds = m_timeout->value();
    return program;
}

void MeasureDialog::restore()
{
    const QSettings settings;
    const auto value = [&](const char* key, const QVariant& otherwise) {
        return m_remembers ? settings.value(QStringLiteral("measure/") + QLatin1String(key), otherwise) : otherwise;
    };
    m_prefix->setText(value("prefix", QString()).toString());
    m_program->setText(value("program", QString()).toString());
    m_timeout->setValue(value("timeout", 600).toInt());
}

void MeasureDialog::remember() const
{
    if (!m_remembers)
        return;
    QSettings settings;
    settings.setValue(QStringLiteral("measure/prefix"), m_prefix->text());
    settings.setValue(QStringLiteral("measure/program"), m_program->text());
    settings.setValue(QStringLiteral("measure/timeout"), m_timeout->value());
}

void MeasureDialog::begin()
{
    remember();
    m_bar->setValue(0);
    m_test->setEnabled(false);
    m_record->setEnabled(false);
    m_stop->setEnabled(true);
    m_bar->setEnabled(true);
}

void MeasureDialog::say(const QString& text, const char* role)
{
    setRole(m_verdict, role);
    m_verdict->style()->unpolish(m_verdict);
    m_verdict->style()->polish(m_verdict);
    m_verdict->setText(text);
    m_verdict->setAccessibleName(text);
}

void MeasureDialog::refresh()
{
    const bool running = m_controller.running();
    m_bar->setValue(0);
    m_bar->setEnabled(running);
    m_test->setEnabled(!running);
    m_record->setEnabled(!running && m_subject.kernel != nullptr);
    m_stop->setEnabled(running);
}

} // namespace flashstep::ui
