// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/constants.h"
#include "core/hardware/spec.h"

#include <gtest/gtest.h>

#include <algorithm>
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

// The value of a row, "7700-8000" being a range.
bool isThat(double value, const std::string& text)
{
    const std::size_t dash = text.find('-');
    if (dash == std::string::npos)
        return std::to_string(value) == std::to_string(std::stod(text));
    return value >= std::stod(text.substr(0, dash)) && value <= std::stod(text.substr(dash + 1));
}

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
            EXPECT_TRUE(isThat(figure.value, row->second.value))
                << gpu.name << ' ' << field << ": " << figure.value << ", not " << row->second.value;
            EXPECT_EQ(figure.source, row->second.source) << gpu.name << ' ' << field;
            EXPECT_EQ(name(figure.confidence), row->second.confidence) << gpu.name << ' ' << field;
            ++compared;
        }
        // The csv has little of the GPUs that are like another one.
        const bool whole = gpu.name == "a100" || gpu.name == "h100" || gpu.name == "b200";
        EXPECT_GE(compared, whole ? 15 : 9) << gpu.name;
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

    const GpuSpec& h100 = *findGpu("h100");
    EXPECT_DOUBLE_EQ(h100.wgmmaCyclesPerColumn, 64 * 16 * 2 / value("H100-SXM5 tensor_fp16_flop_per_clk_sm"));
    EXPECT_DOUBLE_EQ(h100.dsmemBytesPerClkPerSm, value("H100-SXM5 dsmem_throughput_cluster2") * 1e12 / (114 * 1755e6));
    EXPECT_DOUBLE_EQ(h100.clusterSync, value("H100-SXM5 cluster_sync_4") * value("H100-SXM5 tensor_peak_clock"));

    for (const char* name : { "b200", "gb200", "b300" }) {
        const GpuSpec& gpu = *findGpu(name);
        EXPECT_DOUBLE_EQ(gpu.mmaSyncCycles, 16 * 8 * 16 * 2 * 4 / value("B300 mma_sync_m16n8k16_rate"));
        EXPECT_DOUBLE_EQ(gpu.ummaCyclesPerColumn, 128 * 16 * 2 / gpu.tensorFlopsPerClk);
        EXPECT_DOUBLE_EQ(gpu.tmemLanes * gpu.tmemColumns * 4, value("B200 tmem_per_sm") * 1024);
        EXPECT_DOUBLE_EQ(
            gpu.globalLatency, gpu.l2Latency + value("H100-SXM5 global_latency") - value("H100-SXM5 l2_latency"));
        EXPECT_EQ(gpu.smemLatency, value("B300 smem_latency"));
        EXPECT_EQ(gpu.barrierLatency, value("B300 syncthreads_256"));
        EXPECT_EQ(gpu.mbarrierLatency, value("B200 mbarrier_commit_wait"));
    }
    for (const GpuSpec& gpu : gpuSpecs())
        EXPECT_EQ(gpu.atomicLatency, gpu.l2Latency) << gpu.name;
}

TEST(GpuSpec, EveryFigureSaysWhereItComesFrom)
{
    for (const GpuSpec& gpu : gpuSpecs()) {
        for (const auto& [field, member] : gpuFigures()) {
            const Figure& figure = gpu.*member;
            if (figure.absent()) {
                EXPECT_TRUE(figure.note.starts_with("no ")) << gpu.name << ' ' << field;
            } else {
                EXPECT_GT(figure.value, 0) << gpu.name << ' ' << field;
            }
            EXPECT_FALSE(figure.unit.empty()) << gpu.name << ' ' << field;
            EXPECT_FALSE(figure.source.empty()) << gpu.name << ' ' << field;
        }
    }
}

TEST(GpuSpec, UnitsAreThoseOfTheFieldNotOfTheGpu)
{
    for (const auto& [field, member] : gpuFigures())
        for (const GpuSpec& gpu : gpuSpecs())
            EXPECT_EQ((gpu.*member).unit, (gpuSpecs().front().*member).unit) << gpu.name << ' ' << field;
}

TEST(GpuSpec, WhatAnArchitectureHas)
{
    for (const GpuSpec& gpu : gpuSpecs()) {
        const bool hopper = gpu.computeCapability == 90;
        const bool blackwell = gpu.computeCapability >= 100;
        for (const auto* figure : { &gpu.wgmmaCyclesPerColumn, &gpu.wgmmaLatency, &gpu.registerContentionWgmma })
            EXPECT_EQ(figure->absent(), !hopper) << gpu.name;
        for (const auto* figure : { &gpu.ummaCyclesPerColumn, &gpu.ummaSsFloor, &gpu.ummaLatencySs, &gpu.ummaLatencyTs,
                 &gpu.tmemLanes, &gpu.tmemColumns, &gpu.tmemBytesPerClk, &gpu.tmemLoadLatency, &gpu.ummaLatencySsPair,
                 &gpu.ummaLatencyTsPair, &gpu.polynomialInstructions })
            EXPECT_EQ(figure->absent(), !blackwell) << gpu.name;
        for (const auto* figure : { &gpu.tmaIssueCycles, &gpu.tmaLatency, &gpu.tmaStoreLatency, &gpu.dsmemLatency,
                 &gpu.dsmemBytesPerClkPerSm, &gpu.clusterSync, &gpu.setmaxnregCycles, &gpu.tensorFp8FlopsPerClk })
            EXPECT_EQ(figure->absent(), !hopper && !blackwell) << gpu.name;
        EXPECT_EQ(gpu.maxClusterSize, hopper || blackwell ? 8 : 1) << gpu.name;
    }
}

