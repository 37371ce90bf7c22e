// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/ptx/touching.h"
#include "ui/kernel/kernel_subject.h"

#include <QObject>
#include <QString>

#include <functional>
#include <optional>
#include <set>

namespace flashstep::ui {

// A line of a CUDA file, by the file's name: modules of different runs number their files alike, but need not.
struct SourcePlace {
    std::string file;
    int line = 0;
    bool operator==(const SourcePlace&) const = default;
    bool operator<(const SourcePlace& o) const { return std::tie(file, line) < std::tie(o.file, o.line); }
};

// What the views of a kernel show: one position, one warp, all read from the session there. The current instruction is
// the one that the warp executes next; what it reads is on show, what it writes is what it finds.
class KernelState : public QObject {
    Q_OBJECT
public:
    explicit KernelState(QObject* parent = nullptr);

    void load(std::shared_ptr<KernelSubject> subject);
    [[nodiscard]] bool empty() const { return !m_subject; }
    [[nodiscard]] const KernelSubject& subject() const { return *m_subject; }
    [[nodiscard]] const ptx::KernelSession& session() const { return *m_subject->session; }

    // The moment and the warp on show.
    struct Now {
        std::uint64_t position = 0;
        std::uint32_t launch = 0, cta = 0, warp = 0;
        const ptx::Code* code = nullptr;
        const ptx::Machine* machine = nullptr;
        const ptx::Cta* block = nullptr; // the CTA; null: not begun, or ended
        const ptx::Warp* registers = nullptr;
        std::optional<std::uint64_t> next, past; // steps of the warp
        std::uint32_t pc = ptx::none; // of the current instruction; none: the warp has ended
        std::uint32_t active = 0, mask = 0; // lanes that have come to it; that will do it
        bool stuck = false; // it waits for ever
        ptx::Touching touching; // of memory, by the current instruction
        Cycle cycle = 0; // when the CTA's newest step was issued, on its own SM
    };
    [[nodiscard]] const Now& now() const { return m_now; }
    [[nodiscard]] std::uint64_t position() const { return m_now.position; }
    [[nodiscard]] std::uint64_t end() const { return m_subject ? m_subject->session->end() : 0; }

    // Moving about.
    void seek(std::uint64_t position);
    void step(ptx::StepKind kind, bool forward);
    [[nodiscard]] bool followsAny() const { return m_any; }
    void follow(std::uint32_t cta, std::uint32_t warp);
    void followAny();
    [[nodiscard]] std::uint32_t ctaCount() const;
    [[nodiscard]] std::uint32_t warpCount() const;
    // The next (or previous) time that the followed warp is about to execute something of the line; where there is none
    // on that side, the first (last) of all. False where it never does.
    bool seekLine(const SourcePlace& place, bool forward);
    bool seekPtxLine(std::uint32_t line, bool forward);
    bool seekBreakpoint(bool forward);
    void toggleBreakpoint(const SourcePlace& place);
    [[nodiscard]] const std::set<SourcePlace>& breakpoints() const { return m_breakpoints; }
    bool seekText(const QString& text, QString* why); // "1204", "end", "1200cy", "fault:2", "line:72", "ptx:518"
    void seekFinding(std::size_t index);

    // Places in the source.
    [[nodiscard]] std::string fileName(std::uint32_t file) const; // empty for none
    [[nodiscard]] const CudaChain& chain(std::uint32_t pc) const;
    [[nodiscard]] SourcePlace ownPlace(std::uint32_t pc) const; // in the kernel's file
    [[nodiscard]] SourcePlace innerPlace(std::uint32_t pc) const; // where it stands itself
    [[nodiscard]] std::uint32_t ptxLine(std::uint32_t pc) const;
    [[nodiscard]] std::uint32_t pcOfPtxLine(std::uint32_t line) const; // none where no instruction is there
    // The instruction that a warp of the CTA on show executes next; none where it has ended or never does.
    [[nodiscard]] std::uint32_t pcOf(std::uint32_t warp) const;
    [[nodiscard]] std::optional<std::uint64_t> nextStepOf(std::uint32_t warp) const;
    [[nodiscard]] ptx::RegisterKind kindOf(std::uint32_t number) const;
    [[nodiscard]] std::uint32_t writtenLanes(std::uint32_t number) const;

    // What is pointed at: instructions (by pc) that every listing lights up, and a lane.
    void point(std::set<std::uint32_t> pcs);
    [[nodiscard]] const std::set<std::uint32_t>& pointed() const { return m_pointed; }
    [[nodiscard]] std::set<std::uint32_t> pcsOf(const SourcePlace& place) const;
    void pointLane(int lane); // -1: none
    [[nodiscard]] int lane() const { return m_lane; }

signals:
    void loaded();
    void moved(); // position or warp
    void looked(); // what is pointed at
    void marked(); // breakpoints
    void said(const QString& text); // to be shown in the status line

private:
    void refresh();
    [[nodiscard]] std::set<std::uint32_t> pcsOf(const SourcePlace& place, std::uint32_t launch) const;
    bool seekIn(const std::function<std::set<std::uint32_t>(std::uint32_t launch)>& wanted, bool forward, bool wraps);
    bool seekAny(const std::vector<bool>& pcs, std::uint32_t launch, bool forward, bool wraps);
    [[nodiscard]] std::optional<std::uint64_t> nextStep(std::uint32_t cta, std::uint32_t warp) const;

    std::shared_ptr<KernelSubject> m_subject;
    std::uint64_t m_position = 0;
    bool m_any = false;
    std::uint32_t m_cta = 0, m_warp = 0;
    Now m_now;
    std::set<SourcePlace> m_breakpoints;
    std::set<std::uint32_t> m_pointed;
    int m_lane = -1;
};

} // namespace flashstep::ui
