// SPDX-License-Identifier: Apache-2.0
// The log for Konata, read back by the grammar that Konata documents.
#include "core/io/kanata.h"
#include "tests/support/csv_rows.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace flashstep::test {
namespace {

struct Instruction {
    std::int64_t begin = 0, end = -1;
    std::size_t thread = 0;
    std::string label, detail;
    std::map<std::string, std::string> open; // by lane: the stage under way
    std::map<std::string, std::set<std::string>> stages;
    std::multimap<std::size_t, std::int64_t> producers; // with the cycle of the command
    int retired = 0;
    bool flushed = false;
};

std::vector<std::string> columnsOf(const std::string& line)
{
    std::vector<std::string> columns;
    std::istringstream cells(line + "\t");
    for (std::string cell; std::getline(cells, cell, '\t');)
        columns.push_back(cell);
    return columns;
}

class KanataReader {
public:
    std::vector<Instruction> read(const std::string& text)
    {
        std::istringstream lines(text);
        std::string line;
        std::getline(lines, line);
        EXPECT_EQ(line, "Kanata\t0004");
        while (std::getline(lines, line))
            command(columnsOf(line), line);
        for (const Instruction& each : m_all)
            EXPECT_EQ(each.retired, 1) << each.label;
        return m_all;
    }

private:
    void command(const std::vector<std::string>& c, const std::string& line)
    {
        static const std::map<std::string, std::size_t> columns { { "C=", 2 }, { "C", 2 }, { "I", 4 }, { "L", 4 },
            { "S", 4 }, { "E", 4 }, { "R", 4 }, { "W", 4 } };
        ASSERT_EQ(columns.count(c[0]), 1U) << line;
        ASSERT_EQ(c.size(), columns.at(c[0])) << line;
        if (c[0] == "C=") {
            EXPECT_FALSE(m_started) << "the start is said twice";
            m_cycle = std::stoll(c[1]);
            m_started = true;
            return;
        }
        ASSERT_TRUE(m_started) << line;
        if (c[0] == "C") {
            EXPECT_GT(std::stoll(c[1]), 0) << "no step forward";
            m_cycle += std::stoll(c[1]);
        } else if (c[0] == "I") {
            EXPECT_EQ(std::stoul(c[1]), m_all.size()) << "numbers follow each other";
            m_all.emplace_back();
            m_all.back().begin = m_cycle;
            m_all.back().thread = std::stoul(c[3]);
        } else {
            ASSERT_LT(std::stoul(c[1]), m_all.size()) << "unknown: " << line;
            about(m_all[std::stoul(c[1])], c, line);
        }
    }

    void about(Instruction& op, const std::vector<std::string>& c, const std::string& line)
    {
        ASSERT_EQ(op.retired, 0) << "after its end: " << line;
        if (c[0] == "L") {
            ASSERT_TRUE(c[2] == "0" || c[2] == "1") << line;
            (c[2] == "0" ? op.label : op.detail) += c[3];
        } else if (c[0] == "S") {
            EXPECT_TRUE(op.open.emplace(c[2], c[3]).second) << "two stages at once: " << line;
            op.stages[c[2]].insert(c[3]);
        } else if (c[0] == "E") {
            EXPECT_EQ(op.open[c[2]], c[3]) << line;
            op.open.erase(c[2]);
        } else if (c[0] == "W") {
            ASSERT_LT(std::stoul(c[2]), m_all.size()) << "waits for what has not begun: " << line;
            EXPECT_NE(c[1], c[2]);
            EXPECT_EQ(c[3], "0");
            op.producers.emplace(std::stoul(c[2]), m_cycle);
        } else {
            EXPECT_TRUE(op.open.empty()) << "still in a stage: " << line;
            EXPECT_EQ(std::stoul(c[2]), m_retired) << "retirements are counted";
            op.flushed = c[3] == "1";
            m_retired += op.flushed ? 0 : 1;
            ++op.retired;
            op.end = m_cycle;
        }
    }

