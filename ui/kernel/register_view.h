// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_state.h"
#include "ui/views/accessible.h"

#include <QAbstractScrollArea>
#include <QWidget>

class QLineEdit;

namespace flashstep::ui {

class Appearance;
class ComboBox;

// A row of the table: a register, and why it is there.
struct RegisterRow {
    std::uint32_t number = 0;
    bool writes = false, reads = false, guard = false; // of the current instruction
    bool justWritten = false; // by the warp's newest one
    bool pinned = false;
};

// The table itself: registers by lanes.
class RegisterTable : public QAbstractScrollArea, public AccessibleView {
    Q_OBJECT
public:
    RegisterTable(KernelState& state, Appearance& appearance, QWidget* parent);

    void setFilter(const QString& text);
    void setKind(std::optional<ptx::RegisterKind> kind); // nothing: as each is used
    [[nodiscard]] std::vector<RegisterRow> rows() const { return m_rows; }
    [[nodiscard]] QString cellText(std::uint32_t number, int lane) const; // "–" where nothing was written
    void togglePin(std::uint32_t number);
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void collect();
    void measure();
    [[nodiscard]] int nameWidth() const;
    [[nodiscard]] int cellWidth() const;
    [[nodiscard]] int rowHeight() const;
    void paintRow(QPainter& painter, const RegisterRow& row, int y);
    [[nodiscard]] QString why(const RegisterRow& row) const;

    KernelState& m_state;
    Appearance& m_appearance;
    QString m_filter;
    std::optional<ptx::RegisterKind> m_kind;
    std::set<std::uint32_t> m_pins;
    std::vector<RegisterRow> m_rows;
};

class RegisterView : public QWidget {
    Q_OBJECT
public:
    RegisterView(KernelState& state, Appearance& appearance, QWidget* parent);
    [[nodiscard]] RegisterTable& table() { return *m_table; }
    [[nodiscard]] QLineEdit& filter() { return *m_filter; }

private:
    RegisterTable* m_table;
    QLineEdit* m_filter;
    ComboBox* m_kind;
};

} // namespace flashstep::ui
