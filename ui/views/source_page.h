// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/source_anchors.h"
#include "core/trace/state.h"
#include "ui/session.h"

#include <QString>

#include <map>
#include <memory>
#include <vector>

namespace KSyntaxHighlighting {
class Repository;
}

namespace flashstep::ui {

// One of the texts that tell the run's algorithm, ready to be shown: its lines, how they are set, and which ops of the
// run each stands for. No widget: the source view paints it.
class SourcePage {
public:
    // How a stretch of a line is set. The frame has no hue, so code speaks by weight and lightness.
    struct Ink {
        int length = 0;
        enum class Tone : quint8 { First, Second, Third } tone = Tone::First;
        bool strong = false;
    };
    struct Line {
        QString text;
        QString number; // in the gutter
        std::vector<Ink> inks; // that cover the text
        int indent = 0;
        bool prose = false; // of the head: what the text is, and what is not certain about it
    };
    struct Current {
        QString roles; // "warps 0–3"
        bool exact = false; // a step of theirs is the line; else they have come past it, to a step no line tells of
    };

    explicit SourcePage(SourceText kind)
        : m_kind(kind)
    {
    }
    void load(const Session& session, KSyntaxHighlighting::Repository& repository);

    [[nodiscard]] SourceText kind() const { return m_kind; }
    [[nodiscard]] bool available() const { return !m_lines.empty(); }
    [[nodiscard]] const QString& file() const { return m_file; }
    [[nodiscard]] const QString& title() const { return m_title; }
    [[nodiscard]] const QString& note() const { return m_note; } // or why there is none
    [[nodiscard]] int count() const { return static_cast<int>(m_lines.size()); }
    [[nodiscard]] const Line& line(int number) const { return m_lines[static_cast<std::size_t>(number - 1)]; }
    [[nodiscard]] bool wraps() const { return m_kind == SourceText::Paper; } // sentences are read whole
    [[nodiscard]] bool hasOps(int line) const; // of this run

    [[nodiscard]] int lineOf(const Op& op) const; // from 1; 0: none tells of it
    // The line of a role whose op this is; 0: it has not come to any.
    [[nodiscard]] LineMap::Place placeOf(const Trace& trace, InstanceId instance) const;
    // Line to the roles that are on it.
    [[nodiscard]] std::map<int, Current> current(const Session& session, const std::vector<RoleState>& roles) const;
    // Where the chosen CTA next executes that line, after (or before) the position; the first (last) time where there
    // is none; nothing where it never does.
    [[nodiscard]] std::optional<Position> execution(const Session& session, int line, bool after) const;

private:
    void take(const QString& text, const QString& language, KSyntaxHighlighting::Repository& repository);

    SourceText m_kind;
    QString m_file, m_title, m_note;
    QString m_set; // the file whose lines these are: another run of the same version keeps them
    std::vector<Line> m_lines;
    std::vector<bool> m_hasOps; // by line
    LineMap m_map; // of all but the schedule
};

} // namespace flashstep::ui
