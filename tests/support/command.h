// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/temporary.h"

#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace flashstep::test {

struct CommandResult {
    int status = -1;
    std::string out, error;
};

// Starts a program without a shell; standard input is empty, its output goes to files.
inline pid_t startProgramAt(const std::string& program, const std::vector<std::string>& arguments,
    const std::string& out, const std::string& error)
{
    std::vector<std::string> words { program };
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error.c_str(), O_WRONLY | O_CREAT, 0600);
    pid_t child = -1;
    if (posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ) != 0)
        child = -1;
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

// One of this build.
inline pid_t startProgram(const std::string& name, const std::vector<std::string>& arguments, const std::string& out,
    const std::string& error)
{
    return startProgramAt(std::string(FLASHSTEP_BINARY_DIR) + "/bin/" + name, arguments, out, error);
}

// The exit status, or 128 and the signal that ended it.
inline int waitFor(pid_t child)
{
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline CommandResult runProgram(const std::string& name, const std::vector<std::string>& arguments)
{
    const TemporaryDirectory directory;
    CommandResult result;
    result.status = waitFor(startProgram(name, arguments, directory.path("out"), directory.path("error")));
    result.out = bytesOfFile(directory.path("out"));
    result.error = bytesOfFile(directory.path("error"));
    return result;
}

inline CommandResult runCli(const std::vector<std::string>& arguments)
{
    return runProgram("flashstep-cli", arguments);
}

} // namespace flashstep::test
