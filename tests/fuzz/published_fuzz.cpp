// SPDX-License-Identifier: Apache-2.0
#include "core/io/csv_table.h"
#include "core/io/published_results.h"
#include "tests/fuzz/fuzz.h"

#include <fstream>
#include <iterator>

namespace flashstep::fuzz {

Target target()
{
    std::ifstream file(FLASHSTEP_SOURCE_DIR "/resources/published/published_results.csv");
    std::string head, line;
    for (int k = 0; k < 6 && std::getline(file, line); ++k)
        head += line + "\n";
    return { "published",
        { head, "a,b\r\n\"x,\"\"y\"\"\",2\r\n\"\r\n\",\n", "machine,kernel,unit,value\nH100,FA3,TFLOP/s,640\n" },
        { "\"", "\"\"", ",", "\r\n", "\r", "nan", "1e999", "-1", "tile=0x0;", "forward", ",,,,,,,,,,,,,,,,," },
        4U << 20U, 512, 40000 };
}

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace flashstep;
    const std::string_view text = fuzz::textOf(data, size);
    if (const Result<CsvTableText> table = parseCsv(text, "input.csv"); table) {
        for (const CsvTableText::Row& row : table->rows)
            fuzz::require(row.cells.size() == table->columns.size(), "each row has a cell for each column");
    } else {
        fuzz::requireClear(table.error());
    }
    if (const Result<PublishedResults> results = publishedResults(text, "input.csv"); results)
        fuzz::require(results->results.size() == results->table.rows.size(), "each row has a result");
    else
        fuzz::requireClear(results.error());
    return 0;
}
