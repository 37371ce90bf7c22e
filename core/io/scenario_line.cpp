// SPDX-License-Identifier: Apache-2.0
#include "core/io/scenario_line.h"

#include "core/io/files.h"
#include "core/io/json.h"
#include "core/io/scenario.h"

namespace flashstep {

std::string scenarioLine(const Scenario& scenario)
{
    ScenarioFile file;
    file.scenario = scenario;
    for (std::string* path : { &file.scenario.qFile, &file.scenario.kFile, &file.scenario.vFile })
        *path = fileNameOf(*path);
    return Json::parse(scenarioText(file, "")).dump();
}

} // namespace flashstep
