// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>

namespace flashstep {

// Handed to every function that may take long. It owns no thread; `report` is called a few times a second at most,
// on the caller's own thread, with a fraction in 0…1.
struct Progress {
    std::stop_token stop;
    std::function<void(double)> report;

    [[nodiscard]] bool cancelled() const { return stop.stop_requested(); }
    void at(double fraction) const
    {
        if (report)
            report(fraction);
    }
};

} // namespace flashstep
