// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/json.h"

#include <string>
#include <vector>

namespace flashstep {

// Writes down again, as text, a part of a JSON document that a SAX parser goes through. Beyond a limit the text is
// given up, and the part only followed to its end.
class JsonCapture {
public:
    void start(std::size_t limit)
    {
        m_text.clear();
        m_first.clear();
        m_limit = limit;
        m_over = false;
        m_active = true;
    }
    [[nodiscard]] bool active() const { return m_active; }
    [[nodiscard]] bool over() const { return m_over; } // the limit was passed
    [[nodiscard]] const std::string& text() const { return m_text; }

    void open(char bracket)
    {
        separate();
        add(std::string_view(&bracket, 1));
        m_first.push_back(true);
    }
    // True where that was the end of it.
    bool close(char bracket)
    {
        add(std::string_view(&bracket, 1));
        m_first.pop_back();
        return done();
    }
    void key(const std::string& name)
    {
        separate();
        add(quoted(name) + ':');
        m_afterKey = true;
    }
    bool value(std::string_view json)
    {
        separate();
        add(json);
        return done();
    }

private:
    void separate()
    {
        if (!m_first.empty() && !m_afterKey) {
            if (!m_first.back())
                add(",");
            m_first.back() = false;
        }
        m_afterKey = false;
    }
    void add(std::string_view text)
    {
        m_over = m_over || m_text.size() + text.size() > m_limit;
        if (!m_over)
            m_text += text;
    }
    bool done()
    {
        if (!m_first.empty())
            return false;
        m_active = false;
        return true;
    }

    std::string m_text;
    std::vector<bool> m_first; // by depth: nothing stands there yet
    std::size_t m_limit = 0;
    bool m_over = false, m_active = false, m_afterKey = false;
};

} // namespace flashstep
