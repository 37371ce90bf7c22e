// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"
#include "ui/paint/highlight.h"

#include <QObject>

namespace flashstep::ui {

class Document;

// A tile of the score matrix of the head on show; -1: a whole row or column of tiles, or none.
struct TileRef {
    int i = -1, j = -1;
    bool operator==(const TileRef&) const = default;
    [[nodiscard]] bool any() const { return i >= 0 || j >= 0; }
};

// What is looked at and what the pointer is over: shared by all views, so that hovering a thing lights it everywhere.
class Selection : public QObject {
    Q_OBJECT
public:
    explicit Selection(const Document& document, QObject* parent = nullptr);

    [[nodiscard]] int batch() const { return m_batch; }
    [[nodiscard]] int head() const { return m_head; }
    [[nodiscard]] CtaId cta() const { return m_cta; } // always one of the document's, none() only while that is empty
    [[nodiscard]] TileRef tile() const { return m_tile; }
    [[nodiscard]] int row() const { return m_row; } // of the head's sequence, -1: none
    [[nodiscard]] int key() const { return m_key; } // of the head's sequence, -1: none
    [[nodiscard]] InstanceId instance() const { return m_instance; }
    [[nodiscard]] BufferId buffer() const { return m_buffer; } // shown by the inspector; none(): the newest result
    [[nodiscard]] TileRef hoveredTile() const { return m_hoveredTile; }
    [[nodiscard]] InstanceId hoveredInstance() const { return m_hoveredInstance; }
    [[nodiscard]] paint::Highlight highlight() const; // all of it, as painters take it

public slots:
    void chooseHead(int batch, int head);
    void chooseCta(flashstep::CtaId cta);
    void followWork(flashstep::Position p); // the head on show goes along where the CTA goes on to another work tile
    void chooseTile(flashstep::ui::TileRef tile); // and the CTA that computes it
    void chooseRow(int row) { chooseElement(row, -1); }
    void chooseElement(int row, int key);
    void chooseInstance(flashstep::InstanceId instance); // and its CTA and tile
    void chooseBuffer(flashstep::BufferId buffer);
    void hoverTile(flashstep::ui::TileRef tile);
    void hoverInstance(flashstep::InstanceId instance);
    void clear();

signals:
    void changed();
    void hoverChanged();

private:
    void restart();
    [[nodiscard]] TileRef tileOf(InstanceId instance) const;
    void showHead(int batch, int head);

    const Document& m_document;
    int m_batch = 0, m_head = 0, m_row = -1, m_key = -1;
    CtaId m_cta;
    WorkId m_work; // that the CTA was last seen at
    Position m_position; // then
    TileRef m_tile, m_hoveredTile;
    InstanceId m_instance, m_hoveredInstance;
    BufferId m_buffer;
};

} // namespace flashstep::ui
