// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/export_form.h"

#include "core/emulation/run.h"
#include "ui/appearance.h"
#include "ui/paint/text.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QGridLayout>
#include <QLineEdit>

namespace flashstep::ui {

namespace {

QString fromText(const std::string& text)
{
    return QString::fromStdString(text);
}

void choose(QWidget* field, const std::string& value)
{
    if (auto* box = qobject_cast<QComboBox*>(field)) {
        if (const int index = box->findData(fromText(value)); index >= 0)
            box->setCurrentIndex(index);
    } else if (auto* line = qobject_cast<QLineEdit*>(field)) {
        line->setText(fromText(value));
    }
}

int chosenIndex(const QWidget* field)
{
    const auto* box = qobject_cast<const QComboBox*>(field);
    return box ? box->currentData().toInt() : -1;
}

} // namespace

ExportForm::ExportForm(const ExportContext& context, const Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_context(context)
    , m_appearance(appearance)
    , m_grid(new QGridLayout(this))
{
    setRole(this, "form");
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setHorizontalSpacing(appearance.px(10));
    m_grid->setVerticalSpacing(0);
    m_grid->setColumnStretch(1, 1);
    addLook();
    addPlaces(context);
    m_grid->setRowStretch(m_grid->rowCount(), 1);
}

void ExportForm::addLook()
{
    QStringList views;
    for (const std::string_view view : exportViews())
        if (!needsWidgets(view)) // those are the command line's, by a window of its own
            views.append(fromView(view));
    QStringList titles = views;
    for (QString& title : titles)
        title[0] = title[0].toUpper();
    addChoice(ExportField::View, tr("View"), titles, views);
    addText(ExportField::Panels, tr("Panels"), tr("the figure of the version"),
        tr("Views on one page, with commas between: timeline, tiles, memory, ledger, grid"));
    addChoice(ExportField::Theme, tr("Palette"), { tr("Print"), tr("Light"), tr("Dark") },
        { QString(), QStringLiteral("light"), QStringLiteral("dark") });
    addText(ExportField::Size, tr("Size"), tr("as it needs"),
        tr("Width x height in logical pixels, each from 200 to 16384"));
    addText(ExportField::Scale, tr("Scale"), tr("as usual"),
        tr("Pixels for each logical one, from 0.25 to 8: 2 is sharp on most screens"));
    addChoice(ExportField::Table, tr("Table"), { tr("Events"), tr("Spans"), tr("Counters"), tr("Ledger") },
        { QString(), QStringLiteral("spans"), QStringLiteral("counters"), QStringLiteral("ledger") });
    addChoice(ExportField::Level, tr("A step is"),
        { tr("As usual for the format"), tr("One event"), tr("One operation"), tr("One inner tile"),
            tr("One outer tile"), tr("One CTA") },
        { QString(), QStringLiteral("event"), QStringLiteral("operation"), QStringLiteral("inner-tile"),
            QStringLiteral("outer-tile"), QStringLiteral("cta") });
    addText(ExportField::Fps, tr("Frames a second"), tr("as usual"), tr("From 0.1 to 60"));
}

void ExportForm::addPlaces(const ExportContext& context)
{
    const QString syntax
        = tr("An event, end, 1200cy, 3.4us, first(rescale, i=2), block(i=2, n=1): as in the search box");
    auto* range = addChoice(ExportField::Range, tr("Range"), {}, {});
    range->addItem(tr("The whole run"), WholeRun);
    if (!context.from.isEmpty())
        range->addItem(tr("What the timeline shows"), OnShow);
    range->addItem(tr("From … to …"), FromTo);
    addText(ExportField::From, tr("From"), tr("the beginning"), syntax);
    addText(ExportField::To, tr("To"), tr("the end"), syntax);
    auto* moment = addChoice(ExportField::Moment, tr("Moment"), {}, {});
    moment->addItem(tr("As in the window: event %1").arg(paint::grouped(context.at.value)), Now);
    moment->addItem(tr("The end"), AtEnd);
    moment->addItem(tr("At …"), AtText);
    addText(ExportField::At, tr("At"), tr("the end"), syntax);
    auto* cta = addText(ExportField::Cta, tr("CTA"), tr("that of the moment"),
        tr("A CTA's number, or nothing for the one that the moment is about"));
    if (context.cta.valid())
        cta->setText(QString::number(context.cta.index()));
}

void ExportForm::addRow(ExportField field, const QString& label, QWidget* widget, const QString& help)
{
    Row& row = m_rows[field];
    row.field = widget;
    row.label = makeLabel(label, "field", this);
    row.label->setBuddy(widget);
    row.error = makeLabel({}, "complaint", this);
    row.error->setWordWrap(true);
    row.error->hide();
    widget->setAccessibleName(label);
    widget->setToolTip(help);
    row.label->setToolTip(help);
    const int at = m_grid->rowCount();
    row.label->setMinimumHeight(m_appearance.px(26));
    m_grid->addWidget(row.label, at, 0);
    m_grid->addWidget(widget, at, 1);
    m_grid->addWidget(row.error, at + 1, 1);
}

ComboBox* ExportForm::addChoice(
    ExportField field, const QString& label, const QStringList& names, const QStringList& values)
{
    auto* box = new ComboBox(this);
    for (int k = 0; k < names.size(); ++k)
        box->addItem(names[k], values[k]);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    connect(box, QOverload<int>::of(&QComboBox::currentIndexChanged), this, [this] {
        arrange();
        emit changed();
    });
    addRow(field, label, box, {});
    return box;
}

QLineEdit* ExportForm::addText(ExportField field, const QString& label, const QString& placeholder, const QString& help)
{
    auto* line = new QLineEdit(this);
    line->setPlaceholderText(placeholder);
    line->setFont(m_appearance.mono(11));
    connect(line, &QLineEdit::textChanged, this, [this, field] {
        if (field == ExportField::Panels)
            arrange();
        emit changed();
    });
    addRow(field, label, line, help);
    return line;
}

void ExportForm::setFormat(const ExportFormat& format)
{
    m_format = &format;
    // Tensors may be of all steps; a picture is of one moment.
    auto* moment = qobject_cast<QComboBox*>(m_rows[ExportField::Moment].field);
    const int all = moment->findData(AllSteps);
    if (format.hasViews && all >= 0) {
        const bool chosen = moment->currentIndex() == all;
        moment->removeItem(all);
        if (chosen)
            moment->setCurrentIndex(moment->findData(Now));
    } else if (!format.hasViews && all < 0 && takes(format, {}, ExportField::Moment)) {
        moment->addItem(tr("All steps"), AllSteps);
        moment->setCurrentIndex(moment->findData(AllSteps));
    }
    arrange();
    emit changed();
}

// Rows come and go with the format and with what is chosen above them.
void ExportForm::arrange()
{
    if (!m_format || m_rows.size() <= static_cast<std::size_t>(ExportField::Cta))
        return;
    QString shows = fromText(text(ExportField::View));
    if (shows == QStringLiteral("figure") && !text(ExportField::Panels).empty())
        shows += QLatin1Char(' ') + fromText(text(ExportField::Panels));
    for (auto& [field, row] : m_rows) {
        row.taken = takes(*m_format, shows, field);
        if (field == ExportField::From || field == ExportField::To)
            row.taken = row.taken && chosenIndex(m_rows[ExportField::Range].field) == FromTo;
        if (field == ExportField::At)
            row.taken = row.taken && chosenIndex(m_rows[ExportField::Moment].field) == AtText;
        row.label->setVisible(row.taken);
        row.field->setVisible(row.taken);
        if (!row.taken)
            row.error->hide();
    }
}

std::string ExportForm::text(ExportField field) const
{
    const QWidget* widget = m_rows.at(field).field;
    if (const auto* box = qobject_cast<const QComboBox*>(widget))
        return box->currentData().toString().toStdString();
    return qobject_cast<const QLineEdit*>(widget)->text().trimmed().toStdString();
}

void ExportForm::setChoices(const ExportOptions& options)
{
    choose(m_rows[ExportField::View].field, options.view);
    choose(m_rows[ExportField::Panels].field, options.panels);
    choose(m_rows[ExportField::Theme].field, options.theme);
    choose(m_rows[ExportField::Size].field, options.size);
    choose(m_rows[ExportField::Scale].field, options.scale);
    choose(m_rows[ExportField::Table].field, options.table);
    choose(m_rows[ExportField::Level].field, options.level);
    choose(m_rows[ExportField::Fps].field, options.fps);
}

ExportOptions ExportForm::choices() const
{
    ExportOptions options;
    options.format = m_format ? m_format->name : std::string_view();
    options.view = text(ExportField::View);
    options.panels = text(ExportField::Panels);
    options.theme = text(ExportField::Theme);
    options.size = text(ExportField::Size);
    options.scale = text(ExportField::Scale);
    options.table = text(ExportField::Table);
    options.level = text(ExportField::Level);
    options.fps = text(ExportField::Fps);
    return options;
}

ExportOptions ExportForm::options() const
{
    const ExportOptions all = choices();
    ExportOptions options;
    options.format = all.format;
    const auto take = [&](ExportField field, std::string ExportOptions::*part, const std::string& value) {
        if (m_rows.at(field).taken)
            options.*part = value;
    };
    take(ExportField::View, &ExportOptions::view, all.view);
    take(ExportField::Panels, &ExportOptions::panels, all.panels);
    take(ExportField::Theme, &ExportOptions::theme, all.theme);
    take(ExportField::Size, &ExportOptions::size, all.size);
    take(ExportField::Scale, &ExportOptions::scale, all.scale);
    take(ExportField::Table, &ExportOptions::table, all.table);
    take(ExportField::Level, &ExportOptions::level, all.level);
    take(ExportField::Fps, &ExportOptions::fps, all.fps);
    take(ExportField::From, &ExportOptions::from, text(ExportField::From));
    take(ExportField::To, &ExportOptions::to, text(ExportField::To));
    if (m_rows.at(ExportField::Range).taken && chosenIndex(m_rows.at(ExportField::Range).field) == OnShow) {
        options.from = m_context.from.toStdString();
        options.to = m_context.to.toStdString();
    }
    take(ExportField::At, &ExportOptions::at, text(ExportField::At));
    if (m_rows.at(ExportField::Moment).taken && chosenIndex(m_rows.at(ExportField::Moment).field) == Now)
        options.at = std::to_string(m_context.at.value);
    if (m_rows.at(ExportField::Moment).taken && chosenIndex(m_rows.at(ExportField::Moment).field) == AtEnd)
        options.at = "end";
    take(ExportField::Cta, &ExportOptions::cta, text(ExportField::Cta));
    return options;
}

bool ExportForm::showError(const Error& error)
{
    const std::optional<ExportField> field = fieldOf(error);
    if (!field || !m_rows[*field].taken)
        return false;
    QString line = fromText(error.what);
    if (!error.hint.empty())
        line += tr(": %1").arg(fromText(error.hint));
    m_rows[*field].error->setText(line);
    m_rows[*field].error->show();
    m_rows[*field].field->setAccessibleDescription(line);
    return true;
}

void ExportForm::clearErrors()
{
    for (auto& [field, row] : m_rows) {
        row.error->hide();
        row.field->setAccessibleDescription({});
    }
}

QWidget* ExportForm::field(ExportField field) const
{
    const Row& row = m_rows.at(field);
    return row.taken ? row.field : nullptr;
}

} // namespace flashstep::ui
