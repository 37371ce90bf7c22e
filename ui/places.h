// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/trace/query.h"

#include <QObject>
#include <QString>

#include <optional>
#include <vector>

namespace flashstep::ui {

class Document;

// A moment to come back to. It is kept by its meaning where it has one ("nth(2, exp2, cta=0, role=warp0, i=6, j=5)"),
// so that it still stands after a knob was turned.
struct Bookmark {
    QString at; // a position
    QString name;
    int number = -1; // 0 … 9: its key
    bool operator==(const Bookmark&) const = default;
};

// Where playing stops: a condition.
struct Breakpoint {
    QString condition;
    bool enabled = true;
    bool operator==(const Breakpoint&) const = default;
};

// The bookmarks and breakpoints of the document, kept in its scenario file.
class Places : public QObject {
    Q_OBJECT
public:
    explicit Places(Document& document, QObject* parent = nullptr);

    struct All {
        std::vector<Bookmark> bookmarks;
        std::vector<Breakpoint> breakpoints;
        bool operator==(const All&) const = default;
    };
    [[nodiscard]] const All& all() const { return m_all; }
    void set(const All& all); // as it was: nothing to take back
    void change(const All& all, const QString& what); // by the user

    // What position p is, in words that mean the same in another run of the scenario; its number where it has none.
    [[nodiscard]] QString meaningOf(Position p) const;
    // Where a bookmark is in this run; an error where that never happens.
    [[nodiscard]] Result<Moment> find(const Bookmark& bookmark) const;
    [[nodiscard]] std::optional<Bookmark> numbered(int number) const;
    // The bookmark nearest after, or before, p.
    [[nodiscard]] std::optional<Moment> next(Position p) const;
    [[nodiscard]] std::optional<Moment> previous(Position p) const;

    void addBookmark(Position p, const QString& name, int number = -1); // a number moves from the one that had it
    [[nodiscard]] Status addBreakpoint(const QString& condition); // "not understood" and what would be
    void toggleBreakpoint(const QString& condition);
    // The first moment in (from, to] at which an enabled breakpoint comes true; of one CTA, or of all.
    [[nodiscard]] std::optional<Moment> stopIn(Position from, Position to, CtaId scope) const;
    [[nodiscard]] std::optional<Moment> nextStop(Position from, CtaId scope) const;
    [[nodiscard]] std::optional<Moment> previousStop(Position from, CtaId scope) const;

signals:
    void changed();
    void edited(const flashstep::ui::Places::All& before, const QString& what); // by the user: can be taken back

private:
    void read();
    Document& m_document;
    All m_all;
};

} // namespace flashstep::ui
