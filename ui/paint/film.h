// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/bold_runs.h"
#include "core/io/narrate.h"
#include "core/io/step_choice.h"
#include "ui/paint/export.h"

#include <QImage>

namespace flashstep::paint {

// A stretch of a run as a sequence of frames, one for each step that is shown: the view at that step, and below it what
// the narration says of it, at the same place in every frame. The run has to outlive it.
class Film {
public:
    [[nodiscard]] static Result<Film> of(const ExportSource& source, const ExportRequest& request);

    [[nodiscard]] std::size_t frames() const { return m_steps.shown.size(); }
    [[nodiscard]] QSize size() const; // pixels; both even, as encoders want it
    [[nodiscard]] double fps() const { return m_fps; }
    [[nodiscard]] const ChosenSteps& steps() const { return m_steps; }
    [[nodiscard]] std::size_t frameAt(Position p) const; // the last one up to there, else the first
    [[nodiscard]] QImage frame(std::size_t k) const; // Format_RGB32

private:
    Film(PictureRequest picture, ChosenSteps steps, Range range, double fps, Narrator narrator);
    [[nodiscard]] std::vector<TextRun> sentences(std::size_t k) const;
    [[nodiscard]] double stripHeight() const;
    void paintCaption(QPainter& painter, std::size_t k) const;

    PictureRequest m_picture;
    ChosenSteps m_steps;
    Range m_range;
    double m_fps;
    Narrator m_narrator;
    bool m_follows; // the view shows the CTA of the step
    int m_lines = 1; // of the longest caption, as far as there is room
};

// Whose steps a film or a document tells: those of the CTA that was stated; else of all, but where the view shows one
// CTA alone, of the one that pictures show: with the most key blocks.
[[nodiscard]] CtaId toldCta(const Trace& trace, const ExportRequest& request);

} // namespace flashstep::paint
