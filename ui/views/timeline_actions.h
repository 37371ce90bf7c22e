// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QMenu;

namespace flashstep::ui {

class Actions;
class TimelineCanvas;

// What can be done on the timeline beside zooming: the critical path, chains, measuring, pinned CTAs, following.
void addTimelineActions(Actions& actions, QMenu* menu, TimelineCanvas& timeline);

} // namespace flashstep::ui
