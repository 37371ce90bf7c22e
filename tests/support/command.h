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

// Runs flashstep-cli of this build without a shell; standard input is empty.
inline CommandResult runCli(const std::vector<std::string>& arguments)
{
    const TemporaryDirectory directory;
    const std::string program = std::string(FLASHSTEP_BINARY_DIR) + "/bin/flashstep-cli";
    std::vector<std::string> words { program };
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, directory.path("out").c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(
        &actions, STDERR_FILENO, directory.path("error").c_str(), O_WRONLY | O_CREAT, 0600);
    pid_t child = 0;
    CommandResult result;
    if (posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ) == 0) {
        int status = 0;
        waitpid(child, &status, 0);
        result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    posix_spawn_file_actions_destroy(&actions);
    result.out = bytesOfFile(directory.path("out"));
    result.error = bytesOfFile(directory.path("error"));
    return result;
}

} // namespace flashstep::test
