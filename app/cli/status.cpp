// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/status.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace flashstep::cli {

namespace {

std::stop_source& stopSource()
{
    static std::stop_source source;
    return source;
}

// Nothing registers callbacks with the source, so asking for a stop only sets a bit.
extern "C" void onInterrupt(int signal)
{
    stopSource().request_stop();
    std::signal(signal, SIG_DFL);
}

std::string oneLine(std::string text)
{
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    return text;
}

} // namespace

int fail(const Error& error, int status)
{
    if (stopRequested()) {
        std::fputs("flashstep-cli: interrupted\n", stderr);
        return interrupted;
    }
    std::fprintf(stderr, "flashstep-cli: %s\n", oneLine(error.line()).c_str());
    return status;
}

int notInThisVersion(const std::string& what)
{
    return fail(Error { "not in this version", what, "" });
}

void note(const std::string& text, bool quiet)
{
    if (!quiet)
        std::fprintf(stderr, "flashstep-cli: %s\n", oneLine(text).c_str());
}

int print(const std::string& text)
{
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return written ? success : fail(Error { "cannot write to standard output", "", "" });
}

void catchInterrupts()
{
    stopSource();
    std::signal(SIGINT, onInterrupt);
    std::signal(SIGTERM, onInterrupt);
}

bool stopRequested()
{
    return stopSource().stop_requested();
}

ProgressLine::ProgressLine(std::string what, bool quiet)
    : m_what(std::move(what))
{
    m_progress.stop = stopSource().get_token();
    m_progress.note = [quiet](const std::string& text) { cli::note(text, quiet); };
    if (quiet || isatty(STDERR_FILENO) == 0)
        return;
    m_progress.report = [this](double fraction) {
        std::fprintf(stderr, "\r%s %3.0f %%", m_what.c_str(), 100 * fraction);
        std::fflush(stderr);
        m_shown = true;
    };
}

ProgressLine::~ProgressLine()
{
    if (m_shown)
        std::fputs("\r\x1b[K", stderr);
}

} // namespace flashstep::cli
