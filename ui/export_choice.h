// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/export_request.h"
#include "core/io/labels.h"
#include "core/io/scenario.h"

#include <QList>
#include <QSize>
#include <QString>
#include <QStringList>

#include <memory>

class QSettings;

namespace flashstep {
struct Run;
}

namespace flashstep::ui {

// What the window shows when somebody asks for an export: where its choices begin, and what it is made of.
struct ExportContext {
    std::shared_ptr<const Run> run;
    Labels labels;
    ScenarioFile file;
    QString path; // of the scenario; empty: never saved
    Position at;
    CtaId cta;
    QString from, to; // what the timeline shows, as positions
};

// The formats of the table, by what one does with them. One that is new to this list goes with its kind.
struct ExportGroup {
    QString title;
    QList<const ExportFormat*> formats;
};
[[nodiscard]] QList<ExportGroup> exportGroups();
[[nodiscard]] QString exportTitle(const ExportFormat& format); // "Chrome JSON"
[[nodiscard]] QString exportOpensIn(const ExportFormat& format); // who reads it, in words; may be empty

[[nodiscard]] QString exportHolds(const ExportFormat& format); // what is in the file; empty for pictures

// What can be chosen. `From`, `To` and `At` are texts for what Range and Moment do not name.
enum class ExportField { View, Panels, Theme, Size, Scale, Table, Level, Fps, Range, From, To, Moment, At, Cta };
// Whether the format asks for it. `shows`: the view, or "figure timeline,tiles" where the figure's panels are chosen.
[[nodiscard]] bool takes(const ExportFormat& format, const QString& shows, ExportField field);
// The field an error is about; "--from first(…)" is about From.
[[nodiscard]] std::optional<ExportField> fieldOf(const Error& error);

// How much it will be, in words; empty where that is not known. Of a picture by its size in logical pixels.
[[nodiscard]] QString exportSize(const ExportRequest& request, const Trace& trace, QSize picture);

// "licence-causal_timeline.svg"
[[nodiscard]] QString exportFileName(const ExportContext& context, const ExportOptions& options);

// How the scenario on show is stated on the command line, and the name it then has in the provenance line.
struct ScenarioStatement {
    QStringList arguments;
    QString name;
};
[[nodiscard]] ScenarioStatement stateScenario(const ExportContext& context);
// The line for a shell that writes the same bytes.
[[nodiscard]] QString exportCommand(const ScenarioStatement& scenario, const ExportOptions& options);

// The last choices, without places of a run.
void rememberExport(QSettings& settings, const ExportOptions& options);
[[nodiscard]] ExportOptions rememberedExport(const QSettings& settings);

} // namespace flashstep::ui
