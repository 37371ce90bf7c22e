// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/emulation/run.h"
#include "ui/paint/text.h"
#include "ui/paint/theme.h"

#include <QImage>
#include <QSize>
#include <QString>
#include <QStringList>

#include <optional>
#include <string>

namespace flashstep::paint {

// Views that a picture can show without a window.
[[nodiscard]] QStringList pictureViews(); // timeline tiles memory ledger

// What a picture shows: the same for files, the window's exports and tests.
struct PictureRequest {
    const Run* run = nullptr;
    Tokens tokens;
    QString view = QStringLiteral("timeline");
    QString theme = QStringLiteral("print");
    QSize size { 1440, 900 }; // logical pixels
    double scale = 1; // PNG: device pixels per logical one
    Position at;
    CtaId cta; // none(): the tile's or the first
    std::optional<double> from, to; // cycles
    QString scenarioName; // in the provenance line
    QString input; // where Q, K and V come from, in words; empty: from the scenario
    QString version; // the program's
    bool bare = false; // the view and its legend alone: title and provenance stand around it
};

// Draws the view with title, legend, scale and provenance line. `format`: "svg" or "png". Written beside the target and
// renamed; on failure nothing is left.
[[nodiscard]] Status writePicture(const PictureRequest& request, const QString& format, const QString& path);

// The same picture as an image; its device pixel ratio is request.scale.
[[nodiscard]] QImage renderPicture(const PictureRequest& request);
// The same picture as SVG text: the same bytes for the same request, nothing external.
[[nodiscard]] QByteArray renderSvg(const PictureRequest& request);

} // namespace flashstep::paint
