// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_state.h"
#include "ui/paint/kernel_shared.h"
#include "ui/views/accessible.h"

#include <QAbstractScrollArea>

class QLabel;
class QSpinBox;

namespace flashstep::ui {

class Appearance;
class ComboBox;
class Segments;

// Shared memory of the CTA on show, by bank.
class SharedGrid : public QAbstractScrollArea, public AccessibleView {
    Q_OBJECT
public:
    SharedGrid(KernelState& state, Appearance& appearance, QWidget* parent);

    [[nodiscard]] const paint::SharedScene& scene() const { return m_scene; }
    void setValues(bool shown);
    void setKind(ptx::RegisterKind kind);
    void chooseRow(int tile, int row); // -1: none
    [[nodiscard]] QString sentence() const; // what the current instruction does here
    [[nodiscard]] QString wordSentence(std::uint32_t word) const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

signals:
    void changed();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    bool viewportEvent(QEvent* event) override;

private:
    void collect(bool follow);
    void touch();
    void limit();
    void measure();
    void show(int row);
    [[nodiscard]] paint::SharedLayout layoutNow() const;

    KernelState& m_state;
    Appearance& m_appearance;
    paint::SharedScene m_scene;
    bool m_values = false;
};

class SharedView : public QWidget {
    Q_OBJECT
public:
    SharedView(KernelState& state, Appearance& appearance, QWidget* parent);
    [[nodiscard]] SharedGrid& grid() { return *m_grid; }

private:
    void fillTiles();

    KernelState& m_state;
    SharedGrid* m_grid;
    QLabel* m_sentence;
    ComboBox *m_kind, *m_tile;
    QSpinBox* m_row;
    Segments* m_values;
};

} // namespace flashstep::ui
