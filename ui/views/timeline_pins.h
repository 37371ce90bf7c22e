// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <vector>

namespace flashstep::ui {

// Which CTAs the timeline shows: the chosen one, and those pinned beside it. A pinned one that is chosen stays where it
// is, and so does the one that was chosen before.
class PinnedCtas {
public:
    static constexpr std::size_t most = 8;

    void choose(CtaId cta); // the chosen one is another
    void toggle(CtaId cta);
    void clear() { m_pins.clear(); }
    void restart(CtaId cta); // another run

    [[nodiscard]] bool pinned(CtaId cta) const;
    [[nodiscard]] bool any() const { return !m_pins.empty(); }
    [[nodiscard]] std::vector<CtaId> shown() const; // from top to bottom

private:
    CtaId m_free; // the chosen one, or the last chosen that was not pinned
    std::vector<CtaId> m_pins;
};

} // namespace flashstep::ui
