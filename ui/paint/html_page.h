// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/film.h"

namespace flashstep::paint {

// The request's steps as one page that needs nothing else: a section for each, with the narration's words and the view
// at that step. HTML that an XML reader takes too. Written section by section.
[[nodiscard]] Status writeHtmlPage(
    const ExportSource& source, const ExportRequest& request, const QString& path, const Progress& progress);

} // namespace flashstep::paint
