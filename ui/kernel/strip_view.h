// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_state.h"
#include "ui/paint/kernel_strip.h"
#include "ui/views/accessible.h"

#include <QWidget>

namespace flashstep::ui {

class Appearance;

// The warps of the CTA on show over modelled cycles. A click seeks and chooses the warp; Ctrl and the wheel zoom, the
// wheel alone and dragging with the middle button pan.
class StripView : public QWidget, public AccessibleView {
    Q_OBJECT
public:
    StripView(KernelState& state, Appearance& appearance, QWidget* parent);

    [[nodiscard]] paint::StripLayout layoutNow() const;
    [[nodiscard]] const paint::StripScene& scene() const { return m_scene; }
    void zoom(double factor, double anchor);
    void fit();
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    void collect();
    void seekTo(const QPointF& point, bool choosesWarp);
    void keepInSight();

    KernelState& m_state;
    Appearance& m_appearance;
    paint::StripScene m_scene;
    std::uint32_t m_launch = ptx::none, m_cta = ptx::none;
    double m_from = 0, m_to = 1;
};

} // namespace flashstep::ui
