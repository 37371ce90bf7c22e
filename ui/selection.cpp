// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/selection.h"

#include "ui/document.h"

namespace flashstep::ui {

Selection::Selection(const Document& document, QObject* parent)
    : QObject(parent)
    , m_document(document)
{
    connect(&document, &Document::replaced, this, &Selection::restart);
    connect(&document, &Document::changed, this, &Selection::changed);
    connect(&document, &Document::changed, this, &Selection::hoverChanged);
}

void Selection::restart()
{
    m_batch = m_head = 0;
    m_row = m_key = -1;
    m_tile = m_hoveredTile = {};
    m_instance = m_hoveredInstance = InstanceId::none();
    m_buffer = BufferId::none();
    m_cta = CtaId::none();
    // The query tile that visits most key blocks shows most: under a causal mask the last one.
    if (!m_document.empty()) {
        const Program& program = m_document.program();
        for (int i = 0, most = -1; i < program.queryTiles(); ++i) {
            const CtaId cta = m_document.trace().ctaOfTile(0, 0, i);
            if (cta.valid() && program.streamOf(cta).visitedBlocks >= most) {
                most = program.streamOf(cta).visitedBlocks;
                m_cta = cta;
            }
        }
    }
}

void Selection::chooseHead(int batch, int head)
{
    if (m_document.empty() || (batch == m_batch && head == m_head))
        return;
    m_batch = batch;
    m_head = head;
    const int i = m_cta.valid() ? m_document.program().ctas[m_cta.index()].i : 0;
    m_cta = m_document.trace().ctaOfTile(batch, head, i);
    m_instance = InstanceId::none();
    emit changed();
}

void Selection::chooseCta(CtaId cta)
{
    if (m_document.empty() || !cta.valid() || cta == m_cta)
        return;
    const Cta& chosen = m_document.program().ctas[cta.index()];
    m_cta = cta;
    m_batch = chosen.b;
    m_head = chosen.h;
    m_tile = {};
    m_instance = InstanceId::none();
    m_buffer = BufferId::none();
    m_row = m_key = -1;
    emit changed();
}

void Selection::chooseTile(TileRef tile)
{
    if (m_document.empty())
        return;
    if (tile.i >= 0)
        chooseCta(m_document.trace().ctaOfTile(m_batch, m_head, tile.i));
    if (tile == m_tile)
        return;
    m_tile = tile;
    emit changed();
}

void Selection::chooseElement(int row, int key)
{
    if (row == m_row && key == m_key)
        return;
    m_row = row;
    m_key = key;
    emit changed();
}

void Selection::chooseInstance(InstanceId instance)
{
    if (m_document.empty() || instance == m_instance)
        return;
    if (instance.valid()) {
        chooseCta(m_document.trace().ctaOf(instance));
        m_tile = tileOf(instance);
    }
    m_instance = instance;
    emit changed();
}

void Selection::chooseBuffer(BufferId buffer)
{
    if (buffer == m_buffer)
        return;
    m_buffer = buffer;
    emit changed();
}

void Selection::hoverTile(TileRef tile)
{
    if (tile == m_hoveredTile && !m_hoveredInstance.valid())
        return;
    m_hoveredTile = tile;
    m_hoveredInstance = InstanceId::none();
    emit hoverChanged();
}

void Selection::hoverInstance(InstanceId instance)
{
    if (instance == m_hoveredInstance)
        return;
    m_hoveredInstance = instance;
    m_hoveredTile = instance.valid() ? tileOf(instance) : TileRef {};
    emit hoverChanged();
}

void Selection::clear()
{
    m_tile = {};
    m_row = m_key = -1;
    m_instance = InstanceId::none();
    m_buffer = BufferId::none();
    emit changed();
    hoverTile({});
}

paint::Highlight Selection::highlight() const
{
    paint::Highlight light;
    light.i = m_tile.i;
    light.j = m_tile.j;
    light.row = m_row;
    light.key = m_key;
    light.instance = m_instance;
    light.hoverI = m_hoveredTile.i;
    light.hoverJ = m_hoveredTile.j;
    light.hoverInstance = m_hoveredInstance;
    return light;
}

TileRef Selection::tileOf(InstanceId instance) const
{
    const Trace& trace = m_document.trace();
    const Program& program = m_document.program();
    const Cta& cta = program.ctas[trace.ctaOf(instance).index()];
    return { cta.i, program.keyBlock(cta, program.op(trace.opOf(instance))) };
}

} // namespace flashstep::ui
