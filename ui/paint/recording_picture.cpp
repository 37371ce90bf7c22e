// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/recording_picture.h"

#include "core/base/version.h"
#include "core/io/files.h"
#include "core/io/recording_write.h"
#include "ui/paint/fonts.h"
#include "ui/paint/pattern.h"
#include "ui/paint/raster.h"
#include "ui/paint/svg.h"
#include "ui/paint/text.h"
#include "ui/paint/theme.h"
#include "ui/paint/timeline_painter.h"

#include <QImage>

#include <algorithm>
#include <bitset>
#include <cmath>
#include <limits>
#include <ostream>
#include <tuple>

namespace flashstep::paint {

namespace {

constexpr double margin = 30;
constexpr double headerWidth = 176;
constexpr double lanesTop = 102, below = 80; // what lies above and below the lanes
constexpr double lowestLane = 13, highestLane = 26;
// A sheet smaller than this is made smaller as a whole, type and all; one with more room than its lanes need, larger.
constexpr QSizeF leastSheet { 800, 400 };
constexpr double designWidth = 1440;

QString qt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<int>(text.size()));
}

class RecordingSheet {
public:
    RecordingSheet(QPainter& painter, const RecordingPictureRequest& request)
        : m_painter(painter)
        , m_lanes(*request.lanes)
        , m_recording(request.lanes->recording())
        , m_request(request)
        , m_theme(Theme::byName(request.theme))
        , m_zoom(request.sized ? zoomTo(request.size) : 1)
        , m_size(QSizeF(request.size) / m_zoom)
    {
    }

    void paint()
    {
        m_painter.scale(m_zoom, m_zoom);
        const QRectF page(QPointF(0, 0), m_size);
        m_painter.fillRect(page, m_theme.panel);
        const double width = page.width() - 2 * margin;
        line(22, 28, canvasFont(19, QFont::DemiBold), m_theme.text, m_lanes.name());
        line(51, 19, canvasFont(12.5), m_theme.t2, what());
        line(70, 19, canvasFont(12.5), m_theme.t2, QStringLiteral("Clock: %1.").arg(qt(m_recording.clock().statement)));
        const double foot = page.height() - 40;
        lanes({ margin, lanesTop, width, foot - lanesTop - (below - 40) });
        m_painter.fillRect(QRectF(margin, foot, width, 1), m_theme.line);
        line(foot + 8, 18, canvasFont(11), m_theme.t2, provenance());
    }

    // How high a sheet need be, at most as high as it is.
    [[nodiscard]] int naturalHeight() const
    {
        return std::min(
            m_request.size.height(), static_cast<int>(std::ceil(heightOf(plan(m_size.height() - lanesTop - below)))));
    }

    [[nodiscard]] QString provenance() const
    {
        QString text = qt(m_recording.standing());
        text.replace(0, 1, text.left(1).toUpper());
        const QString origin = qt(m_recording.metadataText("provenance"));
        return text + QStringLiteral(".  ") + (origin.isEmpty() ? QString() : origin + QStringLiteral(".  "))
            + QStringLiteral("Drawn by FlashStep %1 from %2.").arg(qt(version()), m_lanes.name());
    }

private:
    struct Plan;

    [[nodiscard]] double zoomTo(QSizeF size) const
    {
        const double less = std::min(size.width() / leastSheet.width(), size.height() / leastSheet.height());
        if (less < 1)
            return less;
        const double needed = heightOf(plan(std::numeric_limits<double>::infinity()));
        return std::max(1.0, std::min(size.width() / designWidth, size.height() / needed));
    }

    // Of a sheet with such lanes at their highest.
    [[nodiscard]] static double heightOf(const Plan& plan)
    {
        return lanesTop + TimelineView {}.rulerHeight + plan.titles + highestLane * static_cast<double>(plan.lanes) + 1
            + below;
    }

    void line(double top, double height, const QFont& font, const QColor& colour, const QString& text)
    {
        m_painter.setPen(colour);
        drawElided(m_painter, { margin, top, m_size.width() - 2 * margin, height }, Qt::AlignLeft, font, text);
    }

    [[nodiscard]] QString what() const
    {
        const QString writer = m_recording.writer().empty()
            ? QString()
            : QStringLiteral(", written by %1").arg(qt(m_recording.writer()));
        const char* kind = m_recording.source() == RecordingFormat::Perfetto ? "Perfetto protobuf"
            : m_recording.source() == RecordingFormat::ChromeJson            ? "Chrome-trace JSON"
                                                                             : "Recording";
        const auto tracks = m_recording.tracks();
        const auto held = std::count_if(
            tracks.begin(), tracks.end(), [](const Recording::Track& track) { return track.slices > 0; });
        const auto all = static_cast<std::int64_t>(tracks.size());
        return QStringLiteral("%1%2: %3 slices in %4%5 lanes, %6.")
            .arg(QLatin1String(kind), writer, grouped(static_cast<std::int64_t>(m_recording.slices().size())),
                held < all ? QStringLiteral("%1 of ").arg(grouped(held)) : QString(), grouped(all),
                qt(recordingTime(m_recording.clock(), m_recording.end() - m_recording.begin())));
    }

