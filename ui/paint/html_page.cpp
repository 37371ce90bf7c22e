// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/html_page.h"

#include "core/io/bold_runs.h"
#include "core/io/files.h"
#include "ui/paint/palette.h"
#include "ui/paint/picture_parts.h"

#include <QBuffer>

#include <fmt/format.h>

#include <cmath>
#include <ostream>

namespace flashstep::paint {

namespace {

constexpr std::size_t openContents = 40; // steps of which the list is open at first

// The system's own faces where ours are not installed.
constexpr std::string_view style = R"(
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 Inter, "Noto Sans", "DejaVu Sans", system-ui, sans-serif; }
.page { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; line-height: 1.35; margin: 0 0 .25rem; }
a { color: inherit; text-decoration-color: var(--second); text-underline-offset: .2em; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 1.5rem 0; font-size: .94rem; }
.fault { color: var(--fault); font-weight: 600; border-left: 4px solid var(--fault); padding-left: .75rem; }
.facts dt { color: var(--second); }
.facts dd { margin: 0; }
nav { background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1.25rem; margin: 1.5rem 0; }
summary { font-weight: 600; cursor: pointer; }
nav ul { columns: 17rem; column-gap: 2rem; list-style: none; margin: .75rem 0 .25rem; padding: 0; font-size: .9rem; }
nav li { break-inside: avoid; padding: .1rem 0; }
section { border-top: 1px solid var(--line); padding: 1.5rem 0; }
.where { color: var(--second); font-size: .88rem; margin: 0 0 .6rem; font-variant-numeric: tabular-nums; }
.words { margin: 0 0 .9rem; max-width: 52rem; }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 4px; }
footer { border-top: 1px solid var(--line); color: var(--second); font-size: .85rem; padding-top: 1rem; }
@media print {
  body { font-size: 10.5pt; }
  .page { max-width: none; padding: 0; }
  nav { display: none; }
  section { break-inside: avoid; padding: .8rem 0; }
  img { max-height: 90mm; width: auto; } /* two steps on a sheet */
  a { text-decoration: none; }
}
@page { margin: 18mm 16mm; }
)";

// The colours that the style names, as the pictures have them.
std::string coloursOf(const Theme& theme)
{
    const std::pair<const char*, QColor> named[] { { "paper", theme.panel }, { "ink", theme.text },
        { "second", theme.t2 }, { "line", theme.line }, { "ground", theme.alt }, { "fault", theme.fault } };
    std::string text;
    for (const auto& [name, colour] : named)
        text += fmt::format(" --{}: {};", name, colour.name().toStdString());
    return text;
}

std::string colours()
{
    return fmt::format(":root {{ color-scheme: light dark;{} }}\n", coloursOf(Theme::light()))
        + fmt::format("@media (prefers-color-scheme: dark) {{ :root {{{} }} }}\n", coloursOf(Theme::dark()))
        + fmt::format("@media print {{ :root {{ color-scheme: light;{} }} }}", coloursOf(Theme::print()));
}

// As text of an element or a quoted attribute; what XML has no sign for is replaced.
std::string escaped(std::string_view text)
{
    constexpr std::string_view replacement = "\xef\xbf\xbd";
    std::string out;
    for (std::size_t k = 0; k < text.size(); ++k) {
        const auto c = static_cast<unsigned char>(text[k]);
        const std::string_view three = text.substr(k, 3);
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            out += replacement;
        else if (three == "\xef\xbf\xbe" || three == "\xef\xbf\xbf") {
            out += replacement;
            k += 2;
        } else
            out += text[k];
    }
    return out;
}

std::string escaped(const QString& text)
{
    return escaped(std::string_view(text.toStdString()));
}

std::string sentences(const std::string& narration)
{
    std::string out;
    for (const TextRun& run : boldRuns(narration))
        out += run.bold ? "<strong>" + escaped(run.text) + "</strong>" : escaped(run.text);
    return out;
}

// The picture in a table of 256 colours: a third of the bytes, and no difference to see.
QByteArray png(const PictureRequest& picture)
{
    const QImage image = renderPicture(picture);
    if (image.isNull())
        return {};
    ColourCount count;
    count.add(image);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    PaletteMapper(choosePalette(count, 256)).map(image).save(&buffer, "PNG");
    return bytes;
}

QString qt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<int>(text.size()));
}

struct StepsPage {
    PictureRequest picture;
    ChosenSteps steps;
    Narrator narrator;

    [[nodiscard]] const Trace& trace() const { return *picture.run->trace; }
    [[nodiscard]] std::string heading(std::size_t k) const
    {
        return narrator.heading(steps.shown[k].at, steps.shown[k].cta, steps.level);
    }
};

QString problemWords(const Problem& p)
{
    QString words
        = QStringLiteral("%1 × %2 scores, %3, %4").arg(p.seqlenQ).arg(p.seqlenK).arg(headDimWords(p), dtypeWords(p));
    words += p.mask.kind == MaskKind::None ? QStringLiteral(", no mask")
                                           : QStringLiteral(", mask ") + QString::fromStdString(p.mask.text());
    return words + QStringLiteral("; ") + headWords(p);
}

QString tileWords(const Program& program)
{
    const auto size = [](const TileSize& t) { return QStringLiteral("%1 × %2").arg(t.rows).arg(t.keys); };
    return program.costTile == program.tile
        ? size(program.tile)
        : QStringLiteral("%1, timed as %2").arg(size(program.tile), size(program.costTile));
}

