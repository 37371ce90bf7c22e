// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/figure_panel.h"

#include "core/emulation/critical_path.h"
#include "core/trace/causes.h"
#include "ui/paint/fonts.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace flashstep::paint {

namespace {

// The same engines in every figure, from those that compute to those that move.
constexpr std::array shown { Engine::Tensor, Engine::Exp, Engine::Alu, Engine::Smem, Engine::L2 };
constexpr double readable = 11; // pixels of a lane's height from which on it has a name

// Of several query tiles a role may be about one alone.
QString tilesOf(const TimelineIndex& index, const TimelineIndex::RoleLane& role, const FigureWork& work)
{
    std::set<int> tiles;
    for (std::size_t k = 0; k < role.slices.size(); ++k)
        if (role.slices[k].op->n > 0 && !isWaiting(*role.slices[k].op))
            tiles.insert(index.queryTile(index.instance(role, k)));
    return work.tiles > 1 && tiles.size() == 1 ? QStringLiteral("  (Q%1)").arg(*tiles.begin()) : QString();
}

QString engineName(Engine engine, const TimelineIndex& index)
{
    switch (engine) {
    case Engine::Tensor:
        return QStringLiteral("tensor core");
    case Engine::Exp:
        return QStringLiteral("MUFU");
    case Engine::Alu:
        return QStringLiteral("ALU");
    case Engine::Smem:
        return QStringLiteral("SMEM port");
    default:
        return index.lane(Engine::Tma) ? QStringLiteral("TMA, L2") : QStringLiteral("cp.async, L2");
    }
}

TimelineLayout layoutOf(const FigureScene& scene, const FigurePanel& panel)
{
    TimelineLayout layout;
    layout.bounds = layout.plot = panel.plot;
    layout.rulerHeight = 0;
    layout.from = panel.from;
    layout.to = panel.to;
    const auto& lanes = scene.lanes();
    const auto roles = static_cast<double>(
        std::count_if(lanes.begin(), lanes.end(), [](const FigureScene::Lane& lane) { return !lane.engine; }));
    const double engines = static_cast<double>(lanes.size()) - roles;
    const double share = roles == 0 ? 0 : engines == 0 ? 1 : figureRoleShare;
    const double border = std::round(share * panel.plot.height());
    double top = panel.plot.top();
    for (std::size_t k = 0; k < lanes.size(); ++k) {
        const bool role = !lanes[k].engine;
        if (k == static_cast<std::size_t>(roles))
            top = panel.plot.top() + border;
        const double height = role ? border / roles : (panel.plot.height() - border) / engines;
        const double bottom = std::round(top + height);
        for (const auto& [group, index] : lanes[k].parts)
            layout.lanes.push_back({ role ? LaneKind::Role : LaneKind::Engine, index, lanes[k].label, std::round(top),
                bottom - std::round(top), group });
        top += height;
    }
    return layout;
}

void paintGrid(QPainter& painter, const FigurePanel& panel, const Ticks& ticks, const Theme& theme)
{
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (int k = 0; k < ticks.count; ++k) {
        const double x = std::round(panel.timeToX(ticks.at(k)));
        if (x > panel.plot.left() + 1 && x < panel.plot.right() - 1)
            painter.fillRect(QRectF(x, panel.plot.top(), 1, panel.plot.height()), mix(theme.line, theme.panel, 0.75));
    }
}

// Where the kernels of a run of several begin.
void paintLaunches(QPainter& painter, const FigureScene& scene, const FigurePanel& panel, const Theme& theme)
{
    QPen dash(theme.t2, 1, Qt::CustomDashLine, Qt::FlatCap);
    dash.setDashPattern({ 2, 2 });
    painter.setPen(dash);
    for (std::size_t k = 1; k < scene.chain().size(); ++k) {
        const double x = std::round(panel.timeToX(scene.chain()[k]->begin())) + 0.5;
        if (x > panel.plot.left() && x < panel.plot.right())
            painter.drawLine(QPointF(x, panel.plot.top()), QPointF(x, panel.plot.bottom()));
    }
}

void paintAxis(QPainter& painter, const FigurePanel& panel, const Ticks& ticks, const Theme& theme)
{
    const QFont mono = monoFont(10.5);
    const QRectF line(panel.plot.left(), panel.plot.bottom() + 3, panel.plot.width(), figureAxisHeight - 4);
    double free = panel.plot.left() - 40;
    for (int k = 0; k < ticks.count; ++k) {
        const QString text = grouped(static_cast<std::int64_t>(ticks.at(k)));
        const double width = textWidth(mono, text), x = std::round(panel.timeToX(ticks.at(k)));
        const QRectF place(std::min(x - width / 2, panel.plot.right() + 24 - width), line.top(), width, line.height());
        painter.fillRect(QRectF(x, panel.plot.bottom(), 1, 4), theme.mid);
        if (place.left() < free)
            continue;
        painter.fillRect(place.adjusted(-4, 2, 4, -2), theme.panel);
        painter.setPen(theme.t2);
        drawLine(painter, place, Qt::AlignLeft, mono, text);
        free = place.right() + 10;
    }
    painter.setPen(theme.t2);
    drawElided(painter,
        QRectF(panel.labels, line.top(), std::max(0.0, panel.plot.left() - 28 - panel.labels), line.height()),
        Qt::AlignRight, canvasFont(11), QStringLiteral("cycles"));
}

void paintNames(QPainter& painter, const FigureScene& scene, const TimelineLayout& layout, const FigurePanel& panel,
    const Theme& theme)
{
    const QString* before = nullptr;
    for (const Lane& lane : layout.lanes) {
        const bool again = before && *before == lane.label; // of an earlier CTA of the chain
        before = &lane.label;
        if (again)
            continue;
        const double middle = (lane.top + lane.bottom()) / 2;
        double left = panel.labels;
        if (lane.kind == LaneKind::Engine) {
            const TimelineIndex& index = *scene.chain()[lane.group];
            const double high = std::min(14.0, lane.height - 2);
            painter.fillRect(
                QRectF(left, std::round(middle - high / 2), 3, high), theme.engine(index.engines()[lane.index].engine));
            left += 8;
        }
        if (lane.height < readable)
            continue;
        painter.setPen(theme.text);
        drawElided(painter, QRectF(left, lane.top, panel.plot.left() - 12 - left, lane.height), Qt::AlignRight,
            canvasFont(lane.height < 15 ? 10 : 12), lane.label);
    }
}

} // namespace

