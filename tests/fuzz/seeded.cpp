// SPDX-License-Identifier: Apache-2.0
// Runs one target over its seeds and over many damaged forms of them: the same forms each time. With `--write DIR` it
// only writes the seeds, for libFuzzer to begin with; with files it runs those, so that a finding can be looked at.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <unistd.h>

namespace {

using flashstep::fuzz::Target;

constexpr unsigned secondsForOne = 60; // a reader that takes this long for a few kilobytes hangs

std::string current; // what the target is at, for the report

extern "C" void report(int signal)
{
    // Only what a signal handler may do.
    static const char text[] = "\nthe input that did it is in fuzz-finding.bin\n";
    if (FILE* file = std::fopen("fuzz-finding.bin", "wb")) {
        std::fwrite(current.data(), 1, current.size(), file);
        std::fclose(file);
    }
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(3);
    std::signal(signal, SIG_DFL);
    raise(signal);
}

// One change after another, of the sort that breaks readers.
class Damage {
public:
    Damage(const Target& target, std::uint32_t seed)
        : m_target(target)
        , m_random(seed)
    {
    }

    std::string next()
    {
        std::string text = m_target.seeds[below(m_target.seeds.size())];
        for (std::size_t k = 1 + below(4); k > 0; --k)
            change(text);
        return text;
    }

private:
    std::size_t below(std::size_t limit) { return limit == 0 ? 0 : m_random() % limit; }
    std::size_t place(const std::string& text) { return below(text.size() + 1); }

    void change(std::string& text)
    {
        switch (below(8)) {
        case 0: // a bit
            if (!text.empty())
                text[below(text.size())] ^= static_cast<char>(1U << below(8));
            break;
        case 1: // a byte that readers trip over
            if (!text.empty())
                text[below(text.size())] = std::array { '\0', '\xff', '\x7f', '\x80', '"', '\n', '9', '-' }[below(8)];
            break;
        case 2: // cut short
            text.resize(place(text));
            break;
        case 3: { // a piece left out
            const std::size_t from = place(text);
            text.erase(from, below(1 + std::min<std::size_t>(64, text.size() - from)));
            break;
        }
        case 4: { // a piece twice
            const std::size_t from = place(text);
            text.insert(place(text), text.substr(from, below(256)));
            break;
        }
        case 5: // a word of the format
            if (!m_target.words.empty())
                text.insert(place(text), m_target.words[below(m_target.words.size())]);
            break;
        case 6: { // a number that is too large, in binary
            static constexpr std::array<std::uint64_t, 6> numbers { 0, 0xffffffffU, 0x7fffffffU, ~0ULL, 1ULL << 40U,
                0x80U };
            const std::uint64_t number = numbers[below(numbers.size())];
            const std::size_t at = place(text), size = std::min<std::size_t>(1U << below(4), text.size() - at);
            std::memcpy(text.data() + at, &number, size);
            break;
        }
        default: // the end of another seed
            const std::string& other = m_target.seeds[below(m_target.seeds.size())];
            text = text.substr(0, place(text)) + other.substr(place(other));
        }
    }

    const Target& m_target;
    std::minstd_rand m_random;
};

bool tryOne(const Target& target, std::string text)
{
    current = std::move(text);
    alarm(secondsForOne);
    const std::size_t before = flashstep::fuzz::beginMemoryWatch();
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current.data()), current.size());
    const std::size_t peak = flashstep::fuzz::memoryPeak() - before;
    alarm(0);
    const std::size_t bound = target.fixedBytes + target.bytesPerByte * current.size();
    if (peak <= bound)
        return true;
    std::fprintf(stderr, "%s: a file of %zu bytes took %zu of memory; the bound is %zu\n", target.name.c_str(),
        current.size(), peak, bound);
    std::ofstream("fuzz-finding.bin", std::ios::binary) << current;
    return false;
}

int writeSeeds(const Target& target, const std::string& directory)
{
    for (std::size_t k = 0; k < target.seeds.size(); ++k)
        if (!(std::ofstream(directory + "/" + target.name + "-" + std::to_string(k), std::ios::binary)
                << target.seeds[k])) {
            std::fprintf(stderr, "cannot write to %s\n", directory.c_str());
            return 2;
        }
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    const Target target = flashstep::fuzz::target();
    if (argc == 3 && std::strcmp(argv[1], "--write") == 0)
        return writeSeeds(target, argv[2]);
    for (const int signal : { SIGABRT, SIGSEGV, SIGFPE, SIGALRM })
        std::signal(signal, report);
    for (int k = 1; k < argc; ++k) {
        std::ifstream file(argv[k], std::ios::binary);
        if (!tryOne(target, { std::istreambuf_iterator<char>(file), {} }))
            return 1;
    }
    if (argc > 1)
        return 0;
    for (const std::string& seed : target.seeds)
        if (!tryOne(target, seed))
            return 1;
    Damage damage(target, 1);
    for (std::size_t k = 0; k < target.rounds; ++k)
        if (!tryOne(target, damage.next()))
            return 1;
    std::printf("%s: %zu seeds and %zu damaged files read\n", target.name.c_str(), target.seeds.size(), target.rounds);
    return 0;
}
