// SPDX-License-Identifier: Apache-2.0
// What the end of flashstep-gpu, or of what stands before it, means.
#include "core/base/version.h"
#include "core/io/device_program.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>

namespace flashstep {

namespace {

bool hasAny(std::string_view text, std::initializer_list<std::string_view> words)
{
    for (const std::string_view word : words)
        if (text.find(word) != std::string_view::npos)
            return true;
    return false;
}

// What was said last on standard error: the program's own line where there is one, else anybody's.
struct LastWords {
    std::string own; // behind "flashstep-gpu: "
    std::string any;
};

LastWords lastWords(std::string_view errors)
{
    constexpr std::string_view mark = "flashstep-gpu: ";
    LastWords last;
    while (!errors.empty()) {
        const std::size_t end = std::min(errors.find_first_of("\r\n"), errors.size());
        const std::string_view line = errors.substr(0, end);
        errors.remove_prefix(std::min(end + 1, errors.size()));
        if (line.find_first_not_of(" \t") == std::string_view::npos || line.starts_with("progress ")
            || (line.starts_with("flashstep-gpu ") && line.find(", kernels ") != std::string_view::npos))
            continue;
        if (line.starts_with(mark))
            last.own = line.substr(mark.size());
        last.any = line;
    }
    return last;
}

class Judgement {
public:
    explicit Judgement(const DeviceEnd& end)
        : m_end(end)
        , m_child(*end.child)
        , m_last(lastWords(end.child->errors))
    {
    }

    DeviceOutcome outcome() const
    {
        switch (m_child.end) {
        case ChildResult::End::NotStarted:
            return notStarted();
        case ChildResult::End::TimedOut:
            return trouble(DeviceTrouble::TimedOut,
                fmt::format("no end after {:g} s, so it was ended", m_end.timeoutSeconds),
                said("a longer time-out, or a smaller problem"));
        case ChildResult::End::Cancelled:
            return trouble(DeviceTrouble::Cancelled, "cancelled", "");
        case ChildResult::End::TooMuchOutput:
            return trouble(DeviceTrouble::Garbled,
                fmt::format("it writes without end (more than {} bytes), so it was ended", m_end.mostOutput),
                "is it flashstep-gpu?");
        case ChildResult::End::Refused:
            return wrongVersion();
        case ChildResult::End::Signalled:
            return killedBy(m_child.status);
        case ChildResult::End::Exited:
            break;
        }
        return exited();
    }

private:
    DeviceOutcome trouble(DeviceTrouble kind, std::string what, std::string hint) const
    {
        return { kind, Error { std::move(what), m_end.command, std::move(hint) }, m_child.status, {}, {} };
    }
    // What was said last goes into the hint, where it said anything.
    std::string said(const std::string& hint) const
    {
        const std::string last = m_last.any.empty() ? "" : "it said " + quotedExcerpt(m_last.any);
        return last.empty() ? hint : hint.empty() ? last : last + "; " + hint;
    }

    DeviceOutcome notStarted() const
    {
        const std::string first
            = quotedExcerpt(m_end.command.substr(0, m_end.prefixed ? m_end.command.find(' ') : std::string::npos));
        if (m_child.status == ENOENT)
            return trouble(DeviceTrouble::NoProgram, "there is no program " + first,
                m_end.prefixed ? "it stands first in the prefix"
                               : "bash core/cuda/build.sh makes it where nvcc is; or name its path");
        if (m_child.status == EACCES || m_child.status == ENOEXEC)
            return trouble(DeviceTrouble::NoProgram, first + " is not a program that can be run here",
                "a file that may be executed, made for this computer");
        return trouble(DeviceTrouble::NoProgram,
            fmt::format("{} could not be started: {}", first, std::strerror(m_child.status)), "");
    }

    DeviceOutcome wrongVersion() const
    {
        if (m_end.version.empty())
            return trouble(DeviceTrouble::WrongVersion,
                fmt::format("it does not say its version; this is FlashStep {}", version()),
                said("flashstep-gpu of the same version"));
        return trouble(DeviceTrouble::WrongVersion,
            fmt::format("it is version {}, this is FlashStep '{}'", m_end.version, version()),
            "flashstep-gpu of the same version");
    }