void writeFact(std::ostream& out, std::string_view what, const QString& words)
{
    out << "<dt>" << what << "</dt><dd>" << escaped(words) << "</dd>\n";
}

void writeHead(std::ostream& out, const StepsPage& page)
{
    const Run& run = *page.picture.run;
    const std::string title = escaped(pictureTitle(page.picture));
    out << "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
        << "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        << "<title>" << title << "</title>\n<style>\n"
        << colours() << style << "</style>\n</head>\n<body>\n<div class=\"page\">\n"
        << "<header>\n<h1>" << title << "</h1>\n"
        << "<p>Step by step, in words and pictures. Times are modelled, none is measured.</p>\n";
    if (const QString fault = faultLine(run); !fault.isEmpty())
        out << "<p class=\"fault\">" << escaped(fault) << "</p>\n";
    out << "<dl class=\"facts\">\n";
    writeFact(out, "Problem", problemWords(run.program->problem));
    writeFact(out, "Tiles", tileWords(*run.program));
    writeFact(out, "Machine",
        QStringLiteral("a model of %1 at %2 MHz")
            .arg(qt(run.gpu.title), grouped(std::llround(page.trace().clockMhz()))));
    if (const QString settings = settingWords(run); !settings.isEmpty())
        writeFact(out, "Settings", settings);
    writeFact(out, "Time",
        QStringLiteral("%1 cycles, %2, for the whole grid")
            .arg(
                grouped(run.report.cycles), duration(static_cast<double>(run.report.cycles), page.trace().clockMhz())));
    writeFact(out, "Units", QStringLiteral("scores in log2 units: scaled by 1/√d and log2 e"));
    const QString level = qt(name(page.steps.level));
    writeFact(out, "Steps",
        page.steps.every == 1 ? QStringLiteral("%1 of the level %2").arg(page.steps.total).arg(level)
                              : QString::fromStdString(page.steps.note()));
    out << "</dl>\n</header>\n";
}

void writeContents(std::ostream& out, const StepsPage& page)
{
    out << "<nav>\n<details" << (page.steps.shown.size() <= openContents ? " open=\"open\"" : "")
        << "><summary>Steps</summary>\n<ul>\n";
    for (std::size_t k = 0; k < page.steps.shown.size(); ++k)
        out << "<li><a href=\"#step-" << page.steps.number(k) << "\">" << page.steps.number(k) << ". "
            << escaped(std::string_view(page.heading(k))) << "</a></li>\n";
    out << "</ul>\n</details>\n</nav>\n<main>\n";
}

Status writeStep(std::ostream& out, const StepsPage& page, std::size_t k)
{
    const flashstep::Step& step = page.steps.shown[k];
    PictureRequest picture = page.picture;
    picture.at = step.at;
    if (!picture.cta.valid())
        picture.cta = step.cta;
    const QByteArray bytes = png(picture);
    if (bytes.isEmpty())
        return Error { "not enough memory for a picture", "html", "a smaller --size" };
    const std::size_t number = page.steps.number(k);
    const Cycle cycle = page.trace().timeAt(step.at);
    const std::string heading = escaped(std::string_view(page.heading(k)));
    out << "<section id=\"step-" << number << "\">\n<h2>" << number << ". " << heading << "</h2>\n<p class=\"where\">"
        << escaped(QStringLiteral("CTA %1 · cycle %2 · %3")
                       .arg(step.cta.index())
                       .arg(grouped(cycle), duration(static_cast<double>(cycle), page.trace().clockMhz())))
        << "</p>\n<p class=\"words\">" << sentences(page.narrator.summary(step.at, step.cta, page.steps.level))
        << "</p>\n<figure><img width=\"" << picture.size.width() << "\" height=\"" << picture.size.height()
        << "\" alt=\"" << escaped(picture.view) << " after step " << number << "\" src=\"data:image/png;base64,";
    const QByteArray text = bytes.toBase64();
    out.write(text.constData(), text.size());
    out << "\"/></figure>\n</section>\n";
    return Nothing {};
}

Status writePage(std::ostream& out, const StepsPage& page, const Progress& progress)
{
    writeHead(out, page);
    writeContents(out, page);
    for (std::size_t k = 0; k < page.steps.shown.size(); ++k) {
        if (progress.cancelled())
            return Error { "cancelled", "", "" };
        if (Status written = writeStep(out, page, k); !written)
            return written;
        progress.at(static_cast<double>(k + 1) / static_cast<double>(page.steps.shown.size()));
    }
    out << "</main>\n<footer>" << escaped(provenance(page.picture)) << "</footer>\n</div>\n</body>\n</html>\n";
    return Nothing {};
}

} // namespace

Status writeHtmlPage(
    const ExportSource& source, const ExportRequest& request, const QString& path, const Progress& progress)
{
    PictureRequest picture = pictureOf(source, request);
    picture.bare = true;
    picture.cta = toldCta(*source.run->trace, request);
    if (Status status = checkPicture(picture); !status)
        return status;
    Result<ChosenSteps> steps
        = chooseSteps(*source.run->trace, request.range, request.level.value_or(Level::InnerTile), picture.cta);
    if (!steps)
        return steps.error();
    Result<Words> words = Words::load("en");
    if (!words)
        return words.error();
    progress.remark(steps->note());
    const StepsPage page { std::move(picture), std::move(steps).value(),
        Narrator(*source.run, *source.labels, std::move(words).value()) };
    return writeFileAtomically(path.toStdString(), [&](std::ostream& out) { return writePage(out, page, progress); });
}

} // namespace flashstep::paint
