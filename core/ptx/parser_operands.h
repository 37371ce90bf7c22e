// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/parser_context.h"

namespace flashstep::ptx {

// One operand of any kind, as it stands between commas.
[[nodiscard]] bool parseOperand(Context& context, Operand& operand);
// A predicate register, after @ or !.
[[nodiscard]] bool parsePredicate(Context& context, std::uint32_t& predicate);
// [(results),] function [, (arguments) [, targets or prototype]]: three operands.
[[nodiscard]] bool parseCall(Context& context, Statement& statement);

} // namespace flashstep::ptx
