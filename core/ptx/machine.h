// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/ptx/checker.h"
#include "core/ptx/clock.h"
#include "core/ptx/cta.h"

#include <functional>
#include <memory>
#include <optional>

namespace flashstep::ptx {

// What a kernel is started with.
struct Launch {
    std::array<std::uint32_t, 3> grid { 1, 1, 1 };
    std::array<std::uint32_t, 3> block { 1, 1, 1 };
    std::uint64_t dynamicShared = 0; // bytes
    std::vector<std::byte> parameters; // as the kernel's parameters lie
};

// When the bytes of a cp.async arrive: as late as its wait allows, at once, or either, as the seed has it.
enum class Landing : std::uint8_t { Late, Early, Either };

struct RunOptions {
    std::uint64_t orderSeed = 0; // 0: the order of modelled time; else an order of warps, CTAs and copies by chance
    Landing landing = Landing::Late;
    bool checks = true;
    std::uint64_t maxInstructions = 1'000'000'000; // lane-instructions
    const GpuSpec* gpu = nullptr; // null: no time
    std::uint32_t launch = 0; // which of several, for the findings
    // So many SMs take their steps in the order of modelled time; 1: one SM after the other, which needs the least
    // memory. Nothing else depends on it.
    std::uint32_t smsTogether = 1;
};

// One warp instruction that was executed.
struct Step {
    std::uint32_t cta = 0;
    std::uint16_t warp = 0;
    std::uint32_t pc = 0;
    std::uint32_t mask = 0; // lanes that did it
    Cycle issued = 0, done = 0;
};

// Somebody who waits for ever.
struct BlockedWarp {
    std::uint32_t cta = 0, warp = 0, pc = 0;
    std::string waitingFor;
};

// The emulated GPU with one launch on it. A value: a copy goes on from where it was taken, without checks. Everything
// that happens follows from code, launch, memory and options.
class Machine {
public:
    // The code must outlive the machine's copies; it is shared.
    static Result<Machine> start(std::shared_ptr<const Code> code, Launch launch, GlobalMemory memory,
        RunOptions options, std::shared_ptr<Checker> checker);

    // Executes one warp instruction; nothing when all is over (ended, stuck, or beyond the limit).
    std::optional<Step> step();
    // To the end. `each` sees every step, where given.
    void run(const Progress& progress, const std::function<void(const Step&)>& each = {});

    [[nodiscard]] bool over() const { return m_over; }
    [[nodiscard]] std::uint64_t instructions() const { return m_instructions; } // of lanes
    [[nodiscard]] std::uint64_t steps() const { return m_steps; } // of warps
    [[nodiscard]] Cycle cycles() const { return m_cycles; }
    [[nodiscard]] const std::vector<BlockedWarp>& deadlock() const { return m_deadlock; }
    [[nodiscard]] const Findings& findings() const { return m_findings; }
    [[nodiscard]] GlobalMemory& memory() { return m_memory; }
    [[nodiscard]] const GlobalMemory& memory() const { return m_memory; }
    [[nodiscard]] const Code& code() const { return *m_code; }
    [[nodiscard]] const Launch& launch() const { return m_launch; }
    // The CTA, while it runs.
    [[nodiscard]] const Cta* resident(std::uint32_t cta) const;
    [[nodiscard]] int ctasPerSm() const { return m_ctasPerSm; }
    [[nodiscard]] int smOf(std::uint32_t cta) const
    {
        return static_cast<int>(cta % static_cast<std::uint32_t>(m_smCount));
    }
    [[nodiscard]] std::uint32_t ctaCount() const { return m_ctaCount; }
    void stopChecking() { m_checker.reset(); }
    [[nodiscard]] std::size_t bytes() const; // of the machine and all that is on it

private:
    struct Sm {
        std::uint32_t next = 0; // CTA to start on it
        std::vector<Cta> residents;
        SmClock clock { nullptr };
        Cycle now = 0; // when a slot was freed last
        std::uint64_t turn = 0; // instructions since it was chosen
    };
    struct Choice {
        std::size_t cta = 0, warp = 0;
        Cycle ready = 0;
    };

    Machine(std::shared_ptr<const Code> code, Launch launch, GlobalMemory memory, RunOptions options,
        std::shared_ptr<Checker> checker);

    std::uint64_t chance(std::uint64_t below); // of the order's own sequence
    void startSms();
    void startNextSm();
    void refill(Sm& sm);
    Cta makeCta(std::uint32_t id, Cycle begin) const;
    void fillSpecials(const Cta& cta, Warp& warp, std::uint32_t index, std::uint32_t sm) const;
    std::optional<Choice> choose(Sm& sm);
    std::optional<Choice> chooseInTime(); // and the SM: m_active
    Step execute(Sm& sm, Cta& cta, std::uint32_t warpIndex);
    bool gather(Warp& warp, std::uint32_t split, const Instruction& i);
    void checkCollective(const Warp& warp, const Instruction& i, std::uint32_t active, std::uint32_t mask);
    void bookTime(
        Sm& sm, Cta& cta, Warp& warp, const Instruction& i, std::size_t copiesBefore, Cycle earliest, Step& done);
    void goOn(Sm& sm, Cta& cta, std::uint32_t split, const Instruction& i, std::uint32_t active, const Step& done,
        Cycle next);
    void leaveKernel(Sm& sm, Cta& cta, std::uint32_t split, const Step& done);
    void afterStep(Sm& sm, Cta& cta, Warp& warp);
    bool unstick(Sm& sm);
    void bind(Cta& cta, std::uint32_t warp, std::uint32_t pc, Cycle now);
    void retire(Sm& sm);

    // Named barriers (barriers_run.cpp).
    void arriveAtBarrier(Sm& sm, Cta& cta, std::uint32_t warpIndex, std::uint32_t split, const Instruction& i,
        std::uint32_t mask, Cycle when);
    void completeBarrier(Sm& sm, Cta& cta, std::uint32_t id);
    void recheckBarriers(Sm& sm, Cta& cta);

    // Registers nobody has written (definedness.cpp).
    void checkDefined(Warp& warp, const Instruction& i, std::uint32_t active);
    void noteDefined(Warp& warp, const Instruction& i, std::uint32_t mask);

    std::shared_ptr<const Code> m_code;
    Launch m_launch;
    GlobalMemory m_memory;
    RunOptions m_options;
    std::shared_ptr<Checker> m_checker;
    Findings m_findings;
    Access m_access;
    std::vector<Sm> m_sms; // that have work
    std::vector<std::uint32_t> m_waitingSms; // not started yet, last first
    std::size_t m_active = 0;
    std::uint32_t m_ctaCount = 0;
    int m_smCount = 1, m_ctasPerSm = 1;
    std::uint64_t m_random = 0;
    std::uint64_t m_instructions = 0, m_steps = 0;
    Cycle m_cycles = 0;
    bool m_over = false;
    std::uint32_t m_undefined = 0; // lanes of the instruction under way that read what nobody wrote
    std::vector<BlockedWarp> m_deadlock;
};

} // namespace flashstep::ptx
