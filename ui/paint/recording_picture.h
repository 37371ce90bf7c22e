// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "ui/paint/recording_source.h"

#include <QPainter>
#include <QSize>

namespace flashstep::paint {

// The lanes of a recording on a sheet: title, clock, lanes, legend, what was left out, provenance.
struct RecordingPictureRequest {
    std::shared_ptr<const RecordingLanes> lanes;
    QString theme = QStringLiteral("print");
    QSize size { 1440, 900 }; // logical pixels
    bool sized = false; // it was asked for; else the sheet is no higher than its lanes
};

// By the suffix of the path: .svg or .png. Written beside the target and renamed.
[[nodiscard]] Status writeRecordingPicture(const RecordingPictureRequest& request, const QString& path);
void paintRecordingPicture(QPainter& painter, const RecordingPictureRequest& request);

} // namespace flashstep::paint
