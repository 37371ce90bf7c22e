// SPDX-License-Identifier: Apache-2.0
// What every format that is not drawn does with its target: the whole file or none, and the same bytes each time.
#include "core/io/data_export.h"
#include "tests/support/random_problem.h"
#include "tests/support/temporary.h"

#include <gtest/gtest.h>

namespace flashstep::test {
namespace {

class DataExport : public testing::TestWithParam<std::string> {
protected:
    [[nodiscard]] ExportRequest request() const
    {
        ExportOptions options;
        options.format = GetParam().substr(0, GetParam().find('_'));
        if (GetParam().find('_') != std::string::npos)
            options.table = GetParam().substr(GetParam().find('_') + 1);
        return *understandExport(options, *run.trace);
    }

    flashstep::Run run = runOf(scenarioOf("fa2", 96, 96, 32, "causal", { 16, 16 }));
    TemporaryDirectory directory;
};

TEST_P(DataExport, WritesTheSameBytesEachTime)
{
    ASSERT_TRUE(writeData(run, request(), directory.path("a"), {}).ok());
    ASSERT_TRUE(writeData(run, request(), directory.path("b"), {}).ok());
    EXPECT_FALSE(bytesOfFile(directory.path("a")).empty());
    EXPECT_EQ(bytesOfFile(directory.path("a")), bytesOfFile(directory.path("b")));
    EXPECT_EQ(directory.files(), 2U);
}

TEST_P(DataExport, CancelledLeavesNoFile)
{
    std::stop_source source;
    source.request_stop();
    Progress progress;
    progress.stop = source.get_token();
    const Status status = writeData(run, request(), directory.path("a"), progress);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().what, "cancelled");
    EXPECT_EQ(directory.files(), 0U);
}

TEST_P(DataExport, CancelledOnTheWayKeepsTheOldFile)
{
    directory.write("a", "what was there");
    std::stop_source source;
    Progress progress;
    progress.stop = source.get_token();
    progress.report = [&](double) { source.request_stop(); }; // as soon as it has begun
    const Status status = writeData(run, request(), directory.path("a"), progress);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(bytesOfFile(directory.path("a")), "what was there");
    EXPECT_EQ(directory.files(), 1U);
}

TEST_P(DataExport, NamesATargetThatCannotBeWritten)
{
    const Status status = writeData(run, request(), directory.path("no/such/place"), {});
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().line().find("no/such/place"), std::string::npos);
    EXPECT_FALSE(writeData(run, request(), directory.path(), {}).ok()) << "a directory";
    EXPECT_EQ(directory.files(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Formats, DataExport,
    testing::Values("perfetto", "chrome", "kanata", "npz", "csv_events", "csv_spans", "csv_counters", "csv_ledger"),
    [](const testing::TestParamInfo<std::string>& format) { return format.param; });

TEST(DataExportNpz, AsksForValuesWhereNoneWereKept)
{
    Scenario s = scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 });
    s.record = { Record::Kind::None, 0 };
    const flashstep::Run run = runOf(s);
    ExportOptions options;
    options.format = "npz";
    const TemporaryDirectory directory;
    const Status status = writeData(run, *understandExport(options, *run.trace), directory.path("a.npz"), {});
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().line().find("--record"), std::string::npos) << status.error().line();
    EXPECT_EQ(directory.files(), 0U);
}

TEST(DataExportNpz, NeedsARealFile)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }));
    ExportOptions options;
    options.format = "npz";
    EXPECT_FALSE(writeData(run, *understandExport(options, *run.trace), "/dev/null", {}).ok());
}

} // namespace
} // namespace flashstep::test
