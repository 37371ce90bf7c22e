// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/clocks.h"

#include <algorithm>

namespace flashstep::ptx {

namespace {

SharedTimes joined(const SharedTimes& a, const SharedTimes& b)
{
    if (a == b || b == nullptr)
        return a;
    if (a == nullptr)
        return b;
    Times result = *a;
    bool changed = false;
    for (std::size_t k = 0; k < result.size(); ++k) {
        if ((*b)[k] > result[k]) {
            result[k] = (*b)[k];
            changed = true;
        }
    }
    return changed ? std::make_shared<const Times>(std::move(result)) : a;
}

SharedForeign joined(const SharedForeign& a, const SharedForeign& b)
{
    if (a == b || b == nullptr)
        return a;
    if (a == nullptr)
        return b;
    Foreign result = *a;
    for (const Foreign::Row& row : b->rows) {
        const auto at = std::lower_bound(result.rows.begin(), result.rows.end(), row.cta,
            [](const Foreign::Row& r, std::uint32_t cta) { return r.cta < cta; });
        if (at != result.rows.end() && at->cta == row.cta)
            at->times = joined(at->times, row.times);
        else
            result.rows.insert(at, row);
    }
    return std::make_shared<const Foreign>(std::move(result));
}

} // namespace

void join(View& into, const View& from)
{
    into.own = joined(into.own, from.own);
    into.foreign = joined(into.foreign, from.foreign);
}

View exported(const View& view, std::uint32_t cta)
{
    Foreign self;
    if (view.own != nullptr)
        self.rows.push_back({ cta, view.own });
    View result { nullptr, view.foreign };
    join(result, { nullptr, std::make_shared<const Foreign>(std::move(self)) });
    return result;
}

View imported(const View& view, std::uint32_t cta)
{
    View result { nullptr, view.foreign };
    if (view.foreign != nullptr) {
        for (const Foreign::Row& row : view.foreign->rows) {
            if (row.cta == cta)
                result.own = row.times;
        }
    }
    return result;
}

Clocks::Clocks(std::uint32_t cta, std::uint32_t threads)
    : m_cta(cta)
    , m_now(threads, 1)
    , m_views(threads)
{
}

bool Clocks::knows(std::uint32_t thread, std::uint32_t ofCta, std::uint32_t ofThread, std::uint32_t then) const
{
    const View& view = m_views[thread];
    if (ofCta == m_cta)
        return ofThread == thread || (view.own != nullptr && (*view.own)[ofThread] >= then);
    if (view.foreign == nullptr)
        return false;
    const auto& rows = view.foreign->rows;
    const auto at = std::lower_bound(
        rows.begin(), rows.end(), ofCta, [](const Foreign::Row& r, std::uint32_t cta) { return r.cta < cta; });
    return at != rows.end() && at->cta == ofCta && (*at->times)[ofThread] >= then;
}

void Clocks::publish(std::uint32_t thread, View& into)
{
    View own = m_views[thread];
    Times times = own.own != nullptr ? *own.own : Times(m_now.size(), 0);
    times[thread] = m_now[thread];
    own.own = std::make_shared<const Times>(std::move(times));
    join(into, own);
    ++m_now[thread];
}

void Clocks::meet(const std::vector<std::uint32_t>& threads)
{
    View all;
    const Times* last = nullptr;
    const Foreign* lastForeign = nullptr;
    for (const std::uint32_t t : threads) {
        if (m_views[t].own.get() != last || m_views[t].foreign.get() != lastForeign) {
            join(all, m_views[t]);
            last = m_views[t].own.get();
            lastForeign = m_views[t].foreign.get();
        }
    }
    Times times = all.own != nullptr ? *all.own : Times(m_now.size(), 0);
    for (const std::uint32_t t : threads)
        times[t] = std::max(times[t], m_now[t]);
    all.own = std::make_shared<const Times>(std::move(times));
    for (const std::uint32_t t : threads) {
        m_views[t] = all;
        ++m_now[t];
    }
}

} // namespace flashstep::ptx
