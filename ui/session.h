// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace flashstep::ui {

class Appearance;
class Document;
class Insights;
class Playback;
class Selection;

// What every view is given: the run, the place in it, what is looked at, and how it is to look.
struct Session {
    Document& document;
    Playback& playback;
    Selection& selection;
    Appearance& appearance;
    Insights& insights;
};

} // namespace flashstep::ui
