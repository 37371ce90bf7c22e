// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QList>
#include <QString>

namespace flashstep::ui {

// A scenario that the program carries in itself.
struct Sample {
    QString resource; // "samples/licence-causal.json"
    QString title;
};
[[nodiscard]] QList<Sample> samples();

// Lays a sample and its tensors out as files, which scenarios name, and gives the scenario's path. The folder is the
// user's data folder, or where that cannot be written one for this run alone.
[[nodiscard]] Result<QString> unpackSample(const QString& resource);

} // namespace flashstep::ui
