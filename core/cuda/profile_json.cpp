// SPDX-License-Identifier: Apache-2.0
#include "profile_json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace flashstep::cuda {

namespace {

// Ticks from the first warp's beginning on. The SMs' clocks start anywhere: each is tied to the timer that all share
// where its first warp of a launch began.
class Ticks {
public:
    explicit Ticks(const TakenProfiles& taken)
        : m_taken(taken)
    {
        for (const Profile& profile : taken.profiles)
            for (const ProfiledWarp& warp : profile.warps) {
                m_first = std::min(m_first, warp.timerBegin);
                const auto [at, isNew] = m_anchors.emplace(warp.sm, Anchor { warp.clockBegin, warp.timerBegin });
                if (!isNew && warp.clockBegin < at->second.clock)
                    at->second = { warp.clockBegin, warp.timerBegin };
            }
    }

    [[nodiscard]] long long of(std::size_t launch, int sm, std::uint64_t clock) const
    {
        if (m_taken.oneClock)
            return static_cast<long long>(clock + m_taken.firstTick[launch]);
        const Anchor& anchor = m_anchors.at(sm);
        return static_cast<long long>(clock - anchor.clock)
            + std::llround(static_cast<double>(anchor.timer - m_first) * m_taken.hertz / 1e9);
    }

private:
    struct Anchor {
        std::uint64_t clock, timer;
    };
    const TakenProfiles& m_taken;
    std::uint64_t m_first = ~std::uint64_t { 0 };
    std::map<int, Anchor> m_anchors;
};

// Six decimals, whatever the locale's sign for them is.
std::string microseconds(long long ticks, double hertz)
{
    const auto picoseconds = std::llround(static_cast<double>(ticks) * 1e12 / hertz);
    const long long whole = picoseconds / 1000000, rest = picoseconds % 1000000;
    char text[48];
    std::snprintf(text, sizeof text, "%lld.%06lld", whole, rest < 0 ? -rest : rest);
    return text;
}

std::string opEvent(
    const ProfiledOp& op, const ProfiledWarp& warp, int cta, long long begin, long long end, double hertz)
{
    const SpanName& span = spanOf(op.span);
    const std::string place = op.j == noBlock ? "(" + std::to_string(op.i) + ")"
                                              : "(" + std::to_string(op.i) + ", " + std::to_string(op.j) + ")";
    const std::string j = op.j == noBlock ? "" : ",\"j\":" + std::to_string(op.j);
    char text[512];
    std::snprintf(text, sizeof text,
        R"({"ph":"X","name":"%s %s","cat":"%s","pid":%d,"tid":%d,"ts":%s,"dur":%s,)"
        R"("args":{"sm":%d,"cta":%d,"role":"warp %d","op":"%s","i":%d%s,"begin":%lld,"end":%lld}})",
        span.label, place.c_str(), span.op, cta + 1, warp.warp + 1, microseconds(begin, hertz).c_str(),
        microseconds(end - begin, hertz).c_str(), warp.sm, cta, warp.warp, span.op, op.i, j.c_str(), begin, end);
    return text;
}

std::string nameEvent(const char* what, int pid, int tid, const std::string& name)
{
    char text[160];
    std::snprintf(text, sizeof text, R"({"ph":"M","name":"%s","pid":%d,"tid":%d,"args":{"name":"%s"}})", what, pid, tid,
        name.c_str());
    return text;
}

} // namespace

void writeProfileEvents(const TakenProfiles& taken, WriteText write, void* context)
{
    const Ticks ticks(taken);
    bool first = true;
    const auto put = [&](const std::string& event) {
        write(context, (first ? "\n" : ",\n") + event);
        first = false;
    };
    for (std::size_t launch = 0; launch < taken.profiles.size(); ++launch) {
        for (const ProfiledWarp& warp : taken.profiles[launch].warps) {
            const int cta = taken.firstCta[launch] + warp.cta;
            if (warp.warp == 0)
                put(nameEvent("process_name", cta + 1, 0,
                    "CTA " + std::to_string(cta) + " \xc2\xb7 SM " + std::to_string(warp.sm)));
            put(nameEvent("thread_name", cta + 1, warp.warp + 1, "warp " + std::to_string(warp.warp)));
            for (const ProfiledOp& op : warp.ops)
                put(opEvent(op, warp, cta, ticks.of(launch, warp.sm, op.begin), ticks.of(launch, warp.sm, op.end),
                    taken.hertz));
        }
    }
}

} // namespace flashstep::cuda
