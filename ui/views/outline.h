// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"
#include "ui/session.h"

#include <QTreeWidget>

namespace flashstep::ui {

// The steps of the chosen CTA: its key blocks and, below each, what is done with them. A click goes there.
class Outline : public QTreeWidget {
    Q_OBJECT
public:
    Outline(const Session& session, QWidget* parent);
    [[nodiscard]] Position position() const; // that its steps are done, under way or to come at

private:
    void rebuild();
    void addWork(QTreeWidgetItem* parent, WorkId id);
    void addSweep(QTreeWidgetItem* parent, WorkId id, const RoleRange& role);
    [[nodiscard]] QString rowsOf(WorkId id) const;
    void refresh();
    void dress();
    [[nodiscard]] Position placeOf(const QTreeWidgetItem* item) const;

    const Session m_session;
    CtaId m_cta;
    const Trace* m_trace = nullptr;
};

} // namespace flashstep::ui