    // What the sheet shows: as many processes as it holds, the one with the most slices before all others. Where not
    // even that one has room, its first lanes.
    struct Plan {
        std::vector<std::unique_ptr<RecordingSource>> groups; // the first beside the ruler
        std::size_t lanes = 0, hidden = 0;
        double titles = 0;
    };
    [[nodiscard]] Plan plan(double height) const
    {
        Plan plan;
        plan.groups = recordingGroups(m_request.lanes, aloneAxis(m_recording), true);
        plan.groups.erase(plan.groups.begin() + 1); // what the title says, the sheet has above
        std::vector<bool> kept(plan.groups.size(), false);
        kept.front() = true;
        const auto slices = [&](std::size_t g) {
            std::size_t count = 0;
            for (std::size_t k = 0; k < plan.groups[g]->laneCount(); ++k)
                count += m_lanes.count(plan.groups[g]->lane(k));
            return count;
        };
        std::size_t busiest = 0, most = 0;
        for (std::size_t g = 1; g < plan.groups.size(); ++g)
            if (const std::size_t count = slices(g); count > most) {
                busiest = g;
                most = count;
            }
        const auto offer = [&](std::size_t g) {
            const std::size_t lanes = plan.lanes + plan.groups[g]->laneCount();
            if (kept[g]
                || (plan.lanes > 0
                    && TimelineView {}.rulerHeight + plan.titles + titleHeight + lowestLane * static_cast<double>(lanes)
                        > height))
                return;
            kept[g] = true;
            plan.lanes = lanes;
            plan.titles += titleHeight;
        };
        if (busiest > 0) {
            const double room = (height - TimelineView {}.rulerHeight - titleHeight) / lowestLane;
            const std::size_t lanes = plan.groups[busiest]->laneCount();
            if (static_cast<double>(lanes) > room) {
                plan.groups[busiest] = plan.groups[busiest]->upTo(static_cast<std::size_t>(std::max(1.0, room)));
                plan.hidden += lanes - plan.groups[busiest]->laneCount();
            }
            offer(busiest);
        }
        for (std::size_t g = 1; g < plan.groups.size(); ++g)
            offer(g);
        std::vector<std::unique_ptr<RecordingSource>> shown;
        for (std::size_t g = 0; g < plan.groups.size(); ++g)
            if (kept[g])
                shown.push_back(std::move(plan.groups[g]));
            else
                plan.hidden += plan.groups[g]->laneCount();
        plan.groups = std::move(shown);
        return plan;
    }

    // From the first to the last of the slices on the sheet.
    [[nodiscard]] std::pair<double, double> stretch(const Plan& plan) const
    {
        double from = 0, to = 0;
        bool any = false;
        for (const auto& group : plan.groups)
            for (std::size_t k = 0; k < group->laneCount(); ++k) {
                const RecordingLanes::Lane& lane = group->lane(k);
                if (m_lanes.count(lane) == 0)
                    continue;
                const double first = group->toAxis(static_cast<double>(m_lanes.slice(lane, 0).begin)),
                             last
                    = group->toAxis(static_cast<double>(m_lanes.slice(lane, m_lanes.count(lane) - 1).end));
                from = any ? std::min(from, first) : first;
                to = any ? std::max(to, last) : last;
                any = true;
            }
        const double edge = std::max(1.0, 0.005 * (to - from));
        return { from - edge, to + edge };
    }

    void lanes(const QRectF& room)
    {
        const Plan plan = this->plan(room.height());
        TimelineScene scene;
        scene.playhead = false;
        for (const auto& group : plan.groups)
            scene.beside.push_back({ nullptr, group.get() });
        TimelineView view;
        view.headerWidth = headerWidth;
        std::tie(view.from, view.to) = stretch(plan);
        view.roleHeight = std::clamp(std::floor((room.height() - view.rulerHeight - plan.titles)
                                         / std::max<double>(1, static_cast<double>(plan.lanes))),
            lowestLane, highestLane);
        const double height = std::min(
            room.height(), view.rulerHeight + plan.titles + view.roleHeight * static_cast<double>(plan.lanes) + 1);
        const QRectF rect(room.left(), room.top(), room.width(), height);
        paintTimeline(m_painter, rect, scene, view, m_theme);
        m_painter.setRenderHint(QPainter::Antialiasing, false);
        m_painter.setPen(QPen(m_theme.mid, 1));
        m_painter.setBrush(Qt::NoBrush);
        m_painter.drawRect(QRectF(rect.left(), rect.top(), rect.width() - 1, rect.height() - 1));
        legend({ room.left(), rect.bottom() + 10, room.width(), 24 }, plan);
    }

