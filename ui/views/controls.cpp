// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/controls.h"

#include "ui/appearance.h"

#include <QAbstractItemView>
#include <QButtonGroup>
#include <QDockWidget>
#include <QHBoxLayout>
#include <QStyleOption>
#include <QStylePainter>
#include <QToolButton>
#include <QWheelEvent>

namespace flashstep::ui {

void setRole(QWidget* widget, const char* role)
{
    widget->setProperty("role", QString::fromLatin1(role));
}

bool inSight(const QWidget* widget)
{
    return widget->isVisible() && !widget->visibleRegion().isEmpty();
}

QLabel* makeLabel(const QString& text, const char* role, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    setRole(label, role);
    return label;
}

ComboBox::ComboBox(QWidget* parent)
    : QComboBox(parent)
{
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
    setFocusPolicy(Qt::StrongFocus);
}

void ComboBox::paintEvent(QPaintEvent* /*event*/)
{
    QStylePainter painter(this);
    QStyleOptionComboBox option;
    initStyleOption(&option);
    painter.drawComplexControl(QStyle::CC_ComboBox, option);
    painter.drawControl(QStyle::CE_ComboBoxLabel, option);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(palette().color(isEnabled() ? QPalette::Text : QPalette::PlaceholderText), 1.4, Qt::SolidLine,
        Qt::RoundCap, Qt::RoundJoin));
    const QPointF centre(width() - 13.0, height() / 2.0);
    painter.drawPolyline(
        QPolygonF({ centre + QPointF(-3.5, -1.8), centre + QPointF(0, 1.8), centre + QPointF(3.5, -1.8) }));
}

void ComboBox::wheelEvent(QWheelEvent* event)
{
    if (hasFocus())
        QComboBox::wheelEvent(event);
    else
        event->ignore();
}

Segments::Segments(QWidget* parent)
    : QFrame(parent)
    , m_group(new QButtonGroup(this))
    , m_row(new QHBoxLayout(this))
{
    setRole(this, "segments");
    m_row->setContentsMargins(0, 0, 0, 0);
    m_row->setSpacing(0);
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    connect(m_group, &QButtonGroup::idClicked, this, &Segments::chosen);
}

int Segments::add(const QString& text, const QString& toolTip)
{
    auto* button = new QToolButton(this);
    button->setText(text);
    button->setToolTip(toolTip);
    button->setCheckable(true);
    button->setFocusPolicy(Qt::TabFocus);
    button->setAccessibleName(text);
    const int index = static_cast<int>(m_group->buttons().size());
    m_group->addButton(button, index);
    m_row->addWidget(button);
    if (index == 0)
        button->setChecked(true);
    return index;
}

int Segments::current() const
{
    return m_group->checkedId();
}

void Segments::setCurrent(int index)
{
    if (QAbstractButton* button = m_group->button(index))
        button->setChecked(true);
}

QToolButton* Segments::button(int index) const
{
    return qobject_cast<QToolButton*>(m_group->button(index));
}

DockTitle::DockTitle(const QString& title, Appearance& appearance, QWidget* dock)
    : QWidget(dock)
    , m_row(new QHBoxLayout(this))
    , m_title(makeLabel(title, "title", this))
    , m_info(makeLabel({}, "info", this))
    , m_appearance(appearance)
{
    setRole(this, "dockhead");
    m_row->setContentsMargins(12, 0, 8, 0);
    m_row->setSpacing(8);
    m_row->addWidget(m_title);
    m_row->addStretch(1);
    m_row->addWidget(m_info);
    auto* owner = qobject_cast<QDockWidget*>(dock);
    QToolButton* floating = symbolButton(Symbol::Float, tr("Float"), appearance, this);
    QToolButton* close = symbolButton(Symbol::Close, tr("Close (the View menu brings it back)"), appearance, this);
    m_row->addWidget(floating);
    m_row->addWidget(close);
    connect(floating, &QToolButton::clicked, owner, [owner] { owner->setFloating(!owner->isFloating()); });
    connect(close, &QToolButton::clicked, owner, &QWidget::hide);
    connect(&appearance, &Appearance::changed, this, &QWidget::updateGeometry);
}

QSize DockTitle::sizeHint() const
{
    return { m_appearance.px(160), m_appearance.px(28) };
}

void DockTitle::addWidget(QWidget* widget)
{
    m_row->insertWidget(1, widget);
}

void DockTitle::paintEvent(QPaintEvent* /*event*/)
{
    QStyleOption option;
    option.initFrom(this);
    QStylePainter(this).drawPrimitive(QStyle::PE_Widget, option);
}

QToolButton* symbolButton(Symbol symbol, const QString& toolTip, Appearance& appearance, QWidget* parent)
{
    auto* button = new QToolButton(parent);
    setRole(button, "icon");
    button->setToolTip(toolTip);
    button->setAccessibleName(toolTip);
    button->setFocusPolicy(Qt::TabFocus);
    const auto dress = [button, symbol, &appearance] {
        const paint::Theme& theme = appearance.theme();
        button->setIcon(symbolIcon(symbol, theme.t2, theme.text, theme.t3));
        button->setIconSize(QSize(appearance.px(13), appearance.px(13)));
        button->setFixedSize(appearance.px(20), appearance.px(20));
    };
    QObject::connect(&appearance, &Appearance::changed, button, dress);
    dress();
    return button;
}

} // namespace flashstep::ui
