// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export_choice.h"

#include "core/emulation/run.h"
#include "core/io/scenario_arguments.h"
#include "ui/paint/text.h"
#include "ui/text.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QSettings>

#include <array>
#include <cmath>

namespace flashstep::ui {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("Export", text);
}

enum class Group { Timeline, Tables, Pictures, Films, Documents };
constexpr std::array groupTitles { QT_TRANSLATE_NOOP("Export", "Timeline data"),
    QT_TRANSLATE_NOOP("Export", "Tables and tensors"), QT_TRANSLATE_NOOP("Export", "Pictures"),
    QT_TRANSLATE_NOOP("Export", "Films"), QT_TRANSLATE_NOOP("Export", "Documents") };

// What the table of formats, which is for programs, does not say of one.
struct Words {
    std::string_view name;
    Group group;
    const char* title;
    const char* opensIn;
    const char* holds;
};
constexpr std::array words {
    Words { "perfetto", Group::Timeline, "Perfetto", QT_TRANSLATE_NOOP("Export", "ui.perfetto.dev, trace_processor"),
        QT_TRANSLATE_NOOP("Export",
            "A process for each CTA, a line for each role and engine. Slices carry their tile, bytes, row statistics "
            "and source line; arrows lead from what was waited for; counters run below.\n\nDrag the file onto "
            "ui.perfetto.dev: it stays on this computer.") },
    Words { "chrome", Group::Timeline, "Chrome JSON",
        QT_TRANSLATE_NOOP("Export", "ui.perfetto.dev, chrome://tracing, Speedscope"),
        QT_TRANSLATE_NOOP("Export",
            "The same slices, arrows and counters as JSON, which most trace viewers read, and a few lines of "
            "Python.") },
    Words { "kanata", Group::Timeline, "Kanata", QT_TRANSLATE_NOOP("Export", "Konata"),
        QT_TRANSLATE_NOOP(
            "Export", "Operations as the pipeline viewers of processors draw instructions: a row each.") },
    Words { "csv", Group::Tables, "CSV", QT_TRANSLATE_NOOP("Export", "any spreadsheet, pandas, R"),
        QT_TRANSLATE_NOOP("Export",
            "A line of names, then a row for each event, each span, each change of a counter, or each row of O and key "
            "block. Times are in cycles.") },
    Words { "npz", Group::Tables, "NumPy npz", QT_TRANSLATE_NOOP("Export", "numpy.load"),
        QT_TRANSLATE_NOOP(
            "Export", "The tiles that were computed, as arrays with names; index.json says what they are.") },
    Words { "svg", Group::Pictures, "SVG", QT_TRANSLATE_NOOP("Export", "browsers, Inkscape, Illustrator"), "" },
    Words { "pdf", Group::Pictures, "PDF", QT_TRANSLATE_NOOP("Export", "LaTeX, any reader"), "" },
    Words { "png", Group::Pictures, "PNG", QT_TRANSLATE_NOOP("Export", "anything that shows pictures"), "" },
    Words { "gif", Group::Films, "GIF", QT_TRANSLATE_NOOP("Export", "browsers, slides, chats"), "" },
    Words { "mp4", Group::Films, "MP4", QT_TRANSLATE_NOOP("Export", "any player; ffmpeg writes it"), "" },
    Words { "html", Group::Documents, "HTML page", QT_TRANSLATE_NOOP("Export", "any browser, without a network"),
        QT_TRANSLATE_NOOP("Export", "Every step in words with its pictures, in one file that needs nothing else.") },
};

const Words* wordsOf(const ExportFormat& format)
{
    for (const Words& known : words)
        if (known.name == format.name)
            return &known;
    return nullptr;
}

Group groupOf(const ExportFormat& format)
{
    if (const Words* known = wordsOf(format))
        return known->group;
    return format.hasViews ? Group::Pictures : format.drawn ? Group::Documents : Group::Tables;
}

// A stretch of time is drawn only where time is an axis.
bool showsTime(const QString& shows)
{
    return shows.contains(QStringLiteral("timeline")) || shows.contains(QStringLiteral("grid"));
}

