// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"
#include "core/io/spans.h"

#include <string>

namespace flashstep::cli {

struct PictureOptions {
    std::string format, path, view, theme, size;
    Position at;
    CtaId cta; // none(): the tile's own, or the first
    Range range;
    bool ranged = false;
};

// Writes svg or png through the window's painters. The status to exit with: 3 in a build without Qt.
int writePicture(const Session& session, const PictureOptions& options);

} // namespace flashstep::cli
