// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/scenario.h"
#include "ui/paint/exp_panel.h"
#include "ui/views/canvas.h"

namespace flashstep::ui {

class ComboBox;

// Exponentials by unit and by polynomial, and the knobs that share them out.
class ExpView : public Canvas {
    Q_OBJECT
public:
    ExpView(const Session& session, QWidget* parent);

    // The knobs: the share that is emulated, and the polynomial's degree. For above the canvas.
    [[nodiscard]] QWidget* knobs() const { return m_knobs; }
    [[nodiscard]] paint::ExpScene scene() const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;
    void turn(const std::string& knob, const std::string& value); // an empty value: as the kernel has it

signals:
    void requested(const flashstep::ScenarioFile& file); // a run with another share or degree

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    [[nodiscard]] QString emptyText() const override;
    bool event(QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    void follow(); // the document: which knobs are set

    QWidget* m_knobs;
    ComboBox *m_share, *m_degree;
};

} // namespace flashstep::ui
