// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_state.h"

#include <QWidget>

class QLabel;
class QSlider;
class QSpinBox;
class QToolButton;

namespace flashstep::ui {

class Appearance;
class ComboBox;
class Segments;

// Buttons, how far a step goes, whose steps count, the position in words and as a slider.
class KernelTransport : public QWidget {
    Q_OBJECT
public:
    KernelTransport(KernelState& state, Appearance& appearance, QWidget* parent);

    [[nodiscard]] ptx::StepKind kind() const;
    void setKind(ptx::StepKind kind);
    void step(bool forward) { m_state.step(kind(), forward); }
    [[nodiscard]] QString positionText() const;
    [[nodiscard]] QSlider& slider() { return *m_slider; }
    [[nodiscard]] ComboBox& ctaBox() { return *m_cta; }
    [[nodiscard]] ComboBox& warpBox() { return *m_warp; }
    // Less than its position needs now: in less room that is told in fewer words.
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    QToolButton* addButton(int symbol, const QString& name, const QString& key);
    void refresh();
    [[nodiscard]] QString textAt(std::uint64_t position, Cycle cycle) const;
    void fillWarps();
    void fitPosition();
    void choose();
    void dress();

    KernelState& m_state;
    Appearance& m_appearance;
    QToolButton *m_first, *m_back, *m_forward, *m_last;
    Segments* m_kind;
    ComboBox *m_warp, *m_cta;
    QLabel* m_position;
    QSlider* m_slider;
    int m_length = 0; // how few words the position is told in: 0 all … 3
};

} // namespace flashstep::ui
