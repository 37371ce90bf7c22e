// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/picture.h"
#include "ui/paint/picture_page.h"
#include "ui/paint/stage_layout.h"

#include <QPainter>

namespace flashstep::paint {

// Whether there is a run, such a view, and the size is one that can be drawn.
[[nodiscard]] Status checkPicture(const PictureRequest& request);

[[nodiscard]] QString pictureTitle(const PictureRequest& request);
[[nodiscard]] QString pictureSubtitle(const PictureRequest& request);
[[nodiscard]] QString provenance(const PictureRequest& request);
// Why nothing of the run may be believed: a deadlock, hazards, wrong results. Empty for a sound run.
[[nodiscard]] QString faultLine(const Run& run);
// "batch 8 × 64 heads, 1 K/V head", "head dimensions 192 of Q and K, 128 of V", "fp32 values, timed as bf16".
[[nodiscard]] QString headWords(const Problem& problem);
[[nodiscard]] QString headDimWords(const Problem& problem);
[[nodiscard]] QString dtypeWords(const Problem& problem);
// "gpu=b300, exp2-emulation=off, break=wait:K_visible": what was turned, whoever did it; empty: nothing.
[[nodiscard]] QString settingWords(const Run& run);
[[nodiscard]] QString shortProvenance(const PictureRequest& request); // one line, for a film

// What the views of a picture share.
struct Sheet {
    QPainter* painter; // nullptr: only measured
    const PictureRequest& request;
    const Theme& theme;
    CtaId cta;

    [[nodiscard]] const Trace& trace() const { return *request.run->trace; }
    [[nodiscard]] WorkId work() const { return trace().workAt(cta, request.at); }
    [[nodiscard]] StageScene stage() const
    {
        return { &trace(), request.at, cta, &request.tokens, {}, &request.run->report.hazardList };
    }
};
[[nodiscard]] Sheet sheetOf(QPainter* painter, const PictureRequest& request);
// "after event 12 of 40, cycle 3 000, 2.1 µs modelled"
[[nodiscard]] QString momentWords(const Sheet& sheet);

// A view in a rectangle, with its title and legend. `letter`: of a panel among several, or empty.
void paintView(const Sheet& sheet, const QString& view, const QRectF& rect, const QString& letter);
// The height that shows all of it well at a width.
[[nodiscard]] double viewHeight(const Sheet& sheet, const QString& view, double width);

void paintTimelineView(const Sheet& sheet, const QRectF& body, const QString& letter);
[[nodiscard]] double timelineViewHeight(const Sheet& sheet, double width);

// The views of request.panels on one page, lettered.
void paintPanels(const Sheet& sheet, const QRectF& body);
[[nodiscard]] double panelsHeight(const Sheet& sheet, double width);

} // namespace flashstep::paint
