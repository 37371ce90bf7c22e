// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/stage_view.h"

#include "core/emulation/run.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/fonts.h"
#include "ui/paint/stage_painter.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/views/controls.h"
#include "ui/views/grid_canvas.h"
#include "ui/views/memory_canvas.h"
#include "ui/views/numbers_canvas.h"
#include "ui/views/tile_canvas.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>

#include <algorithm>

namespace flashstep::ui {

namespace {

class StageLegend : public QWidget {
public:
    StageLegend(const Session& session, QWidget* parent)
        : QWidget(parent)
        , m_appearance(session.appearance)
        , m_document(session.document)
    {
        connect(&session.document, &Document::changed, this, [this] { m_counts.clear(); });
        setAccessibleName(QObject::tr("Legend: untouched, loading, in SMEM, computing, in HBM, done, masked, skipped"));
    }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        QPainter painter(this);
        painter.fillRect(rect(), m_appearance.theme().panel);
        painter.scale(m_appearance.scale(), m_appearance.scale());
        const QRectF area(14, 0, width() / m_appearance.scale() - 20, height() / m_appearance.scale());
        const bool scoresInHbm = !m_document.empty() && m_document.run()->program->launches.size() > 1;
        const bool hazards = !m_document.empty() && m_document.run()->report.hazards > 0;
        if (m_counts.isEmpty() && !m_document.empty() && m_document.program().problem.mask.kind != MaskKind::None)
            m_counts = paint::maskText(paint::maskCounts(m_document.trace()));
        const QFont font = paint::canvasFont(11);
        const double width = m_counts.isEmpty() ? 0 : paint::textWidth(font, m_counts) + 16;
        const double used = paint::stageLegendWidth(scoresInHbm, hazards);
        if (width > 0 && used + width <= area.width()) {
            painter.setPen(m_appearance.theme().t2);
            paint::drawLine(painter, area, Qt::AlignRight, font, m_counts);
        }
        paint::paintStageLegend(painter, area, m_appearance.theme(), scoresInHbm, hazards);
    }

private:
    const Appearance& m_appearance;
    const Document& m_document;
    QString m_counts; // of tiles, by what the mask does to them
};

} // namespace

StageView::StageView(const Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_header(new QWidget(this))
    , m_legend(new StageLegend(session, this))
    , m_rule(new QWidget(this))
    , m_modes(new Segments(m_header))
    , m_format(new Segments(m_header))
    , m_info(makeLabel({}, "info", m_header))
    , m_tiles(new TileCanvas(session, this))
    , m_numbers(new NumbersCanvas(session, this))
    , m_memory(new MemoryCanvas(session, this))
    , m_grid(new GridCanvas(session, this))
{
    setRole(this, "panel");
    setAttribute(Qt::WA_StyledBackground);
    setRole(m_header, "head");
    m_header->setAttribute(Qt::WA_StyledBackground);
    m_modes->add(tr("Tiles"), tr("The score matrix as tiles"));
    m_modes->add(tr("Numbers"), tr("One tile with every number"));
    m_modes->add(tr("Memory"), tr("Where the chosen CTA's tiles lie"));
    m_modes->add(tr("Both"), tr("Tiles beside memory"));
    m_modes->add(tr("Grid"), tr("The whole run over the SMs"));
    m_modes->setAccessibleName(tr("What the stage shows"));
    m_format->add(tr("decimal"));
    m_format->add(tr("hex"), tr("The bits as stored"));
    m_format->add(tr("exact"), tr("The stored value as a fraction"));
    m_rule->setAutoFillBackground(true);

    auto* head = new QHBoxLayout(m_header);
    head->setContentsMargins(14, 0, 14, 0);
    head->setSpacing(12);
    head->addWidget(makeLabel(tr("Stage"), "viewtitle", m_header));
    head->addWidget(m_modes);
    head->addWidget(m_format);
    head->addStretch(1);
    head->addWidget(m_info);

    auto* canvases = new QHBoxLayout;
    canvases->setContentsMargins(0, 0, 0, 0);
    canvases->setSpacing(0);
    canvases->addWidget(m_tiles, 5);
    canvases->addWidget(m_numbers, 5);
    canvases->addWidget(m_rule);
    canvases->addWidget(m_memory, 3);
    canvases->addWidget(m_grid, 5);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_header);
    column->addLayout(canvases, 1);
    column->addWidget(m_legend);

    connect(m_modes, &Segments::chosen, this, [this](int index) {
        setMode(static_cast<Mode>(index));
        focusCanvas()->setFocus();
    });
    connect(m_format, &Segments::chosen, this,
        [this](int index) { m_numbers->setFormat(static_cast<paint::NumberFormat>(index)); });
    connect(m_tiles, &TileCanvas::tileOpened, this, [this](int i, int j) {
        m_session.selection.chooseTile({ i, j });
        setMode(Mode::Numbers);
        m_numbers->setFocus();
    });
    connect(&session.document, &Document::changed, this, &StageView::arrange);
    connect(&session.playback, &Playback::positionChanged, this, &StageView::refresh);
    connect(&session.selection, &Selection::changed, this, &StageView::refresh);
    connect(&session.appearance, &Appearance::changed, this, &StageView::dress);
    setFocusProxy(m_tiles);
    dress();
    arrange();
}

