// SPDX-License-Identifier: Apache-2.0
#include "core/io/data_export.h"

#include "core/io/chrome_json.h"
#include "core/io/csv.h"
#include "core/io/files.h"
#include "core/io/kanata.h"
#include "core/io/npz_export.h"
#include "core/io/perfetto.h"

namespace flashstep {

Status writeData(const Run& run, const ExportRequest& request, const std::string& path, const Progress& progress)
{
    const std::string_view format = request.format->name;
    if (format == "npz")
        return writeNpz(run, request, path, progress);
    return writeFileAtomically(path, [&](std::ostream& out) -> Status {
        if (format == "perfetto")
            return writePerfetto(run, request.range, out, progress);
        if (format == "chrome")
            return writeChromeJson(run, request.range, out, progress);
        if (format == "kanata")
            return writeKanata(run, request.range, out, progress);
        return writeCsv(run, request.table, request.range, out, progress);
    });
}

} // namespace flashstep