bool plain(const QString& argument)
{
    static const QString safe = QStringLiteral("_./:=,+@%-");
    return !argument.isEmpty() && std::all_of(argument.begin(), argument.end(), [](QChar c) {
        return (c.unicode() < 128 && c.isLetterOrNumber()) || safe.contains(c);
    });
}

QString quoted(const QString& argument)
{
    if (plain(argument))
        return argument;
    return QLatin1Char('\'') + QString(argument).replace(QLatin1Char('\''), QStringLiteral("'\\''"))
        + QLatin1Char('\'');
}

void makeAbsolute(std::string& path)
{
    if (!path.empty())
        path = QFileInfo(QString::fromStdString(path)).absoluteFilePath().toStdString();
}

ScenarioFile withAbsolutePaths(ScenarioFile file)
{
    makeAbsolute(file.scenario.qFile);
    makeAbsolute(file.scenario.kFile);
    makeAbsolute(file.scenario.vFile);
    return file;
}

QStringList listOf(const std::vector<std::string>& texts)
{
    QStringList list;
    for (const std::string& text : texts)
        list.append(QString::fromStdString(text));
    return list;
}

// The parts of a choice that mean the same in every run.
constexpr std::array<std::pair<const char*, std::string ExportOptions::*>, 9> lasting { {
    { "format", &ExportOptions::format },
    { "view", &ExportOptions::view },
    { "panels", &ExportOptions::panels },
    { "theme", &ExportOptions::theme },
    { "size", &ExportOptions::size },
    { "scale", &ExportOptions::scale },
    { "table", &ExportOptions::table },
    { "level", &ExportOptions::level },
    { "fps", &ExportOptions::fps },
} };

} // namespace

QList<ExportGroup> exportGroups()
{
    QList<ExportGroup> groups;
    for (const char* title : groupTitles)
        groups.append({ tr(title), {} });
    for (const ExportFormat& format : exportFormats())
        groups[static_cast<int>(groupOf(format))].formats.append(&format);
    groups.erase(
        std::remove_if(groups.begin(), groups.end(), [](const ExportGroup& group) { return group.formats.isEmpty(); }),
        groups.end());
    return groups;
}

QString exportTitle(const ExportFormat& format)
{
    const Words* known = wordsOf(format);
    return known ? tr(known->title) : fromView(format.name);
}

QString exportOpensIn(const ExportFormat& format)
{
    const Words* known = wordsOf(format);
    return known ? tr(known->opensIn) : QString();
}

QString exportHolds(const ExportFormat& format)
{
    const Words* known = wordsOf(format);
    return known && *known->holds != '\0' ? tr(known->holds) : QString();
}

bool takes(const ExportFormat& format, const QString& shows, ExportField field)
{
    const Group group = groupOf(format);
    const bool still = group == Group::Pictures;
    switch (field) {
    case ExportField::View:
    case ExportField::Size:
    case ExportField::Cta:
        return format.hasViews;
    case ExportField::Panels:
        return still && shows.startsWith(QStringLiteral("figure"));
    case ExportField::Theme:
        return format.drawn;
    case ExportField::Scale:
        return format.hasViews && (!still || format.name == "png");
    case ExportField::Table:
        return format.name == "csv";
    case ExportField::Level:
        return group == Group::Films || group == Group::Documents;
    case ExportField::Fps:
        return group == Group::Films;
    case ExportField::Range:
    case ExportField::From:
    case ExportField::To:
        return still ? showsTime(shows) : format.name != "npz";
    case ExportField::Moment:
    case ExportField::At:
        return still ? shows != QStringLiteral("figure") : format.name == "npz"; // its figure is of the whole run
    }
    return false;
}

std::optional<ExportField> fieldOf(const Error& error)
{
    static constexpr std::array<std::pair<std::string_view, ExportField>, 12> options { {
        { "--view", ExportField::View },
        { "--panels", ExportField::Panels },
        { "--theme", ExportField::Theme },
        { "--size", ExportField::Size },
        { "--scale", ExportField::Scale },
        { "--table", ExportField::Table },
        { "--level", ExportField::Level },
        { "--fps", ExportField::Fps },
        { "--from", ExportField::From },
        { "--to", ExportField::To },
        { "--at", ExportField::At },
        { "--cta", ExportField::Cta },
    } };
    const std::string_view option = std::string_view(error.where).substr(0, error.where.find(' '));
    for (const auto& [name, field] : options)
        if (name == option)
            return field;
    return std::nullopt;
}