TEST(GpuSpec, WhatWasMeasuredOfAnotherGpuIsDerived)
{
    for (const char* name : { "h200", "gb200", "b300" })
        for (const auto& [field, member] : gpuFigures()) {
            const Figure& figure = findGpu(name)->*member;
            if (figure.confidence == Confidence::Microbenchmark) {
                EXPECT_FALSE(figure.parameter.empty()) << name << ' ' << field;
            }
            if (figure.note.starts_with("as ")) {
                EXPECT_TRUE(figure.confidence == Confidence::Derived || figure.confidence == Confidence::Fitted
                    || figure.confidence == Confidence::Guess)
                    << name << ' ' << field;
            }
        }
}

TEST(GpuSpec, PeakIsThePublishedOne)
{
    const auto peak = [](const GpuSpec& gpu) { return gpu.sms * gpu.tensorFlopsPerClk * gpu.clockMhz * 1e-6; };
    EXPECT_NEAR(peak(*findGpu("a100")), 312, 0.5);
    EXPECT_NEAR(peak(*findGpu("h100")), 989.4, 0.5);
    EXPECT_NEAR(peak(*findGpu("h200")), 989.4, 0.5);
    // Blackwell's published 2250 stands for 1856 MHz; here the highest clock, lowered by the power cap.
    EXPECT_NEAR(peak(*findGpu("b200")) * 1855.8 / 1965, 2250, 0.5);
}

TEST(GpuSpec, Listing)
{
    EXPECT_EQ(findGpu("v100"), nullptr);
    std::set<std::string_view> names, gpus;
    for (const auto& [field, member] : gpuFigures())
        names.insert(field);
    EXPECT_EQ(names.size(), gpuFigures().size());
    EXPECT_EQ(gpuFigures().front().first, "sms");
    EXPECT_EQ(name(Confidence::Fitted), "fitted");
    for (const GpuSpec& gpu : gpuSpecs())
        gpus.insert(gpu.name);
    EXPECT_EQ(gpus, (std::set<std::string_view> { "a100", "h100", "h200", "b200", "gb200", "b300" }));
}

TEST(GpuSpec, FiguresByTheNamesOfKnobs)
{
    EXPECT_EQ(kebabName("sms"), "sms");
    EXPECT_EQ(kebabName("l2BytesPerClkPerSm"), "l2-bytes-per-clk-per-sm");
    EXPECT_EQ(kebabName("hbmGBps"), "hbm-gbps");
    EXPECT_EQ(kebabName("tensorFp8FlopsPerClk"), "tensor-fp8-flops-per-clk");
    const GpuSpec& h100 = *findGpu("h100");
    std::set<const Figure*> found;
    for (const auto& [field, member] : gpuFigures()) {
        EXPECT_EQ(figureOf(h100, kebabName(field)), &(h100.*member)) << field;
        found.insert(&(h100.*member));
    }
    EXPECT_EQ(found.size(), gpuFigures().size());
    EXPECT_EQ(figureOf(h100, "colour"), nullptr);
    EXPECT_EQ(figureMember(""), nullptr);
}

TEST(Constants, AreTheFittedFiguresEachOnce)
{
    const std::vector<Constant> constants = fittedConstants();
    for (const GpuSpec& gpu : gpuSpecs())
        for (const auto& [field, member] : gpuFigures()) {
            const Figure& figure = gpu.*member;
            const auto listed = std::count_if(constants.begin(), constants.end(), [&](const Constant& c) {
                return c.name == kebabName(field) && c.value == figure.value
                    && std::ranges::count(c.appliesTo, gpu.name) == 1;
            });
            EXPECT_EQ(listed, figure.confidence == Confidence::Fitted ? 1 : 0) << gpu.name << ' ' << field;
        }
    std::set<std::pair<std::string, double>> keys;
    for (const Constant& c : constants) {
        EXPECT_TRUE(keys.emplace(c.name, c.value).second) << c.name;
        EXPECT_FALSE(c.unit.empty() || c.reason.empty() || c.fittedTo.empty()) << c.name << ' ' << c.value;
        EXPECT_EQ(c.reason.back(), '.') << c.name;
    }
}

} // namespace
