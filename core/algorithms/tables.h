// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/algorithms/registry.h"

namespace flashstep {

// Each version's schedule and its kernel table, in the file of its name.
void standardForward(Kernel& kernel);
Result<KernelTable> standardTable(const TableQuery& query);

void fa1Forward(Kernel& kernel);
Result<KernelTable> fa1Table(const TableQuery& query);

void fa2Forward(Kernel& kernel);
Result<KernelTable> fa2Table(const TableQuery& query);

void fa3Forward(Kernel& kernel);
Result<KernelTable> fa3Table(const TableQuery& query);

void fa4Forward(Kernel& kernel);
Result<KernelTable> fa4Table(const TableQuery& query);

} // namespace flashstep
