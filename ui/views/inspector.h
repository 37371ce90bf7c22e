// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"
#include "ui/paint/text.h"
#include "ui/session.h"
#include "ui/views/accessible.h"

#include <QAbstractTableModel>
#include <QTableView>
#include <QWidget>

class QLabel;

namespace flashstep::ui {

class ComboBox;
class Segments;

// The values of one buffer of the chosen CTA, read from the trace at the position.
class BufferModel : public QAbstractTableModel {
    Q_OBJECT
public:
    BufferModel(const Session& session, QObject* parent);
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    void refresh();
    void setFormat(paint::NumberFormat format);
    [[nodiscard]] BufferId buffer() const { return m_buffer; }
    [[nodiscard]] const TileValues& values() const { return m_values; }
    [[nodiscard]] int firstRow() const { return m_firstRow; }

private:
    const Session m_session;
    BufferId m_buffer;
    TileValues m_values;
    int m_firstRow = 0, m_firstColumn = 0; // over the head's sequence, where the buffer's axes are rows or keys
    paint::NumberFormat m_format = paint::NumberFormat::Decimal;
};

// Its table, row by row and exactly, for who cannot see it.
class BufferTable : public QTableView, public AccessibleView {
    Q_OBJECT
public:
    BufferTable(BufferModel* model, QWidget* parent);
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

private:
    BufferModel* m_model;
};

// One buffer in full: where it is, what it holds, every number as decimal, as the bits stored, or exactly.
class Inspector : public QWidget {
    Q_OBJECT
public:
    Inspector(const Session& session, QWidget* parent);
    [[nodiscard]] const BufferModel& model() const { return *m_model; }

signals:
    void aboutChanged(const QString& text);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();
    void fillBuffers();
    void dress();
    [[nodiscard]] QString factText() const;
    [[nodiscard]] QString elementText() const;

    const Session m_session;
    BufferModel* m_model;
    ComboBox* m_buffers;
    Segments* m_format;
    QLabel *m_facts, *m_element;
    BufferTable* m_table;
    int m_launch = -1; // whose buffers the box lists
};

} // namespace flashstep::ui