    DeviceOutcome killedBy(int signal) const
    {
        const char* abbreviation = sigabbrev_np(signal);
        const std::string which = abbreviation != nullptr ? std::string("SIG") + abbreviation : std::to_string(signal);
        if (signal == SIGKILL)
            return trouble(DeviceTrouble::Killed, "killed (SIGKILL)",
                said("the system's out-of-memory killer does that, and a limit of the container or the batch system"));
        return trouble(DeviceTrouble::Killed, "ended by " + which, said(""));
    }

    // Words of a batch system, which has statuses of its own for the end of a step.
    DeviceOutcome killedByBatchSystem() const
    {
        if (hasAny(m_child.errors, { "oom-kill", "oom_kill", "OOM Killed", "Out Of Memory" }))
            return trouble(
                DeviceTrouble::Killed, "killed by the out-of-memory killer", said("more memory for the job"));
        return trouble(DeviceTrouble::Killed, "ended by the batch system", said("a longer limit for the job"));
    }

    DeviceOutcome noProgramThere() const
    {
        return trouble(DeviceTrouble::NoProgram, "the program is not there",
            said(m_end.prefixed ? "copy core/cuda there and build it, or name its path" : ""));
    }

    // Status 3, or a failure in the middle that is the device's.
    DeviceOutcome ownWords() const
    {
        const std::string text = quotedLess(m_last.own);
        if (hasAny(text, { "driver is too old", "driver version is insufficient" }))
            return trouble(
                DeviceTrouble::DriverTooOld, text, "a newer driver there, or flashstep-gpu built with an older CUDA");
        if (hasAny(text, { "no kernel image", "unsupported toolchain", "the kernels need sm_", "holds code for sm_" }))
            return trouble(DeviceTrouble::WrongArchitecture, "wrong architecture: " + text,
                "the kernels need sm_80 or later; build flashstep-gpu with a CUDA that knows the device");
        if (hasAny(text, { "out of memory" }))
            return trouble(DeviceTrouble::OutOfMemory, text, "a smaller problem, or a device that others leave alone");
        if (m_child.status == 3)
            return trouble(DeviceTrouble::NoDevice, text.empty() ? "no device or no driver for it" : text, "");
        return trouble(m_child.status == 2 ? DeviceTrouble::BadUsage : DeviceTrouble::Failed, text, "");
    }
    static std::string quotedLess(const std::string& text)
    {
        const std::string quoted = quotedExcerpt(text);
        return quoted.substr(1, quoted.size() - 2);
    }

    DeviceOutcome exited() const
    {
        const int status = m_child.status;
        if (status == 0 || (status == 1 && m_end.checks && m_last.own.empty() && !m_end.version.empty())) {
            // Where it said something else than an answer, that is told instead.
            if (m_end.version.empty() && m_child.out.find('{') != std::string::npos)
                return wrongVersion();
            DeviceOutcome fine;
            fine.status = status;
            fine.out = m_child.out;
            return fine;
        }
        if (status > 128 && status < 128 + 64)
            return hasAny(m_child.errors, { "slurmstepd:", "srun:" }) ? killedByBatchSystem() : killedBy(status - 128);
        if (!m_last.own.empty())
            return ownWords();
        if (hasAny(m_child.errors,
                { "oom-kill", "oom_kill", "OOM Killed", "Out Of Memory", "DUE TO TIME LIMIT", "*** STEP", "*** JOB" }))
            return killedByBatchSystem();
        if (status == 127 || status == 126
            || hasAny(m_child.errors, { "command not found", "executable file not found", "execve():" }))
            return noProgramThere();
        if (m_end.prefixed && m_end.version.empty())
            return trouble(DeviceTrouble::Unreachable,
                fmt::format("{} ended with status {} before the program began",
                    quotedExcerpt(m_end.command.substr(0, m_end.command.find(' '))), status),
                said("the prefix has to work by itself, without a question at the terminal"));
        if (status == 3)
            return ownWords();
        return trouble(DeviceTrouble::Failed, fmt::format("it ended with status {}", status), said(""));
    }

    const DeviceEnd& m_end;
    const ChildResult& m_child;
    const LastWords m_last;
};

} // namespace

DeviceOutcome judgeDeviceEnd(const DeviceEnd& end)
{
    return Judgement(end).outcome();
}

} // namespace flashstep
