// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/beside.h"

#include "app/cli/status.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace flashstep::cli {

namespace {

constexpr const char* programName = "flashstep";

std::string programBeside()
{
    std::error_code error;
    const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::string program = (own.parent_path() / programName).string();
    return !error && access(program.c_str(), X_OK) == 0 ? program : std::string();
}

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(const char* program, char* const* words, int errors)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    execv(program, words);
    _exit(127);
}

// What the program says until it closes its standard error; an interrupt is handed on to it once.
std::string listen(int errors, pid_t child)
{
    std::string said;
    bool told = false;
    for (std::array<char, 4096> piece {};;) {
        if (stopRequested() && !told) {
            kill(child, SIGTERM);
            told = true;
        }
        pollfd ready { errors, POLLIN, 0 };
        if (poll(&ready, 1, 200) <= 0)
            continue;
        const ssize_t size = read(errors, piece.data(), piece.size());
        if (size == 0 || (size < 0 && errno != EINTR))
            return said;
        if (size > 0 && said.size() < (1U << 16U))
            said.append(piece.data(), static_cast<std::size_t>(size));
    }
}

// Its own line, not what libraries say beside it.
std::string ownLine(const std::string& said)
{
    const std::string mark = std::string(programName) + ": ";
    for (std::size_t at = 0; at < said.size();) {
        const std::size_t end = std::min(said.find('\n', at), said.size());
        if (said.compare(at, mark.size(), mark) == 0)
            return said.substr(at + mark.size(), end - at - mark.size());
        at = end + 1;
    }
    return {};
}

} // namespace

std::vector<std::string> problemWords(const ProblemOptions& problem)
{
    std::vector<std::string> words;
    if (!problem.scenario.empty())
        words.push_back("--scenario=" + problem.scenario);
    for (const auto& [key, value] : problem.given)
        words.push_back(optionName(key) + "=" + value);
    if (words.empty()) // without any option the window opens its sample
        words.push_back("--algorithm=" + Scenario().algorithm);
    return words;
}

int startBeside(const std::string& what, const std::vector<std::string>& arguments)
{
    const std::string program = programBeside();
    if (program.empty())
        return fail(
            Error { what + " needs the window's program", programName, "a build with Qt puts it beside flashstep-cli" },
            notHere);
    std::vector<std::string> texts { program };
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<char*> words;
    for (std::string& text : texts)
        words.push_back(text.data());
    words.push_back(nullptr);
    std::array<int, 2> errors {};
    if (pipe2(errors.data(), O_CLOEXEC) != 0)
        return fail(Error { "cannot start it", program, "" });
    setenv("QT_QPA_PLATFORM", "offscreen", 1); // nobody is to see a window
    const pid_t child = fork();
    if (child == 0)
        become(program.c_str(), words.data(), errors[1]);
    close(errors[1]);
    if (child < 0) {
        close(errors[0]);
        return fail(Error { "cannot start it", program, "" });
    }
    const std::string said = listen(errors[0], child);
    close(errors[0]);
    int state = 0;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) { }
    if (WIFEXITED(state) && WEXITSTATUS(state) == success)
        return success;
    const std::string line = ownLine(said);
    const int status = WIFEXITED(state) && WEXITSTATUS(state) <= notHere ? WEXITSTATUS(state) : badUsage;
    return fail(Error { line.empty() ? what + ": " + program + " ended without a word" : line, "", "" }, status);
}

} // namespace flashstep::cli
