// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/theme.h"

#include <QFont>
#include <QObject>
#include <QString>

namespace flashstep::ui {

// Theme and scale of the whole program: palette, font and style sheet of the widgets, colours of the canvases.
class Appearance : public QObject {
    Q_OBJECT
public:
    enum class Choice { System, Light, Dark };

    explicit Appearance(QObject* parent = nullptr);

    [[nodiscard]] const paint::Theme& theme() const;
    [[nodiscard]] Choice choice() const { return m_choice; }
    [[nodiscard]] double scale() const { return m_scale; }
    [[nodiscard]] int px(double atFullSize) const { return static_cast<int>(atFullSize * m_scale + 0.5); }
    [[nodiscard]] QFont uiFont(double px, QFont::Weight weight = QFont::Normal) const;
    [[nodiscard]] QFont mono(double px, QFont::Weight weight = QFont::Normal) const;

    // Whether tiles are drawn travelling; the state reached is the same without.
    [[nodiscard]] bool motion() const { return m_motion; }

    void setChoice(Choice choice);
    void setMotion(bool motion);
    void setScale(double scale);

signals:
    void changed();

private:
    void apply();

    bool m_systemIsDark = false;
    QString m_family;
    Choice m_choice = Choice::System;
    double m_scale = 1;
    bool m_motion = false; // the window turns it on, unless it is to remember nothing
};

} // namespace flashstep::ui
