// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_state.h"
#include "ui/paint/kernel_matrix.h"
#include "ui/views/accessible.h"

#include <QWidget>

class QLabel;
class QScrollArea;

namespace flashstep::ui {

class Appearance;
class Segments;

// A matrix with the lanes' elements at their places.
class MatrixCanvas : public QWidget, public AccessibleView {
    Q_OBJECT
public:
    MatrixCanvas(KernelState& state, Appearance& appearance, QWidget* parent);
    void setScene(std::optional<paint::MatrixScene> scene);
    [[nodiscard]] const std::optional<paint::MatrixScene>& scene() const { return m_scene; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    [[nodiscard]] const paint::MatrixCell* cellAt(const QPointF& point) const;

    KernelState& m_state;
    Appearance& m_appearance;
    std::optional<paint::MatrixScene> m_scene;
};

// The operands of the mma, ldmatrix or stmatrix that the warp comes to, or has just executed.
class MatrixView : public QWidget {
    Q_OBJECT
public:
    MatrixView(KernelState& state, Appearance& appearance, QWidget* parent);
    [[nodiscard]] MatrixCanvas& canvas() { return *m_canvas; }
    [[nodiscard]] Segments& operands() { return *m_operand; }

private:
    void refresh();

    KernelState& m_state;
    Segments* m_operand;
    QLabel* m_info;
    MatrixCanvas* m_canvas;
};

} // namespace flashstep::ui