QString exportSize(const ExportRequest& request, const Trace& trace, QSize picture)
{
    if (request.format->hasViews) {
        const bool pixels = takes(*request.format, {}, ExportField::Scale);
        const double scale = pixels ? request.scale : 1;
        const QString size = QStringLiteral("%1 × %2")
                                 .arg(std::lround(picture.width() * scale))
                                 .arg(std::lround(picture.height() * scale));
        if (groupOf(*request.format) == Group::Documents)
            return picture.isEmpty() ? QString() : tr("A picture of %1 pixels with each step").arg(size);
        return picture.isEmpty() ? QString() : pixels ? tr("%1 pixels").arg(size) : tr("%1, vectors").arg(size);
    }
    if (request.format->name == "npz")
        return {};
    const std::uint32_t events = request.range.to.value - request.range.from.value;
    const Cycle cycles = trace.timeAt(request.range.to) - trace.timeAt(request.range.from);
    if (request.format->name == "csv" && request.table == CsvTable::Events)
        return tr("%1 rows").arg(paint::grouped(events));
    return tr("%1 events, %2 cycles").arg(paint::grouped(events), paint::grouped(cycles));
}

QString exportFileName(const ExportContext& context, const ExportOptions& options)
{
    const ExportFormat* format = findExportFormat(options.format);
    const QString scenario = context.path.isEmpty() ? QString::fromStdString(context.run->scenario.algorithm)
                                                    : QFileInfo(context.path).completeBaseName();
    const bool tables = format && takes(*format, {}, ExportField::Table);
    const QString part = format && format->hasViews ? QString::fromStdString(options.view)
        : tables                                    ? QString::fromStdString(options.table)
                                                    : QString();
    return scenario + (part.isEmpty() ? QString() : QLatin1Char('_') + part) + QLatin1Char('.')
        + (format ? fromView(format->suffix) : QString());
}

ScenarioStatement stateScenario(const ExportContext& context)
{
    const ScenarioFile wanted = withAbsolutePaths(context.file);
    if (!context.path.isEmpty()) {
        const QFileInfo place(context.path);
        const Result<ScenarioFile> file = readScenario(place.absoluteFilePath().toStdString());
        const auto beside = file ? scenarioArguments(wanted, *file) : std::nullopt;
        if (beside)
            return { QStringList { QStringLiteral("--scenario"), place.absoluteFilePath() } + listOf(*beside),
                place.fileName() };
    }
    return { listOf(scenarioArguments(wanted)), {} };
}

QString exportCommand(const ScenarioStatement& scenario, const ExportOptions& options)
{
    QStringList line { QStringLiteral("flashstep-cli"), QStringLiteral("export") };
    line += scenario.arguments;
    const std::array<std::pair<const char*, const std::string*>, 14> parts { { { "--format", &options.format },
        { "--view", &options.view }, { "--panels", &options.panels }, { "--at", &options.at },
        { "--from", &options.from }, { "--to", &options.to }, { "--cta", &options.cta }, { "--theme", &options.theme },
        { "--size", &options.size }, { "--scale", &options.scale }, { "--table", &options.table },
        { "--level", &options.level }, { "--fps", &options.fps }, { "--out", &options.out } } };
    for (const auto& [name, value] : parts)
        if (!value->empty())
            line << QString::fromLatin1(name) << QString::fromStdString(*value);
    QStringList texts;
    for (const QString& argument : line)
        texts.append(quoted(argument));
    return texts.join(QLatin1Char(' '));
}

void rememberExport(QSettings& settings, const ExportOptions& options)
{
    settings.beginGroup(QStringLiteral("export"));
    for (const auto& [key, part] : lasting)
        settings.setValue(QString::fromLatin1(key), QString::fromStdString(options.*part));
    settings.endGroup();
}

ExportOptions rememberedExport(const QSettings& settings)
{
    ExportOptions options;
    for (const auto& [key, part] : lasting)
        options.*part = settings.value(QStringLiteral("export/") + QString::fromLatin1(key)).toString().toStdString();
    return options;
}

} // namespace flashstep::ui
