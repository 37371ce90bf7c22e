// SPDX-License-Identifier: Apache-2.0
#include "core/io/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ;

namespace flashstep {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t keptErrors = std::size_t { 64 } << 10U;
constexpr std::size_t longestLine = 4096;
constexpr int pollMilliseconds = 50; // how soon a cancel or a time-out is seen
// A descendant that outlives the program may hold its pipes open: so long is waited for more.
constexpr std::chrono::milliseconds lingering { 500 };

class Pipe {
public:
    Pipe() = default;
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe()
    {
        closeReader();
        closeWriter();
    }
    [[nodiscard]] bool open()
    {
        if (pipe2(m_ends.data(), O_CLOEXEC) != 0)
            return false;
        return fcntl(m_ends[0], F_SETFL, O_NONBLOCK) == 0;
    }
    [[nodiscard]] int reader() const { return m_ends[0]; } // -1: closed
    [[nodiscard]] int writer() const { return m_ends[1]; }
    void closeReader() { close(m_ends[0]); }
    void closeWriter() { close(m_ends[1]); }

private:
    static void close(int& end)
    {
        if (end >= 0)
            ::close(end);
        end = -1;
    }
    std::array<int, 2> m_ends { -1, -1 };
};

// 0, or the errno.
int start(const std::vector<std::string>& words, const Pipe& out, const Pipe& errors, pid_t& child)
{
    std::vector<std::string> copies = words;
    std::vector<char*> argv;
    for (std::string& word : copies)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.writer(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors.writer(), STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (const int signal : { SIGINT, SIGTERM, SIGPIPE, SIGHUP })
        sigaddset(&usual, signal);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int error = posix_spawnp(&child, argv[0], &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

class Supervision {
public:
    Supervision(const ChildCommand& command, const Progress& progress)
        : m_command(command)
        , m_progress(progress)
    {
    }

    ChildResult run()
    {
        if (m_command.words.empty() || m_command.words.front().empty()) {
            m_result.status = ENOENT;
            return std::move(m_result);
        }
        int error = m_out.open() && m_errors.open() ? 0 : errno;
        if (error == 0)
            error = start(m_command.words, m_out, m_errors, m_child);
        if (error != 0) {
            m_result.status = error;
            return std::move(m_result);
        }
        m_out.closeWriter();
        m_errors.closeWriter();
        m_begin = Clock::now();
        while (!over())
            wait();
        if (!m_lastLine.empty())
            tellLine();
        // What it left behind in its group, which stays its own until it is taken note of.
        kill(-m_child, SIGKILL);
        while (waitpid(m_child, nullptr, 0) < 0 && errno == EINTR) { }
        return std::move(m_result);
    }

private:
    using End = ChildResult::End;

    // The program has ended and its pipes are empty.
    bool over()
    {
        if (!m_ended)
            look();
        if (!m_ended)
            return false;
        if (m_out.reader() < 0 && m_errors.reader() < 0)
            return true;
        return Clock::now() - m_endedAt > lingering;
    }

    void look()
    {
        siginfo_t info {};
        if (waitid(P_PID, static_cast<id_t>(m_child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            return;
        m_ended = true;
        m_endedAt = Clock::now();
        if (m_stopping)
            return; // the reason is known already
        m_result.end = info.si_code == CLD_EXITED ? End::Exited : End::Signalled;
        m_result.status = info.si_status;
    }

    void wait()
    {
        std::array<pollfd, 2> ends { pollfd { m_out.reader(), POLLIN, 0 }, pollfd { m_errors.reader(), POLLIN, 0 } };
        if (poll(ends.data(), ends.size(), pollMilliseconds) > 0) {
            if (ends[0].revents != 0)
                read(m_out, [this](std::string_view bytes) { takeOutput(bytes); });
            if (ends[1].revents != 0)
                read(m_errors, [this](std::string_view bytes) { takeErrors(bytes); });
        }
        const std::chrono::duration<double> passed = Clock::now() - m_begin;
        if (m_progress.cancelled())
            stop(End::Cancelled);
        else if (m_command.timeoutSeconds > 0 && passed.count() > m_command.timeoutSeconds)
            stop(End::TimedOut);
        if (m_stopping && !m_killed && !m_ended
            && std::chrono::duration<double>(Clock::now() - m_stoppedAt).count() > m_command.graceSeconds) {
            m_killed = true;
            kill(-m_child, SIGKILL);
        }
    }

    template <typename Take> void read(Pipe& pipe, Take take)
    {
        std::array<char, 65536> bytes;
        const ssize_t count = ::read(pipe.reader(), bytes.data(), bytes.size());
        if (count > 0)
            take(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
        else if (count == 0 || (errno != EINTR && errno != EAGAIN))
            pipe.closeReader();
    }

    void takeOutput(std::string_view bytes)
    {
        if (m_stopping) // it is read away, so that the program can come to its end
            return;
        const std::size_t room = m_command.mostOutput - m_result.out.size();
        m_result.out.append(bytes.substr(0, room));
        if (bytes.size() > room)
            stop(End::TooMuchOutput);
    }

    void takeErrors(std::string_view bytes)
    {
        m_errorBytes += bytes.size();
        if (m_errorBytes > m_command.mostErrors)
            stop(End::TooMuchOutput);
        m_result.errors.append(bytes);
        if (m_result.errors.size() > 2 * keptErrors)
            m_result.errors.erase(0, m_result.errors.size() - keptErrors);
        for (const char c : bytes) {
            if (c == '\n' || c == '\r')
                tellLine();
            else if (m_lastLine.size() < longestLine)
                m_lastLine += c;
        }
    }

    void tellLine()
    {
        const std::string line = std::exchange(m_lastLine, {});
        if (!line.empty() && !m_stopping && m_command.errorLine && !m_command.errorLine(line))
            stop(End::Refused);
    }

    void stop(End why)
    {
        if (m_stopping || (m_ended && why != End::TooMuchOutput && why != End::Refused))
            return;
        m_stopping = true;
        m_stoppedAt = Clock::now();
        m_result.end = why;
        m_result.status = 0;
        if (!m_ended)
            kill(-m_child, SIGTERM);
    }

    const ChildCommand& m_command;
    const Progress& m_progress;
    Pipe m_out, m_errors;
    pid_t m_child = -1;
    bool m_ended = false, m_stopping = false, m_killed = false;
    Clock::time_point m_begin, m_endedAt, m_stoppedAt;
    std::size_t m_errorBytes = 0;
    std::string m_lastLine;
    ChildResult m_result;
};

} // namespace

ChildResult runChild(const ChildCommand& command, const Progress& progress)
{
    return Supervision(command, progress).run();
}

} // namespace flashstep
