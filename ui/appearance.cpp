// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/appearance.h"

#include "ui/paint/fonts.h"
#include "ui/style_sheet.h"

#include <QApplication>
#include <QProxyStyle>
#include <QStyleFactory>
#include <QToolTip>

#include <algorithm>

namespace flashstep::ui {

namespace {

// Fusion, with mnemonics underlined only where the keyboard asks for them.
class CalmStyle : public QProxyStyle {
public:
    CalmStyle()
        : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion")))
    {
    }
    int styleHint(
        StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* data) const override
    {
        return hint == SH_UnderlineShortcut ? 0 : QProxyStyle::styleHint(hint, option, widget, data);
    }
};

// A desktop says which font it likes; a bare display does not, and then the shipped one stands in.
QString widgetFamily()
{
    const bool desktop
        = !qEnvironmentVariableIsEmpty("XDG_CURRENT_DESKTOP") || !qEnvironmentVariableIsEmpty("KDE_FULL_SESSION");
    if (desktop && QGuiApplication::platformName() != QStringLiteral("offscreen"))
        return QGuiApplication::font().family();
    return paint::canvasFont(12).family();
}

} // namespace

Appearance::Appearance(QObject* parent)
    : QObject(parent)
    , m_systemIsDark(QGuiApplication::palette().color(QPalette::Window).lightness() < 128)
{
    paint::loadFonts();
    m_family = widgetFamily();
    QApplication::setStyle(new CalmStyle);
    apply();
}

const paint::Theme& Appearance::theme() const
{
    const bool dark = m_choice == Choice::Dark || (m_choice == Choice::System && m_systemIsDark);
    return dark ? paint::Theme::dark() : paint::Theme::light();
}

QFont Appearance::uiFont(double px, QFont::Weight weight) const
{
    QFont font = paint::canvasFont(px * m_scale, weight);
    if (!m_family.isEmpty() && font.family() != m_family)
        font.setFamily(m_family);
    return font;
}

QFont Appearance::mono(double px, QFont::Weight weight) const
{
    return paint::monoFont(px * m_scale, weight);
}

void Appearance::setChoice(Choice choice)
{
    if (choice == m_choice)
        return;
    m_choice = choice;
    apply();
}

void Appearance::setMotion(bool motion)
{
    if (motion == m_motion)
        return;
    m_motion = motion;
    emit changed();
}

void Appearance::setScale(double scale)
{
    scale = std::clamp(scale, 0.75, 3.0);
    if (scale == m_scale)
        return;
    m_scale = scale;
    apply();
}

void Appearance::apply()
{
    QPalette palette = paint::makePalette(theme());
    QApplication::setFont(uiFont(12.5));
    QApplication::setPalette(palette);
    QToolTip::setFont(uiFont(11.5));
    qApp->setStyleSheet(styleSheet(theme(), m_scale));
    emit changed();
}

} // namespace flashstep::ui
