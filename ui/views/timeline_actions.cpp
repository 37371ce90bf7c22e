// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/timeline_actions.h"

#include "ui/actions.h"
#include "ui/views/timeline_canvas.h"

#include <QMenu>

namespace flashstep::ui {

void addTimelineActions(Actions& actions, QMenu* menu, TimelineCanvas& timeline)
{
    TimelineOverlay& overlay = timeline.overlay();
    const auto toggle = [&](const char* id, const QString& text, const QStringList& keys, auto state, auto flip) {
        QAction* action = actions.add(menu, QString::fromLatin1(id), text, keys, flip);
        action->setCheckable(true);
        action->setChecked(state());
        const auto tick = [action, state] { action->setChecked(state()); };
        QObject::connect(&overlay, &TimelineOverlay::changed, action, tick);
        QObject::connect(&timeline, &TimelineCanvas::viewChanged, action, tick);
    };
    menu->addSeparator();
    toggle(
        "criticalPath", QObject::tr("Critical path"), { QStringLiteral("C") },
        [&overlay] { return overlay.showsPath(); }, [&overlay] { overlay.showPath(!overlay.showsPath()); });
    toggle(
        "wholeChain", QObject::tr("Whole chain behind the selection"), { QStringLiteral("L") },
        [&overlay] { return overlay.showsChain(); }, [&overlay] { overlay.showChain(!overlay.showsChain()); });
    actions.add(menu, QStringLiteral("measure"), QObject::tr("Measure the selection, then to the next one"),
        { QStringLiteral("M") }, [&overlay] { overlay.measureSelection(); });
    toggle(
        "followPlayhead", QObject::tr("Follow the playhead"), {}, [&timeline] { return timeline.follows(); },
        [&timeline] { timeline.setFollows(!timeline.follows()); });
    menu->addSeparator();
    actions.add(menu, QStringLiteral("pinCta"), QObject::tr("Pin this CTA beside"), { QStringLiteral("P") },
        [&timeline] { timeline.togglePin(timeline.chosenCta()); });
    actions.add(menu, QStringLiteral("pinPair"), QObject::tr("Both CTAs of the cluster"), {},
        [&timeline] { timeline.pinPair(); });
    actions.add(menu, QStringLiteral("pinNext"), QObject::tr("Pin the next CTA beside"), {},
        [&timeline] { timeline.pinNext(); });
    actions.add(menu, QStringLiteral("unpinAll"), QObject::tr("Unpin all"), {}, [&timeline] { timeline.unpinAll(); });
}

} // namespace flashstep::ui
