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
    m_work = WorkId::none();
    m_position = {};
    // The query tile that visits most key blocks shows most: under a causal mask the last one.
    if (!m_document.empty()) {
        const Trace& trace = m_document.trace();
        for (int i = 0, most = -1; i < m_document.program().queryTiles(); ++i) {
            const WorkId work = trace.workOfTile(0, 0, i);
            if (trace.ctaOf(work).valid() && trace.streamOf(work).visitedBlocks >= most) {
                most = trace.streamOf(work).visitedBlocks;
                m_cta = trace.ctaOf(work);
            }
        }
        // Where the last launch was never reached: whatever did something.
        for (std::size_t c = 0; !m_cta.valid() && c < m_document.program().ctaCount(); ++c)
            if (!trace.worksOf(CtaId(c)).empty())
                m_cta = CtaId(c);
        m_work = m_cta.valid() ? trace.worksOf(m_cta).front() : WorkId::none();
    }
}

void Selection::chooseHead(int batch, int head)
{
    if (!m_document.empty()) // of heads packed together the first stands for all
        head = head / m_document.program().packed * m_document.program().packed;
    if (m_document.empty() || (batch == m_batch && head == m_head))
        return;
    m_batch = batch;
    m_head = head;
    const int i = m_work.valid() ? m_document.program().work(m_work).i : 0;
    if (const CtaId cta = m_document.trace().ctaOfTile(batch, head, i); cta.valid()) {
        m_cta = cta;
        m_work = m_document.trace().workAt(cta, m_position);
    }
    m_instance = InstanceId::none();
    emit changed();
}

void Selection::chooseCta(CtaId cta)
{
    if (m_document.empty() || !cta.valid() || cta == m_cta || m_document.trace().worksOf(cta).empty())
        return;
    m_cta = cta;
    m_work = m_document.trace().workAt(cta, m_position);
    m_batch = m_document.program().work(m_work).b;
    m_head = m_document.program().work(m_work).h;
    m_tile = {};
    m_instance = InstanceId::none();
    m_buffer = BufferId::none();
    m_row = m_key = -1;
    emit changed();
}

void Selection::followWork(Position p)
{
    m_position = p;
    if (m_document.empty() || !m_cta.valid())
        return;
    const WorkId work = m_document.trace().workAt(m_cta, p);
    if (work == m_work)
        return;
    const Work& before = m_document.program().work(m_work);
    const Work& now = m_document.program().work(work);
    const bool headFollows = before.b == m_batch && before.h == m_head; // nobody has chosen another one to look at
    m_work = work;
    if (!headFollows || (now.b == m_batch && now.h == m_head))
        return;
    m_batch = now.b;
    m_head = now.h;
    emit changed();
}

void Selection::chooseTile(TileRef tile)
{
    if (m_document.empty())
        return;
    if (tile.i >= 0) {
        const int batch = m_batch, head = m_head; // a CTA of several work tiles may be at one of another head
        chooseCta(m_document.trace().ctaOfTile(m_batch, m_head, tile.i));
        showHead(batch, head);
    }
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
        const Work& work = m_document.program().work(m_document.trace().workOf(instance));
        chooseCta(m_document.trace().ctaOf(instance));
        showHead(work.b, work.h);
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
    const Work& work = program.work(trace.workOf(instance));
    return { program.queryTile(work, trace.op(instance)), program.keyBlock(work, trace.op(instance)) };
}

void Selection::showHead(int batch, int head)
{
    if (batch == m_batch && head == m_head)
        return;
    m_batch = batch;
    m_head = head;
    emit changed();
}

} // namespace flashstep::ui
