// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/film.h"

namespace flashstep::paint {

// An `ffmpeg` of the search path, and which of its encoders is taken: H.264 where it has one, else MPEG-4.
struct Encoder {
    QString program, codec;
};
[[nodiscard]] Result<Encoder> findEncoder();

// The request's film as MP4: its frames, raw, through the encoder's standard input. The encoder is ended, and no file
// left, on cancel, on failure, and where it takes nothing any more.
[[nodiscard]] Status writeMp4(
    const ExportSource& source, const ExportRequest& request, const QString& path, const Progress& progress);

} // namespace flashstep::paint
