// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>

namespace flashstep {

// Handed to every function that may take long. It owns no thread; `report` is called a few times a second at most,
// on the caller's own thread, with a fraction in 0…1.
struct Progress {
    std::stop_token stop;
    std::function<void(double)> report;
    std::function<void(const std::string&)> note; // what the user should know of the result, in a line

    [[nodiscard]] bool cancelled() const { return stop.stop_requested(); }
    void at(double fraction) const
    {
        if (report)
            report(fraction);
    }
    void remark(const std::string& text) const
    {
        if (note && !text.empty())
            note(text);
    }
};

} // namespace flashstep
