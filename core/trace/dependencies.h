// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

#include <vector>

namespace flashstep {

// One op of a CTA could not go on, or not yet mean anything, without another.
struct Dependency {
    enum class Kind : std::uint8_t {
        Data, // `to` reads, or adds to, what `from` left in `buffer`
        Release, // `from` let the wait `to` go on: the arrival that completed its turn, the last copy or product of it
    } kind = Kind::Data;
    InstanceId from, to;
    BufferId buffer; // Data
    bool operator==(const Dependency&) const = default;
};

// The direct dependencies of one CTA's ops, both ways; what leads to what over several of them is explainWait's
// (why.h). Made in one pass over the CTA's ops, so a matter of its length and not of the grid's.
class Dependencies {
public:
    Dependencies(const Trace& trace, CtaId cta);

    [[nodiscard]] CtaId cta() const { return m_cta; }
    // In order of the other op's number. Of a pair of CTAs, what one does for the other is told by the one that waits.
    [[nodiscard]] std::vector<Dependency> into(InstanceId instance) const;
    [[nodiscard]] std::vector<Dependency> outOf(InstanceId instance) const;
    [[nodiscard]] const std::vector<Dependency>& all() const { return m_edges; }

private:
    void addReleases(const Trace& trace);
    void addData(const Trace& trace);

    CtaId m_cta;
    std::vector<Dependency> m_edges; // by `to`, then `from`
    std::vector<std::uint32_t> m_byFrom;
};

} // namespace flashstep