FigureScene::FigureScene(const Run& run, FigureWork work)
    : m_run(&run)
    , m_work(std::move(work))
    , m_path(*run.trace, criticalPath(run, m_work.cta))
{
    for (const CtaId cta : m_work.chain)
        m_chain.push_back(std::make_unique<TimelineIndex>(run.trace, cta));
    m_marks.paths.emplace(m_work.cta, &m_path);
    m_marks.reasons = false;
    addRoles();
    addEngines();
}

void FigureScene::addRoles()
{
    const Program& program = m_run->trace->program();
    for (std::size_t g = m_chain.size(); g-- > 0;) {
        const auto& roles = m_chain[g]->roles();
        for (std::size_t k = 0; k < roles.size(); ++k) {
            const QString name = QString::fromStdString(program.roles[roles[k].role.index()].name);
            if (k >= m_lanes.size())
                m_lanes.push_back({ name + tilesOf(*m_chain[g], roles[k], m_work), std::nullopt, {} });
            m_lanes[k].parts.emplace_back(g, k);
        }
    }
}

void FigureScene::addEngines()
{
    for (const Engine engine : shown) {
        Lane lane { engineName(engine, index()), engine, {} };
        for (std::size_t g = 0; g < m_chain.size(); ++g)
            for (std::size_t k = 0; k < m_chain[g]->engines().size(); ++k)
                if (m_chain[g]->engines()[k].engine == engine)
                    lane.parts.emplace_back(g, k);
        if (!lane.parts.empty())
            m_lanes.push_back(std::move(lane));
    }
}

double FigureScene::busy(Engine engine, double from, double to) const
{
    double busy = 0;
    for (const auto& index : m_chain)
        if (const TimelineIndex::EngineLane* lane = index->lane(engine))
            busy += (index->busyUntil(*lane, to) - index->busyUntil(*lane, from)) / lane->servers;
    return to > from ? busy / (to - from) : 0;
}

bool FigureScene::uses(Engine engine) const
{
    return std::any_of(
        m_chain.begin(), m_chain.end(), [&](const auto& index) { return index->lane(engine) != nullptr; });
}

double FigureScene::firstOp() const
{
    double first = m_work.end;
    for (const TimelineIndex::RoleLane& role : m_chain.front()->roles())
        for (const TimelineIndex::Slice& slice : role.slices)
            if (static_cast<double>(slice.begin) >= m_work.begin) {
                first = std::min(first, static_cast<double>(slice.begin));
                break;
            }
    return first < m_work.end ? first : m_work.begin;
}

void paintFigurePanel(QPainter& painter, const FigureScene& scene, const FigurePanel& panel, const Theme& theme)
{
    const TimelineLayout layout = layoutOf(scene, panel);
    std::vector<LaneGroup> groups;
    for (const auto& index : scene.chain())
        groups.push_back({ index.get(), nullptr });
    TimelineScene timeline { &scene.index(), {}, {}, false, true };
    timeline.marks = &scene.marks();
    TimelineCanvas canvas { painter, timeline, layout, theme, groups, 0 };
    const Ticks ticks = rulerTicks(panel.from, panel.to, panel.plot.width());

    painter.save();
    painter.fillRect(panel.plot, theme.panel);
    painter.setClipRect(panel.plot, Qt::IntersectClip);
    paintGrid(painter, panel, ticks, theme);
    paintLaunches(painter, scene, panel, theme);
    for (const Lane& lane : layout.lanes) {
        canvas.group = lane.group;
        if (lane.kind == LaneKind::Role)
            paintRoleLane(canvas, lane);
        else
            paintEngineLane(canvas, lane);
    }
    painter.restore();

    painter.setRenderHint(QPainter::Antialiasing, false);
    const auto engines = std::find_if(
        layout.lanes.begin(), layout.lanes.end(), [](const Lane& lane) { return lane.kind == LaneKind::Engine; });
    if (engines != layout.lanes.end() && engines != layout.lanes.begin())
        painter.fillRect(QRectF(panel.labels, engines->top, panel.plot.right() - panel.labels, 1), theme.mid);
    for (const QRectF& side : { QRectF(panel.plot.left(), panel.plot.top(), panel.plot.width(), 1),
             QRectF(panel.plot.left(), panel.plot.bottom() - 1, panel.plot.width(), 1),
             QRectF(panel.plot.left(), panel.plot.top(), 1, panel.plot.height()),
             QRectF(panel.plot.right() - 1, panel.plot.top(), 1, panel.plot.height()) })
        painter.fillRect(side, theme.mid);
    paintNames(painter, scene, layout, panel, theme);
    paintAxis(painter, panel, ticks, theme);
}

} // namespace flashstep::paint
