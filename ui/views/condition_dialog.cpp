// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/condition_dialog.h"

#include "core/trace/condition.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QDialogButtonBox>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QVBoxLayout>

#include <set>

namespace flashstep::ui {

QStringList ConditionDialog::examples(const Trace& trace, int row)
{
    const Program& program = trace.program();
    std::set<OpKind> kinds;
    bool conditional = false;
    QString wait, barrier;
    for (const Op& op : program.ops) {
        kinds.insert(op.kind);
        conditional = conditional || (op.kind == OpKind::Rescale && op.conditional);
    }
    if (!program.barriers.empty())
        barrier = QString::fromStdString(program.barriers.front().name);
    QStringList list;
    if (kinds.count(OpKind::Rescale) > 0)
        list << QStringLiteral("rescale(decision=done)");
    if (conditional)
        list << QStringLiteral("rescale(decision=skipped)");
    if (kinds.count(OpKind::RowMax) > 0 && program.algorithm != "standard")
        list << QStringLiteral("maximum(row=%1)").arg(row);
    for (const OpKind kind : { OpKind::Wait, OpKind::Sync })
        if (kinds.count(kind) > 0)
            list << QStringLiteral("%1(longer=500)").arg(fromView(name(kind)));
    if (!barrier.isEmpty())
        list << QStringLiteral("phase(barrier=%1)").arg(barrier);
    for (const OpKind kind : kinds)
        list << fromView(name(kind));
    return list;
}

ConditionDialog::ConditionDialog(
    const Trace& trace, const QString& title, const QString& start, int row, QWidget* parent)
    : QDialog(parent)
    , m_trace(trace)
    , m_line(new QLineEdit(start, this))
    , m_verdict(makeLabel({}, "info", this))
{
    setObjectName(QStringLiteral("condition"));
    setWindowTitle(title);
    m_line->setAccessibleName(tr("Condition"));
    m_verdict->setWordWrap(true);
    auto* list = new QListWidget(this);
    list->setAccessibleName(tr("Conditions that can come true in this run"));
    list->addItems(examples(trace, row));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
    m_accept = buttons->button(QDialogButtonBox::Ok);
    auto* column = new QVBoxLayout(this);
    column->addWidget(
        makeLabel(tr("An op kind, with keys to narrow it: cta, role, i, j, row, buffer, barrier, turn"), "info", this));
    column->addWidget(m_line);
    column->addWidget(m_verdict);
    column->addWidget(list, 1);
    column->addWidget(buttons);
    connect(m_line, &QLineEdit::textChanged, this, &ConditionDialog::check);
    connect(list, &QListWidget::currentTextChanged, m_line, &QLineEdit::setText);
    connect(list, &QListWidget::itemActivated, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    m_line->selectAll();
    m_line->setFocus();
    resize(460, 420);
    check();
}

QString ConditionDialog::text() const
{
    return m_line->text().trimmed();
}

void ConditionDialog::check()
{
    const Result<Condition> condition = Condition::parse(m_trace, text().toStdString());
    m_accept->setEnabled(condition.ok());
    if (!condition) {
        m_verdict->setText(text().isEmpty() ? tr("Choose one below, or write your own.")
                                            : QString::fromStdString(condition.error().line()));
        return;
    }
    const auto first = condition->next(m_trace, Position {}, CtaId::none());
    m_verdict->setText(first ? tr("First at position %1, cycle %2, in CTA %3.")
                                   .arg(first->position.value)
                                   .arg(m_trace.timeAt(first->position))
                                   .arg(static_cast<qulonglong>(first->cta.index()))
                             : tr("That never happens in this run."));
}

} // namespace flashstep::ui
