// SPDX-License-Identifier: Apache-2.0
// The tables, read back by a parser of RFC 4180.
#include "tests/support/csv_rows.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace flashstep::test {
namespace {

TEST(CsvTables, HoldEveryExecutionAndEveryEventOnce)
{
    for (const char* algorithm : { "standard", "fa1", "fa2", "fa3", "fa4" }) {
        SCOPED_TRACE(algorithm);
        const TileSize tile = std::string(algorithm) == "fa3" ? TileSize { 48, 32 } : TileSize { 16, 64 };
        const flashstep::Run run = runOf(scenarioOf(algorithm, 64, 128, 32, "causal", tile));
        const Range whole = Range::whole(*run.trace);
        const Rows rows = csvRows(run, CsvTable::Spans, whole);
        EXPECT_EQ(rows[0], (std::vector<std::string> { "cta", "role", "engine", "op", "i", "j", "begin", "end" }));
        std::size_t executed = 0;
        for (std::size_t k = 0; k < run.trace->instanceCount(); ++k)
            executed += run.trace->began(InstanceId(k)) ? 1 : 0;
        EXPECT_EQ(rows.size() - 1, executed);
        EXPECT_EQ(csvRows(run, CsvTable::Events, whole).size() - 1, run.report.events);
        for (std::size_t k = 1; k < rows.size(); ++k)
            EXPECT_EQ(rows[k][2].empty(), rows[k][3] == "wait" || rows[k][3] == "sync");
    }
}

TEST(CsvTables, CountersAreThoseOfTheTraceAtEachEvent)
{
    for (const char* algorithm : { "fa2", "fa4" }) {
        const flashstep::Run run = runOf(scenarioOf(algorithm, 64, 256, 64, "causal", { 32, 32 }, DType::Bf16));
        const Trace& trace = *run.trace;
        const Range late { Position { trace.end().value / 2 }, trace.end() };
        for (const Range& range : { Range::whole(trace), late }) {
            const Rows rows = csvRows(run, CsvTable::Counters, range);
            ASSERT_GT(rows.size(), 10U);
            for (std::size_t k = 1; k < rows.size(); ++k)
                for (std::size_t c = 0; c < counterCount; ++c)
                    ASSERT_EQ(std::stod(rows[k][2 + c]),
                        trace.counter(static_cast<Counter>(c),
                            Position { static_cast<std::uint32_t>(std::stoul(rows[k][0])) + 1 }))
                        << algorithm << ' ' << rows[0][2 + c] << " at event " << rows[k][0];
            EXPECT_EQ(std::stod(rows.back()[2]), run.report.globalReadBytes);
            EXPECT_EQ(std::stod(rows.back()[3]), run.report.globalWriteBytes);
        }
    }
}

TEST(CsvTables, NamesWithCommasAndQuotesStandInQuotes)
{
    flashstep::Run run = runOf(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }));
    auto program = std::make_shared<Program>(*run.program);
    program->roles[0].name = "warp \"zero\", first";
    run.program = program;
    const Rows rows = csvRows(run, CsvTable::Spans, Range::whole(*run.trace));
    std::size_t renamed = 0;
    for (const auto& row : rows)
        renamed += row[1] == "warp \"zero\", first" ? 1 : 0;
    EXPECT_GT(renamed, 0U);
}

TEST(Ledger, EndsAtTheLseOfEachRow)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 40, 40, 32, "causal", { 16, 16 }));
    const auto rows = csvRows(run, CsvTable::Ledger, Range::whole(*run.trace));
    ASSERT_GT(rows.size(), 40U);
    std::map<std::string, double> newest;
    for (std::size_t k = 1; k < rows.size(); ++k)
        newest[rows[k][3]] = std::stod(rows[k][7]) + std::log(std::stod(rows[k][8]));
    ASSERT_EQ(newest.size(), 40U);
    for (const auto& [row, lse] : newest)
        EXPECT_NEAR(lse, static_cast<double>(run.lse.row(0, 0, std::stoi(row))[0]), 1e-5);
}

} // namespace
} // namespace flashstep::test
