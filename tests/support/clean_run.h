// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/check.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace flashstep::test {

// The run of a scenario that must have no hazard, no deadlock and no offence.
inline Run clean(const Scenario& s)
{
    Run run = runOf(s);
    EXPECT_EQ(run.report.hazards, 0U) << describe(s);
    EXPECT_TRUE(run.trace->deadlock().empty()) << describe(s);
    EXPECT_TRUE(checkProgram(*run.program).empty()) << describe(s);
    return run;
}

inline bool hasRole(const Run& run, const std::string& name)
{
    return std::ranges::any_of(run.program->roles, [&](const RoleDecl& r) { return r.name == name; });
}

} // namespace flashstep::test
