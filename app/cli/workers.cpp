// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/workers.h"

#include "app/cli/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace flashstep::cli {

namespace {

using Work = std::function<void(const WorkerTask&, const std::function<void(std::size_t, int)>&)>;
using Done = std::function<void(const WorkerResult&)>;

// A line of the pipe that says how an item ended; no error begins like this.
constexpr char endMark = '\x1e';

// In the new process: standard error is the pipe, what ends is marked on it.
[[noreturn]] void beWorker(const WorkerTask& task, const Work& work, int pipe)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM); // nobody would read what it says
    dup2(pipe, STDERR_FILENO);
    work(task, [](std::size_t item, int status) {
        std::fprintf(stderr, "%c%zu %d\n", endMark, item, status);
        std::fflush(stderr);
    });
    std::fflush(stdout);
    _exit(0); // nothing of the parent's is to be taken apart here
}

class Worker {
public:
    Worker(const WorkerTask& task, const Work& work)
        : m_task(task)
    {
        std::array<int, 2> ends {};
        if (pipe2(ends.data(), O_CLOEXEC) != 0)
            return;
        m_pid = fork();
        if (m_pid == 0)
            beWorker(task, work, ends[1]);
        close(ends[1]);
        m_pipe = ends[0];
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker()
    {
        if (m_pipe >= 0)
            close(m_pipe);
    }

    [[nodiscard]] int pipe() const { return m_pipe; }
    void stop() const
    {
        if (m_pid > 0)
            kill(m_pid, SIGTERM);
    }

    // Takes what has been said; false once the process is gone and everything has an end.
    bool read(const Done& done)
    {
        std::array<char, 1U << 16U> piece {};
        const ssize_t size = m_pipe < 0 ? 0 : ::read(m_pipe, piece.data(), piece.size());
        if (size < 0 && errno == EINTR)
            return true;
        if (size > 0) {
            m_said.append(piece.data(), static_cast<std::size_t>(size));
            takeLines(done);
            return true;
        }
        endRest(done);
        return false;
    }

private:
    void takeLines(const Done& done)
    {
        for (std::size_t end = 0; (end = m_said.find('\n')) != std::string::npos; m_said.erase(0, end + 1)) {
            const std::string line = m_said.substr(0, end);
            if (line.empty() || line.front() != endMark) {
                m_lines.push_back(line);
                continue;
            }
            WorkerResult result { 0, badUsage, std::exchange(m_lines, {}) };
            const char* const last = line.data() + line.size();
            const char* const space = std::from_chars(line.data() + 1, last, result.item).ptr;
            if (space != last)
                std::from_chars(space + 1, last, result.status);
            ++m_ended;
            done(result);
        }
    }

    // The process is gone; what it had not ended, it never will.
    void endRest(const Done& done)
    {
        int state = 0;
        if (m_pid > 0)
            while (waitpid(m_pid, &state, 0) < 0 && errno == EINTR) { }
        for (std::size_t k = m_ended; k < m_task.size(); ++k) {
            WorkerResult result { m_task[k], stopRequested() ? interrupted : badUsage, std::exchange(m_lines, {}) };
            result.lines.push_back(m_pid <= 0 ? std::string("cannot start a process")
                    : WIFSIGNALED(state) != 0 ? fmt::format(
                          "its process was ended by signal {} ({})", WTERMSIG(state), strsignal(WTERMSIG(state)))
                                              : std::string("its process ended too early"));
            done(result);
        }
    }

    const WorkerTask& m_task;
    pid_t m_pid = -1;
    int m_pipe = -1;
    std::string m_said;
    std::vector<std::string> m_lines; // said since the last item ended
    std::size_t m_ended = 0;
};

using Workers = std::vector<std::unique_ptr<Worker>>;

// Waits until some of them have said something; an interrupt ends the waiting.
void waitForAny(const Workers& workers, std::vector<pollfd>& ready)
{
    ready.clear();
    for (const auto& worker : workers)
        ready.push_back({ worker->pipe(), POLLIN, 0 });
    constexpr int longest = 500; // ms: a signal may come just before the call
    if (poll(ready.data(), ready.size(), longest) < 0)
        ready.assign(ready.size(), pollfd { -1, 0, 0 });
}

} // namespace

void workInProcesses(const std::vector<WorkerTask>& tasks, unsigned jobs, const Work& work, const Done& done)
{
    std::fflush(nullptr); // else each process would write what stands in the buffers
    Workers workers;
    std::vector<pollfd> ready;
    std::size_t next = 0;
    bool told = false;
    while (next < tasks.size() || !workers.empty()) {
        while (!stopRequested() && next < tasks.size() && workers.size() < std::max(1U, jobs))
            workers.push_back(std::make_unique<Worker>(tasks[next++], work));
        if (stopRequested() && !std::exchange(told, true))
            for (const auto& worker : workers)
                worker->stop();
        if (stopRequested() && workers.empty())
            return;
        waitForAny(workers, ready);
        for (std::size_t k = workers.size(); k-- > 0;)
            if ((workers[k]->pipe() < 0 || ready[k].revents != 0) && !workers[k]->read(done))
                workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(k));
    }
}

} // namespace flashstep::cli
