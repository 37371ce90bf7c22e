// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/progress.h"
#include "core/io/export_request.h"
#include "core/io/labels.h"
#include "ui/paint/picture.h"

namespace flashstep::paint {

// What an export is made of, beside what it was asked to be.
struct ExportSource {
    const Run* run = nullptr;
    const Labels* labels = nullptr;
    QString scenarioName; // file name, in the provenance line; empty: stated on the command line alone
};

// Every format, drawn or not: the one way in which the window, the command line and a batch write a file, so that the
// same scenario and options give the same bytes. Needs a QGuiApplication for what is drawn. On failure or cancel the
// target is what it was before.
[[nodiscard]] Status writeExport(
    const ExportSource& source, const ExportRequest& request, const QString& path, const Progress& progress);

// What the format needs beyond this program: an encoder for mp4. The error says what is not there.
[[nodiscard]] Status checkHere(const ExportFormat& format);

// The picture that a drawn format with views is made of, at the request's moment or at the end.
[[nodiscard]] PictureRequest pictureOf(const ExportSource& source, const ExportRequest& request);

// The words of the tokens along queries and keys.
[[nodiscard]] Tokens tokensOf(const Run& run, const Labels& labels);

} // namespace flashstep::paint
