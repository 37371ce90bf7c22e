// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/film.h"

#include "ui/paint/figure_facts.h"
#include "ui/paint/fonts.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/raster.h"
#include "ui/paint/rich_text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double usualFps = 2; // a caption can be read
constexpr int smallestWidth = 480, smallestHeight = 360;
constexpr double largestArea = 17e6; // pixels of a frame

// The strip below the view.
constexpr double sentencePx = 13, lineHeight = 19, faultHeight = 20;

int mostLines(double width)
{
    return width >= 1200 ? 2 : width >= 760 ? 3 : 4;
}

double edgeOf(double width)
{
    return width < 800 ? 16 : 30;
}

Status checkedSize(const PictureRequest& picture)
{
    const double width = picture.size.width() * picture.scale, height = picture.size.height() * picture.scale;
    if (picture.size.width() >= smallestWidth && picture.size.height() >= smallestHeight
        && width * height <= largestArea)
        return Nothing {};
    return Error { "a film of " + std::to_string(picture.size.width()) + "x" + std::to_string(picture.size.height())
            + (picture.scale == 1 ? "" : " by the scale") + " is out of range",
        "--size", "480x360 up to 17 million pixels" };
}

int even(double pixels)
{
    return static_cast<int>(std::ceil(pixels / 2)) * 2;
}

} // namespace

CtaId toldCta(const Trace& trace, const ExportRequest& request)
{
    if (request.cta.valid() || request.view == "tiles" || request.view == "grid")
        return request.cta;
    const auto work = figureWork(trace, CtaId::none());
    return work ? work->cta : CtaId::none();
}

Result<Film> Film::of(const ExportSource& source, const ExportRequest& request)
{
    const Trace& trace = *source.run->trace;
    PictureRequest picture = pictureOf(source, request);
    for (const Status& status : { checkPicture(picture), checkedSize(picture) })
        if (!status)
            return status.error();
    picture.bare = true;
    picture.cta = toldCta(trace, request);
    Result<ChosenSteps> steps
        = chooseSteps(trace, request.range, request.level.value_or(Level::InnerTile), picture.cta);
    if (!steps)
        return steps.error();
    Result<Words> words = Words::load("en");
    if (!words)
        return words.error();
    return Film(std::move(picture), std::move(steps).value(), request.range, request.fps.value_or(usualFps),
        Narrator(*source.run, *source.labels, std::move(words).value()));
}

Film::Film(PictureRequest picture, ChosenSteps steps, Range range, double fps, Narrator narrator)
    : m_picture(std::move(picture))
    , m_steps(std::move(steps))
    , m_range(range)
    , m_fps(fps)
    , m_narrator(std::move(narrator))
    , m_follows(!m_picture.cta.valid())
{
    const double width = m_picture.size.width();
    for (std::size_t k = 0; k < frames() && m_lines < mostLines(width); ++k)
        m_lines
            = std::clamp(linesOfRuns(sentences(k), sentencePx, width - 2 * edgeOf(width)), m_lines, mostLines(width));
}

std::vector<TextRun> Film::sentences(std::size_t k) const
{
    return boldRuns(m_narrator.summary(m_steps.shown[k].at, m_steps.shown[k].cta, m_steps.level));
}

double Film::stripHeight() const
{
    return 12 + 24 + 4 + lineHeight * m_lines + 32 + (faultLine(*m_picture.run).isEmpty() ? 0 : faultHeight);
}

QSize Film::size() const
{
    return { even(m_picture.size.width() * m_picture.scale), even(m_picture.size.height() * m_picture.scale) };
}

std::size_t Film::frameAt(Position p) const
{
    const auto after = std::upper_bound(
        m_steps.shown.begin(), m_steps.shown.end(), p, [](Position at, const Step& step) { return at < step.at; });
    return after == m_steps.shown.begin() ? 0 : static_cast<std::size_t>(after - m_steps.shown.begin()) - 1;
}

QImage Film::frame(std::size_t k) const
{
    PictureRequest view = m_picture;
    view.at = m_steps.shown[k].at;
    if (m_follows)
        view.cta = m_steps.shown[k].cta;
    view.size.setHeight(m_picture.size.height() - static_cast<int>(stripHeight()));
    return rasterOf(size(), m_picture.scale, Theme::byName(view.theme).panel, [&](QPainter& painter) {
        painter.setClipRect(QRectF(QPointF(0, 0), QSizeF(view.size)));
        paintPicture(painter, view);
        painter.setClipping(false);
        painter.translate(0, view.size.height());
        paintCaption(painter, k);
    });
}

// How far the film is, what is complete, and the narration's words.
void Film::paintCaption(QPainter& painter, std::size_t k) const
{
    const Theme& theme = Theme::byName(m_picture.theme);
    const Trace& trace = *m_picture.run->trace;
    const Step& step = m_steps.shown[k];
    const double page = m_picture.size.width(), left = edgeOf(page), width = page - 2 * left;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(QRectF(0, 0, page, stripHeight()), theme.alt);
    painter.fillRect(QRectF(0, 0, page, 1), theme.line);
    const auto begin = static_cast<double>(trace.timeAt(m_range.from));
    const double whole = std::max(1.0, static_cast<double>(trace.timeAt(m_range.to)) - begin);
    const auto cycle = static_cast<double>(trace.timeAt(step.at));
    painter.fillRect(QRectF(0, 0, std::round(page * std::clamp((cycle - begin) / whole, 0.0, 1.0)), 3), theme.text);

    const QString place = QStringLiteral("step %1 of %2   cycle %3   %4")
                              .arg(grouped(static_cast<std::int64_t>(m_steps.number(k))),
                                  grouped(static_cast<std::int64_t>(m_steps.total)), grouped(trace.timeAt(step.at)),
                                  duration(cycle, trace.clockMhz()));
    const QFont mono = monoFont(12);
    const QRectF top(left, 12, width, 24);
    painter.setPen(theme.t2);
    drawLine(painter, top, Qt::AlignRight, mono, place);
    painter.setPen(theme.text);
    drawElided(painter, top.adjusted(0, 0, -textWidth(mono, place) - 16, 0), Qt::AlignLeft,
        canvasFont(15, QFont::DemiBold), QString::fromStdString(m_narrator.heading(step.at, step.cta, m_steps.level)));
    paintRuns(painter, { left, 40, width, lineHeight * m_lines }, sentences(k), sentencePx, lineHeight, m_lines, theme);
    painter.setPen(theme.t3);
    drawElided(painter, { left, 46 + lineHeight * m_lines, width, 20 }, Qt::AlignLeft, canvasFont(11),
        shortProvenance(m_picture));
    painter.setPen(theme.fault);
    drawElided(painter, { left, 46 + lineHeight * m_lines + faultHeight, width, 20 }, Qt::AlignLeft,
        canvasFont(11, QFont::DemiBold), faultLine(*m_picture.run));
}

} // namespace flashstep::paint
