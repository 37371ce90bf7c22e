// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace flashstep::ptx {

// Vector clocks: what each thread of a CTA knows of the others. A thread's time goes on whenever it lets others know
// (at barriers, fences, atomics); an access at time c of thread u has happened before whatever a thread does that knows
// of u at c or later. Threads that have met at a barrier share one vector.
using Times = std::vector<std::uint32_t>; // by thread of a CTA
using SharedTimes = std::shared_ptr<const Times>;

// What is known of other CTAs, through atomics and fences; sorted by CTA. Mostly nothing.
struct Foreign {
    struct Row {
        std::uint32_t cta = 0;
        SharedTimes times;
    };
    std::vector<Row> rows;
};
using SharedForeign = std::shared_ptr<const Foreign>;

struct View {
    SharedTimes own; // null: nothing yet
    SharedForeign foreign;
};
// Into `into` all that `from` knows.
void join(View& into, const View& from);
// A view as another CTA may take it, and such a view as `cta` takes it: what a CTA calls its own is foreign elsewhere.
View exported(const View& view, std::uint32_t cta);
View imported(const View& view, std::uint32_t cta);

class Clocks {
public:
    Clocks() = default;
    Clocks(std::uint32_t cta, std::uint32_t threads);

    [[nodiscard]] std::uint32_t now(std::uint32_t thread) const { return m_now[thread]; }
    // Whether an access of (cta, thread) at its time `then` has happened before what `thread` does now.
    [[nodiscard]] bool knows(
        std::uint32_t thread, std::uint32_t ofCta, std::uint32_t ofThread, std::uint32_t then) const;

    // What the thread could tell: all it knows, and itself until now. Its time goes on.
    void publish(std::uint32_t thread, View& into);
    void learn(std::uint32_t thread, const View& view) { join(m_views[thread], view); }
    // All of the threads meet: each knows what any of them knew. For many threads at once.
    void meet(const std::vector<std::uint32_t>& threads);

private:
    std::uint32_t m_cta = 0;
    std::vector<std::uint32_t> m_now;
    std::vector<View> m_views;
};

} // namespace flashstep::ptx