    // What the slices on the sheet are drawn with.
    struct Present {
        std::bitset<8> colours;
        bool waits = false;
    };
    [[nodiscard]] Present present(const Plan& plan) const
    {
        Present present;
        for (const auto& group : plan.groups)
            for (std::size_t k = 0; k < group->laneCount(); ++k) {
                const RecordingLanes::Lane& lane = group->lane(k);
                for (std::size_t s = 0; s < m_lanes.count(lane); ++s)
                    if (m_lanes.waits(m_lanes.slice(lane, s)))
                        present.waits = true;
                    else if (const int colour = m_lanes.colourOf(m_lanes.number(lane, s)); colour >= 0)
                        present.colours.set(static_cast<std::size_t>(colour));
            }
        return present;
    }

    void legend(const QRectF& rect, const Plan& plan)
    {
        const QFont font = canvasFont(11);
        double x = rect.left();
        const auto words = [&](const QString& text, const QColor& colour) {
            m_painter.setPen(colour);
            drawLine(m_painter, { x, rect.top(), textWidth(font, text), rect.height() }, Qt::AlignLeft, font, text);
            x += textWidth(font, text) + 18;
        };
        const auto box = [&](int j, const QString& inside) {
            const TileColour& colour = m_theme.keyBlock(j);
            const QRectF place(x, std::round(rect.center().y() - 8), 22, 16);
            m_painter.setRenderHint(QPainter::Antialiasing, true);
            m_painter.setPen(colour.edge == colour.fill ? QPen(Qt::NoPen) : QPen(colour.edge, 1));
            m_painter.setBrush(colour.fill);
            m_painter.drawRoundedRect(place, 2, 2);
            m_painter.setPen(colour.ink);
            drawLine(m_painter, place, Qt::AlignHCenter, canvasFont(10, QFont::Medium), inside);
            x += inside.isEmpty() ? 28 : 24;
        };
        const Present present = this->present(plan);
        if (m_lanes.colouredByBlock()) {
            if (present.colours.any())
                words(QStringLiteral("Key block"), m_theme.text);
            for (int j = 0; j < 8; ++j)
                if (present.colours[static_cast<std::size_t>(j)])
                    box(j, QString::number(j));
            if (m_lanes.blocksRepeat()) {
                x += 4;
                words(QStringLiteral("then again from 0"), m_theme.t2);
            } else if (present.colours.any()) {
                x += 14;
            }
        } else {
            for (std::size_t k = 0; k < m_lanes.colourNames().size(); ++k) {
                const QString& name = m_lanes.colourNames()[k];
                if (!present.colours[k])
                    continue;
                if (x + 28 + textWidth(font, name) > rect.right() - 220)
                    break;
                box(static_cast<int>(k), QString());
                words(name, m_theme.t2);
            }
        }
        if (present.waits) {
            m_painter.setRenderHint(QPainter::Antialiasing, false);
            fillWait(m_painter, QRectF(x, std::round(rect.center().y() - 4), 30, 7), m_theme);
            x += 36;
            words(QStringLiteral("waiting"), m_theme.t2);
        }
        if (const std::size_t hidden = plan.hidden + m_lanes.lanesLeftOut(); hidden > 0)
            words(hidden == 1 ? QStringLiteral("1 further lane is not on this sheet")
                              : QStringLiteral("%1 further lanes are not on this sheet").arg(hidden),
                m_theme.text);
    }

    QPainter& m_painter;
    const RecordingLanes& m_lanes;
    const Recording& m_recording;
    const RecordingPictureRequest& m_request;
    const Theme& m_theme;
    double m_zoom = 1; // of the whole sheet
    QSizeF m_size; // before it
};

} // namespace

void paintRecordingPicture(QPainter& painter, const RecordingPictureRequest& request)
{
    RecordingSheet(painter, request).paint();
}

Status writeRecordingPicture(const RecordingPictureRequest& asked, const QString& path)
{
    const bool svg = path.endsWith(QStringLiteral(".svg"), Qt::CaseInsensitive);
    if (!svg && !path.endsWith(QStringLiteral(".png"), Qt::CaseInsensitive))
        return Error { "the name says no format", path.toStdString(), "a name that ends in .svg or .png" };
    QImage scratch(1, 1, QImage::Format_RGB32);
    QPainter painter(&scratch);
    RecordingPictureRequest request = asked;
    if (!request.sized)
        request.size.setHeight(RecordingSheet(painter, asked).naturalHeight());
    const QString provenance = RecordingSheet(painter, request).provenance();
    const QByteArray bytes = svg ? svgOf(request.size, request.lanes->name(), provenance,
                                 [&](QPainter& vector) { paintRecordingPicture(vector, request); })
                                 : pngOf(rasterOf(request.size, 1, Theme::byName(request.theme).panel,
                                     [&](QPainter& sheet) { paintRecordingPicture(sheet, request); }));
    if (bytes.isEmpty())
        return Error { "not enough memory for the picture", path.toStdString(), "a smaller size" };
    return writeFileAtomically(path.toStdString(), [&](std::ostream& out) -> Status {
        out.write(bytes.constData(), bytes.size());
        return Nothing {};
    });
}

} // namespace flashstep::paint
