// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/run.h"
#include "ui/paint/figure_facts.h"
#include "ui/paint/theme.h"
#include "ui/paint/timeline_index.h"
#include "ui/paint/timeline_marks.h"

#include <QPainter>
#include <QRectF>

#include <memory>
#include <optional>
#include <vector>

namespace flashstep::paint {

// What both panels of a pipeline figure show: the roles of the work's CTA and the engines that they keep busy. CTAs of
// earlier launches come before it on the same lanes, since they are over when it begins.
class FigureScene {
public:
    FigureScene(const Run& run, FigureWork work);
    FigureScene(const FigureScene&) = delete;
    FigureScene& operator=(const FigureScene&) = delete;

    struct Lane {
        QString label;
        std::optional<Engine> engine; // else a role
        std::vector<std::pair<std::size_t, std::size_t>> parts; // which CTA of the chain, and its lane there
    };
    [[nodiscard]] const Run& run() const { return *m_run; }
    [[nodiscard]] const FigureWork& work() const { return m_work; }
    [[nodiscard]] const std::vector<Lane>& lanes() const { return m_lanes; }
    [[nodiscard]] const std::vector<std::unique_ptr<TimelineIndex>>& chain() const { return m_chain; }
    [[nodiscard]] const TimelineIndex& index() const { return *m_chain.back(); }
    [[nodiscard]] const TimelineMarks& marks() const { return m_marks; }
    // Share of a stretch that an engine of the SM is busy, over all of it that the SM has.
    [[nodiscard]] double busy(Engine engine, double from, double to) const;
    [[nodiscard]] bool uses(Engine engine) const;
    [[nodiscard]] double firstOp() const; // cycle at which something begins

private:
    void addRoles();
    void addEngines();

    const Run* m_run;
    FigureWork m_work;
    std::vector<std::unique_ptr<TimelineIndex>> m_chain;
    std::vector<Lane> m_lanes;
    PathOutline m_path;
    TimelineMarks m_marks;
};

// A stretch of the scene in a frame. Lane names stand to its left, from `labels` on; the axis is below it.
struct FigurePanel {
    QRectF plot;
    double labels = 0;
    double from = 0, to = 1; // cycles
    [[nodiscard]] double timeToX(double cycle) const
    {
        return plot.left() + (cycle - from) * plot.width() / (to - from);
    }
};
constexpr double figureAxisHeight = 22;
// Roles share the upper part of a panel, engines the lower one, whatever their number: so that the figures of all
// versions have their engines in one place.
constexpr double figureRoleShare = 0.57;
void paintFigurePanel(QPainter& painter, const FigureScene& scene, const FigurePanel& panel, const Theme& theme);

} // namespace flashstep::paint