void StageView::setMode(Mode mode)
{
    if (mode == m_mode)
        return;
    m_mode = mode;
    arrange();
}

QWidget* StageView::focusCanvas() const
{
    switch (m_mode) {
    case Mode::Numbers:
        return m_numbers;
    case Mode::Memory:
        return m_memory;
    case Mode::Grid:
        return m_grid;
    default:
        return m_tiles;
    }
}

void StageView::arrange()
{
    // Side by side needs room for both; where there is none the tiles stay, memory is a click away.
    const bool wide = width() >= m_session.appearance.px(760);
    const bool both = m_mode == Mode::Both && wide;
    const bool focused = m_tiles->hasFocus() || m_numbers->hasFocus() || m_memory->hasFocus() || m_grid->hasFocus();
    // The focus moves before its canvas is hidden, or Qt would pass it on as if by Tab.
    focusCanvas()->setVisible(true);
    if (focused && !(both && m_memory->hasFocus()))
        focusCanvas()->setFocus();
    m_tiles->setVisible(m_mode == Mode::Tiles || m_mode == Mode::Both);
    m_numbers->setVisible(m_mode == Mode::Numbers);
    m_memory->setVisible(m_mode == Mode::Memory || both);
    m_grid->setVisible(m_mode == Mode::Grid);
    m_memory->setMaximumWidth(both ? m_session.appearance.px(420) : QWIDGETSIZE_MAX);
    m_rule->setVisible(both && !m_session.document.empty());
    m_legend->setVisible((m_mode == Mode::Tiles || m_mode == Mode::Both) && !m_session.document.empty());
    m_format->setVisible(m_mode == Mode::Numbers);
    if (QToolButton* button = m_modes->button(static_cast<int>(Mode::Both)))
        button->setVisible(wide);
    m_modes->setCurrent(static_cast<int>(m_mode == Mode::Both && !wide ? Mode::Tiles : m_mode));
    setFocusProxy(focusCanvas());
    refresh();
}

void StageView::refresh()
{
    if (m_session.document.empty()) {
        m_info->clear();
        return;
    }
    const Program& program = m_session.document.program();
    const Trace& trace = m_session.document.trace();
    const CtaId cta = m_session.selection.cta();
    const TileRef tile = tileOnShow(m_session);
    if (m_mode != Mode::Numbers && cta.valid() && trace.worksOf(cta).size() > 1) {
        const auto works = trace.worksOf(cta);
        const auto at = std::find(works.begin(), works.end(), trace.workAt(cta, m_session.playback.position()));
        const Work& work = program.work(*at);
        m_info->setText(tr("CTA %1: work tile %2 of %3, batch %4, head %5, Q%6")
                            .arg(static_cast<qulonglong>(cta.index()))
                            .arg(at - works.begin() + 1)
                            .arg(works.size())
                            .arg(work.b)
                            .arg(work.h)
                            .arg(work.i));
    } else if (m_mode == Mode::Numbers)
        m_info->setText(tr("tile (%1, %2): Q%1 × K%2").arg(tile.i).arg(tile.j));
    else if (program.tile == program.costTile)
        m_info->setText(tr("tiles %1 × %2").arg(program.tile.rows).arg(program.tile.keys));
    else
        m_info->setText(tr("shown %1 × %2 · timed as %3 × %4")
                            .arg(program.tile.rows)
                            .arg(program.tile.keys)
                            .arg(program.costTile.rows)
                            .arg(program.costTile.keys));
}

void StageView::dress()
{
    const Appearance& look = m_session.appearance;
    m_header->setFixedHeight(look.px(36));
    m_legend->setFixedHeight(look.px(26));
    m_rule->setFixedWidth(1);
    QPalette palette = m_rule->palette();
    palette.setColor(QPalette::Window, look.theme().line);
    m_rule->setPalette(palette);
    m_memory->setMinimumWidth(look.px(250));
    m_legend->update();
    arrange();
}

void StageView::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    arrange();
}

} // namespace flashstep::ui
