// SPDX-License-Identifier: Apache-2.0
#include "core/io/csv_table.h"

#include <gtest/gtest.h>

namespace {

using namespace flashstep;

std::string errorOf(std::string_view text)
{
    const Result<CsvTableText> table = parseCsv(text, "f.csv");
    return table ? "" : table.error().line();
}

TEST(CsvTable, QuotedCells)
{
    const auto table = parseCsv("a,b,c\n\"x, y\",\"says \"\"so\"\"\",\n1,\"two\nlines\",3\n", "f.csv");
    ASSERT_TRUE(table.ok()) << table.error().line();
    EXPECT_EQ(table->columns, (std::vector<std::string> { "a", "b", "c" }));
    ASSERT_EQ(table->rows.size(), 2U);
    EXPECT_EQ(table->rows[0].cells, (std::vector<std::string> { "x, y", "says \"so\"", "" }));
    EXPECT_EQ(table->rows[1].cells, (std::vector<std::string> { "1", "two\nlines", "3" }));
    EXPECT_EQ(table->rows[1].line, 3);
    EXPECT_EQ(table->column("c"), 2U);
    EXPECT_EQ(table->column("d"), std::nullopt);
}

TEST(CsvTable, LinesEndEitherWayOrNotAtAll)
{
    for (const char* text : { "a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n",
             "\xef\xbb\xbf"
             "a,b\n1,2\n\n3,4" }) {
        const auto table = parseCsv(text, "f.csv");
        ASSERT_TRUE(table.ok()) << table.error().line();
        EXPECT_EQ(table->columns[0], "a");
        ASSERT_EQ(table->rows.size(), 2U) << text;
        EXPECT_EQ(table->rows[1].cells, (std::vector<std::string> { "3", "4" }));
    }
}

TEST(CsvTable, ErrorsNameFileAndLine)
{
    EXPECT_EQ(errorOf(""), "f.csv: is empty (a line of column names, then rows)");
    EXPECT_EQ(errorOf("a,b\n1,2\n1\n"), "f.csv:3: 1 cells (2, as in the first line)");
    EXPECT_EQ(
        errorOf("a,b\n1,\"2\n"), "f.csv:2: a quote that is never closed (a cell in quotes, its own quotes twice)");
    EXPECT_EQ(errorOf("a,b\n1,2\"\n"),
        "f.csv:2: a quote inside a cell without quotes (a cell in quotes, its own quotes twice)");
    EXPECT_EQ(
        errorOf("a,b\n\"1\"x,2\n"), "f.csv:2: something follows a cell's closing quote (a comma or the line's end)");
    EXPECT_EQ(errorOf("a,a\n"), "f.csv:1: the column 'a' stands there twice");
}

} // namespace