    std::vector<Instruction> m_all;
    std::int64_t m_cycle = 0;
    std::size_t m_retired = 0;
    bool m_started = false;
};

std::vector<Instruction> kanataOf(const Run& run, const Range& range)
{
    std::ostringstream out;
    EXPECT_TRUE(writeKanata(run, range, out, {}).ok());
    return KanataReader().read(out.str());
}

void expectSpansOfTable(const Run& run, const std::vector<Instruction>& log, const Range& range)
{
    std::multiset<std::tuple<std::string, std::int64_t, std::int64_t>> found, expected;
    for (const Instruction& op : log)
        found.emplace(op.label.substr(0, op.label.find(": ")), op.begin, op.end);
    const Rows rows = csvRows(run, CsvTable::Spans, range);
    for (std::size_t k = 1; k < rows.size(); ++k)
        expected.emplace("CTA " + rows[k][0] + " " + rows[k][1], std::stoll(rows[k][6]), std::stoll(rows[k][7]));
    EXPECT_EQ(found, expected);
}

TEST(Kanata, HoldsTheTableOfSpans)
{
    Limits limits;
    limits.scores = 4000;
    limits.widestHead = 128;
    for (const char* algorithm : { "standard", "fa1", "fa2", "fa3", "fa4" })
        for (const std::uint64_t seed : seeds(8)) {
            Scenario s = randomScenario(seed, algorithm, limits);
            s.record = { Record::Kind::None, 0 };
            SCOPED_TRACE(describe(seed, s));
            const flashstep::Run run = runOf(s);
            const Range whole = Range::whole(*run.trace);
            const std::vector<Instruction> log = kanataOf(run, whole);
            expectSpansOfTable(run, log, whole);
            std::size_t dependencies = 0;
            for (const Instruction& op : log) {
                EXPECT_FALSE(op.flushed);
                for (const auto& [producer, cycle] : op.producers)
                    EXPECT_LE(log[producer].begin, cycle);
                dependencies += op.producers.size();
            }
            EXPECT_GT(dependencies, 0U);
            const Range part { Position { run.trace->end().value / 3 }, Position { run.trace->end().value / 2 } };
            expectSpansOfTable(run, kanataOf(run, part), part);
        }
}

TEST(Kanata, StagesSayWhatHoldsTheTime)
{
    const flashstep::Run run = runOf(scenarioOf("fa3", 96, 128, 64, "none", { 48, 32 }, DType::Bf16));
    const std::vector<Instruction> log = kanataOf(run, Range::whole(*run.trace));
    std::set<std::string> stages;
    for (const Instruction& op : log) {
        ASSERT_EQ(op.stages.at("0").size(), 1U);
        const std::string& stage = *op.stages.at("0").begin();
        EXPECT_EQ(op.stages.contains("1"), stage == "Wait") << op.label;
        stages.insert(stage);
        EXPECT_EQ(op.detail.rfind("core/algorithms/fa3_", 0), 0U) << op.detail;
    }
    for (const char* expected : { "X.tensor", "X.exp", "X.hbm", "X.alu", "X.smem", "X.issue", "Wait" })
        EXPECT_TRUE(stages.contains(expected)) << expected;
}

TEST(Kanata, ProductsWaitForTheCopiesOfTheirOperands)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 16, 64, 16, "none", { 16, 16 }));
    const std::vector<Instruction> log = kanataOf(run, Range::whole(*run.trace));
    std::size_t checked = 0;
    for (const Instruction& op : log)
        if (op.label.find("S = Q K") != std::string::npos && !op.producers.empty()) {
            const Instruction& wait = log[op.producers.begin()->first];
            EXPECT_EQ(*wait.stages.at("0").begin(), "Wait") << wait.label;
            ++checked;
        }
    EXPECT_GT(checked, 0U);
}

TEST(Kanata, WhatADeadlockLeavesIsFlushed)
{
    Scenario s = scenarioOf("fa2", 64, 64, 32, "causal", { 16, 16 });
    s.breaks.emplace_back("count:syncthreads=160");
    const flashstep::Run run = runOf(s);
    const Range whole = Range::whole(*run.trace);
    const std::vector<Instruction> log = kanataOf(run, whole);
    expectSpansOfTable(run, log, whole);
    std::size_t flushed = 0, unfinished = 0;
    for (const Instruction& op : log)
        flushed += op.flushed ? 1 : 0;
    for (std::size_t k = 0; k < run.trace->instanceCount(); ++k)
        unfinished += run.trace->began(InstanceId(k)) && !run.trace->ended(InstanceId(k)) ? 1 : 0;
    EXPECT_EQ(flushed, unfinished);
    EXPECT_GT(flushed, 0U);
}

} // namespace
} // namespace flashstep::test
