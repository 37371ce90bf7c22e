// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/emulation/run.h"
#include "core/io/labels.h"
#include "core/io/spans.h"

#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// Sentences with gaps, from resources/text/LANG.json: one table per language, none of it in code.
class Words {
public:
    // Falls back to English, entry by entry.
    [[nodiscard]] static Result<Words> load(std::string_view lang);

    using Values = std::map<std::string, std::string, std::less<>>;
    // The text of that name, its {gaps} filled.
    [[nodiscard]] std::string say(std::string_view name, const Values& values) const;

private:
    std::map<std::string, std::string, std::less<>> m_texts;
};

// Puts steps of a run into words, from its trace alone. The run has to outlive it.
class Narrator {
public:
    Narrator(const Run& run, Labels labels, Words words);

    // What the CTA's newest event is: "warp 1 · row maximum of block 3".
    [[nodiscard]] std::string title(Position p, CtaId cta) const;
    // One to three sentences; numbers that matter are in **bold**.
    [[nodiscard]] std::string explain(Position p, CtaId cta) const;
    // The same for a whole key block, query tile or CTA that is complete at p.
    [[nodiscard]] std::string summary(Position p, CtaId cta, Level level) const;
    // What is complete at p, in a few words: "Query tile 6, key block 5"; of single steps their title.
    [[nodiscard]] std::string heading(Position p, CtaId cta, Level level) const;

private:
    struct Step {
        InstanceId instance;
        WorkId work;
        bool ends = false;
        const Op* op = nullptr;
        OpId id;
    };
    [[nodiscard]] Step stepAt(Position p, CtaId cta) const;
    [[nodiscard]] Words::Values common(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string rowName(const Step& step, int r) const;
    [[nodiscard]] std::string explainStart(CtaId cta) const;
    [[nodiscard]] const Trace& trace() const { return *m_run.trace; }
    [[nodiscard]] const Work& workOf(const Step& step) const { return m_run.program->work(step.work); }
    // Rows of the op's query tile that lie inside the sequence.
    [[nodiscard]] int rowsInside(const Step& step) const { return m_run.program->rowsInside(workOf(step), step.op->i); }
    // What is added to a tile's row to find it in the buffer: where each warp has a copy of its own.
    [[nodiscard]] int offsetIn(const Step& step, BufferId buffer) const
    {
        return buffer.valid() ? m_run.program->rowOffset(m_run.program->buffers[buffer.index()], *step.op) : 0;
    }
    [[nodiscard]] std::string say(const std::string& name, const Words::Values& values) const
    {
        return m_words.say(name, values);
    }

    // Of the op's rows inside the sequence the one with the smallest factor above 0, else of 0; -1: none lies
    // inside.
    [[nodiscard]] int shrunkMost(const Step& step, const TileValues& factors, int at) const;
    // Whether a row of what the op rescales held nothing before it, so that a factor of 0 takes nothing away.
    [[nodiscard]] bool hadNothing(const Step& step, CtaId cta, int row) const;
    // The role's own product with V that is in flight when this step begins, as a sentence after the step's own.
    [[nodiscard]] std::string beside(const Step& step, CtaId cta) const;

    [[nodiscard]] std::string explainLoad(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainWait(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainGroupWait(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainBarrierWait(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainSync(const Step& step, CtaId cta) const;
    [[nodiscard]] Words::Values barrierValues(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainArrive(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainNextTile(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainReduce(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainReduceMax(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainReduceSum(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainMma(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainMask(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainRowMax(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainRescale(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainExp2(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainRowSum(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainNormalise(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainOther(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string sayClipped(const Step& step, CtaId cta) const;

    // Tensor memory (narrate_tmem.cpp), and a reference that may stay (narrate_lazy.cpp).
    [[nodiscard]] bool inTmem(BufferId buffer) const
    {
        return buffer.valid() && m_run.program->buffers[buffer.index()].space == Space::Tmem;
    }
    // "columns 64 to 111": where keys [first, first + keys) of a buffer lie, of the costed tile.
    [[nodiscard]] std::string tmemColumns(BufferId buffer, int first, int keys) const;
    [[nodiscard]] std::string tmemColumns(const Step& step, BufferId buffer) const; // those the op touches
    [[nodiscard]] std::string explainTensorMma(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainMmaCommit(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainTmemCopy(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainTmem(const Step& step, CtaId cta) const; // allocated, given back
    [[nodiscard]] std::string explainHandOver(const Step& step, CtaId cta) const; // of a statistic, through SMEM
    [[nodiscard]] std::string explainLazyMax(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string explainVote(const Step& step, CtaId cta) const;
    // Whom an arrival tells what, as a sentence after the step's own: by the wait that takes that turn.
    [[nodiscard]] std::string tells(const Step& step, CtaId cta) const;
    [[nodiscard]] std::string whoArrives(const Step& step) const; // "softmax0, correction": at the barrier waited for
    [[nodiscard]] std::string queryTilesOf(const Work& work) const; // "query tile 2", "query tiles 2 and 4"
    [[nodiscard]] std::string rowsOf(const Work& work) const; // "rows 0 to 31 of head 1"

    const Run& m_run;
    Labels m_labels;
    Words m_words;
};

// A stretch of the run, step by step, as Markdown; of one CTA, or of all where `only` is none(). Written as it is told:
// what is held does not grow with the stretch.
[[nodiscard]] Status narrateMarkdown(const Run& run, const Labels& labels, const Range& range, Level level, CtaId only,
    std::string_view lang, std::ostream& out, const Progress& progress = {});

} // namespace flashstep
