// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/emulation/run.h"
#include "ui/paint/text.h"
#include "ui/paint/theme.h"

#include <QImage>
#include <QPainter>
#include <QSize>
#include <QString>
#include <QStringList>

#include <optional>
#include <string>

namespace flashstep::paint {

// Views that a picture can show without a window.
[[nodiscard]] QStringList pictureViews(); // timeline tiles memory ledger grid figure

// What a picture shows: the same for files, the window's exports and tests.
struct PictureRequest {
    const Run* run = nullptr;
    Tokens tokens;
    QString view = QStringLiteral("timeline");
    QStringList panels; // view figure: what stands on the page; empty: the pipeline figure of the version
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

// Everything on the sheet, with title, legend, scale and provenance line, from (0, 0) to request.size.
void paintPicture(QPainter& painter, const PictureRequest& request);
// How large a sheet shows all of it well, where nobody asks for a size.
[[nodiscard]] QSize fittingSize(const PictureRequest& request);

// The picture as a file. `format`: "svg", "pdf" or "png". Written beside the target and renamed; on failure, or
// cancelled before it is written, nothing is left.
[[nodiscard]] Status writePicture(
    const PictureRequest& request, const QString& format, const QString& path, const Progress& progress = {});

// The same picture as an image; its device pixel ratio is request.scale.
[[nodiscard]] QImage renderPicture(const PictureRequest& request);
// The same picture as SVG text: the same bytes for the same request, nothing external.
[[nodiscard]] QByteArray renderSvg(const PictureRequest& request);
// The same picture as a PDF page of that size at 96 pixels an inch, fonts embedded: the same bytes on one machine.
[[nodiscard]] QByteArray renderPdf(const PictureRequest& request);

} // namespace flashstep::paint
