// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/film.h"

namespace flashstep::paint {

// The request's film as an animated GIF that runs for ever and rests on its last frame. One table of colours for all
// frames; of each frame only the rectangle that changed. Drawn frame by frame: two are held at a time.
[[nodiscard]] Status writeGif(
    const ExportSource& source, const ExportRequest& request, const QString& path, const Progress& progress);

// When each frame ends, in hundredths of a second from the beginning of the film.
[[nodiscard]] int gifFrameEnd(std::size_t k, double fps);
constexpr double fastestGif = 50; // frames a second: players slow down what is shown for less than two hundredths
constexpr int gifRest = 250; // hundredths that the last frame is shown beyond its own time

} // namespace flashstep::paint
