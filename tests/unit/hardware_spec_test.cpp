// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/spec.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace flashstep;

// A line of a csv with quoted fields ("" is not used there).
std::vector<std::string> fields(const std::string& line)
{
    std::vector<std::string> found(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            found.emplace_back();
        else
            found.back() += c;
    }
    return found;
}

struct Row {
    std::string value, unit, source, confidence;
};

// By "gpu parameter".
std::map<std::string, Row> hardwareTable()
{
    std::ifstream file(FLASHSTEP_SOURCE_DIR "/resources/hardware/hardware.csv");
    std::map<std::string, Row> rows;
    std::string line;
    std::getline(file, line);
    EXPECT_EQ(line, "gpu,parameter,value,unit,source,confidence,note");
    while (std::getline(file, line)) {
        const auto cells = fields(line);
        EXPECT_EQ(cells.size(), 7u) << line;
        rows[cells[0] + ' ' + cells[1]] = { cells[2], cells[3], cells[4], cells[5] };
    }
    return rows;
}

TEST(GpuSpec, FiguresAreThoseOfTheTable)
{
    const auto table = hardwareTable();
    for (const GpuSpec& gpu : gpuSpecs()) {
        int compared = 0;
        for (const auto& [field, member] : gpuFigures()) {
            const Figure& figure = gpu.*member;
            if (figure.parameter.empty())
                continue;
            const auto row = table.find(std::string(gpu.title) + ' ' + std::string(figure.parameter));
            ASSERT_NE(row, table.end()) << gpu.name << ' ' << field;
            EXPECT_EQ(std::to_string(figure.value), std::to_string(std::stod(row->second.value)))
                << gpu.name << ' ' << field;
            EXPECT_EQ(figure.source, row->second.source) << gpu.name << ' ' << field;
            EXPECT_EQ(name(figure.confidence), row->second.confidence) << gpu.name << ' ' << field;
            ++compared;
        }
        EXPECT_GE(compared, 15) << gpu.name;
    }
}

TEST(GpuSpec, ArithmeticOnTheTable)
{
    const auto table = hardwareTable();
    const auto value = [&](const char* key) { return std::stod(table.at(key).value); };
    const GpuSpec& a100 = *findGpu("a100");
    EXPECT_DOUBLE_EQ(a100.l2BytesPerClkPerSm, value("A100-SXM4-80GB l2_throughput") / value("A100-SXM4-80GB sm_count"));
    EXPECT_DOUBLE_EQ(a100.mmaSyncCycles, 16 * 8 * 16 * 2 / (value("A100-SXM4-80GB tensor_fp16_flop_per_clk_sm") / 4));
    for (const char* gpu : { "A100-SXM4-80GB", "H100-SXM5" })
        EXPECT_DOUBLE_EQ(a100.registersPerSm, value((std::string(gpu) + " register_file_per_sm").c_str()) * 1024 / 4);
}

TEST(GpuSpec, EveryFigureSaysWhereItComesFrom)
{
    for (const GpuSpec& gpu : gpuSpecs()) {
        for (const auto& [field, member] : gpuFigures()) {
            const Figure& figure = gpu.*member;
            EXPECT_GT(figure.value, 0) << gpu.name << ' ' << field;
            EXPECT_FALSE(figure.unit.empty()) << gpu.name << ' ' << field;
            EXPECT_FALSE(figure.source.empty()) << gpu.name << ' ' << field;
        }
    }
}

TEST(GpuSpec, PeakIsThePublishedOne)
{
    const auto peak = [](const GpuSpec& gpu) { return gpu.sms * gpu.tensorFlopsPerClk * gpu.clockMhz * 1e-6; };
    EXPECT_NEAR(peak(*findGpu("a100")), 312, 0.5);
    EXPECT_NEAR(peak(*findGpu("h100")), 989.4, 0.5);
}

TEST(GpuSpec, Listing)
{
    EXPECT_EQ(findGpu("v100"), nullptr);
    std::set<std::string_view> names;
    for (const auto& [field, member] : gpuFigures())
        names.insert(field);
    EXPECT_EQ(names.size(), gpuFigures().size());
    EXPECT_EQ(gpuFigures().front().first, "sms");
    EXPECT_EQ(name(Confidence::Fitted), "fitted");
}

} // namespace
