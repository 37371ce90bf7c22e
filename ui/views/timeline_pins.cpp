// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/timeline_pins.h"

#include <algorithm>

namespace flashstep::ui {

void PinnedCtas::choose(CtaId cta)
{
    if (!pinned(cta))
        m_free = cta;
}

void PinnedCtas::toggle(CtaId cta)
{
    if (!cta.valid())
        return;
    if (const auto found = std::find(m_pins.begin(), m_pins.end(), cta); found != m_pins.end())
        m_pins.erase(found);
    else if (m_pins.size() < most)
        m_pins.push_back(cta);
}

void PinnedCtas::restart(CtaId cta)
{
    m_pins.clear();
    m_free = cta;
}

bool PinnedCtas::pinned(CtaId cta) const
{
    return std::find(m_pins.begin(), m_pins.end(), cta) != m_pins.end();
}

std::vector<CtaId> PinnedCtas::shown() const
{
    std::vector<CtaId> ctas;
    if (m_free.valid() && !pinned(m_free))
        ctas.push_back(m_free);
    ctas.insert(ctas.end(), m_pins.begin(), m_pins.end());
    return ctas;
}

} // namespace flashstep::ui
