// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/grid_layout.h"
#include "ui/paint/memory_layout.h"
#include "ui/paint/stage_layout.h"
#include "ui/paint/timeline_layout.h"

#include <QString>

// Which word of the glossary stands behind a part of a canvas that has no words of its own to show on hover; empty
// where none does.
namespace flashstep::ui {

[[nodiscard]] QString termOfRole(const QString& role);
[[nodiscard]] QString termOfEngine(Engine engine, const QString& label);
[[nodiscard]] QString termOfLane(const paint::Lane& lane, const paint::TimelineIndex* index);
[[nodiscard]] QString termOfMemory(const paint::MemoryLayout& layout, const QPointF& point);
[[nodiscard]] QString termOfStage(const paint::StageLayout& layout, const paint::StageHit& hit, const QPointF& point);
[[nodiscard]] QString termOfGrid(const paint::GridLayout& layout, const QPointF& point);

} // namespace flashstep::ui
