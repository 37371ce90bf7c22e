// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/labels.h"
#include "core/program/problem.h"
#include "ui/paint/text.h"

namespace flashstep::paint {

// The input's words along rows and columns. With as many keys as queries the words serve both.
[[nodiscard]] Tokens tokensOf(const Labels& labels, const Problem& problem);

} // namespace flashstep::paint
