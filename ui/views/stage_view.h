// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/session.h"

#include <QWidget>

class QLabel;

namespace flashstep::ui {

class GridCanvas;
class MemoryCanvas;
class NumbersCanvas;
class Segments;
class TileCanvas;

// The middle of the window: a header that says what is shown, the canvases, and the legend under the tiles.
class StageView : public QWidget {
    Q_OBJECT
public:
    enum class Mode { Tiles, Numbers, Memory, Both, Grid };

    StageView(const Session& session, QWidget* parent);

    [[nodiscard]] Mode mode() const { return m_mode; }
    void setMode(Mode mode);
    [[nodiscard]] QWidget* focusCanvas() const; // that takes the keys in this mode

    [[nodiscard]] TileCanvas* tiles() const { return m_tiles; }
    [[nodiscard]] NumbersCanvas* numbers() const { return m_numbers; }
    [[nodiscard]] MemoryCanvas* memory() const { return m_memory; }
    [[nodiscard]] GridCanvas* grid() const { return m_grid; }

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void arrange();
    void refresh();
    void dress();

    const Session m_session;
    Mode m_mode = Mode::Both;
    QWidget *m_header, *m_legend, *m_rule;
    Segments *m_modes, *m_format;
    QLabel* m_info;
    TileCanvas* m_tiles;
    NumbersCanvas* m_numbers;
    MemoryCanvas* m_memory;
    GridCanvas* m_grid;
};

} // namespace flashstep::ui
