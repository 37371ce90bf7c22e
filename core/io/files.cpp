// SPDX-License-Identifier: Apache-2.0
#include "core/io/files.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace flashstep {

namespace fs = std::filesystem;

namespace {

std::string reason(int error)
{
    return error == 0 ? "it cannot be opened" : std::generic_category().message(error);
}

// The rights a file newly made by open(2) would get: a temporary made by mkstemp is private.
void giveUsualRights(const std::string& path)
{
    // It can only be asked for by setting it: once, since files may be written on several threads.
    static const mode_t mask = [] {
        const mode_t set = umask(0);
        umask(set);
        return set;
    }();
    chmod(path.c_str(), 0666U & ~mask);
}

// Removes the temporary file unless it was handed over.
class Temporary {
public:
    explicit Temporary(const std::string& target)
        : m_path(target + ".XXXXXX")
    {
        const int descriptor = mkstemp(m_path.data());
        m_error = descriptor < 0 ? errno : 0;
        if (descriptor >= 0)
            close(descriptor);
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary()
    {
        if (m_error == 0 && !m_path.empty())
            unlink(m_path.c_str());
    }

    [[nodiscard]] int error() const { return m_error; }
    [[nodiscard]] const std::string& path() const { return m_path; }
    [[nodiscard]] bool renameTo(const std::string& target)
    {
        if (std::rename(m_path.c_str(), target.c_str()) != 0)
            return false;
        m_path.clear();
        return true;
    }

private:
    std::string m_path;
    int m_error = 0;
};

// A name that stands for no file of its own (/dev/null, a pipe) is written in place.
bool isSpecial(const std::string& path)
{
    struct stat info { };
    return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

Status writeTo(const std::string& file, const std::string& target, const std::function<Status(std::ostream&)>& write)
{
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    if (!stream)
        return Error { "cannot write: " + reason(errno), target, "" };
    if (Status written = write(stream); !written)
        return written;
    stream.close();
    if (!stream)
        return Error { "cannot write: " + reason(errno), target, "is the disk full?" };
    return Nothing {};
}

} // namespace

Status writeFileAtomically(const std::string& path, const std::function<Status(std::ostream&)>& write)
{
    if (!path.empty() && isSpecial(path))
        return writeTo(path, path, write);
    return writePathAtomically(path, [&](const std::string& temporary) { return writeTo(temporary, path, write); });
}

Status writePathAtomically(const std::string& path, const std::function<Status(const std::string&)>& write)
{
    if (path.empty())
        return Error { "no file name", "", "" };
    if (isSpecial(path))
        return Error { "cannot write: it is not a regular file", path, "name a file" };
    std::error_code ignored;
    if (fs::is_directory(path, ignored))
        return Error { "cannot write: it is a directory", path, "name a file" };
    // A link stays a link: what it points to is replaced.
    const std::string target = fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored).string() : path;
    Temporary temporary(target);
    if (temporary.error() != 0)
        return Error { "cannot write: " + reason(temporary.error()), path,
            "name a file in a directory that exists and can be written" };
    if (Status written = write(temporary.path()); !written)
        return written;
    giveUsualRights(temporary.path());
    if (!temporary.renameTo(target))
        return Error { "cannot write: " + reason(errno), path, "" };
    return Nothing {};
}

Result<std::uint64_t> fileSize(const std::string& path)
{
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status))
        return Error { "no such file", path, "" };
    if (fs::is_directory(status))
        return Error { "it is a directory, not a file", path, "" };
    if (!fs::is_regular_file(status))
        return Error { "not a regular file", path, "" };
    const std::uint64_t size = fs::file_size(path, error);
    if (error)
        return Error { "cannot read: " + error.message(), path, "" };
    return size;
}

Result<std::string> readFile(const std::string& path, std::uint64_t limit)
{
    const Result<std::uint64_t> size = fileSize(path);
    if (!size)
        return size.error();
    if (*size > limit)
        return Error { fmt::format("{} is too large", bytesInWords(static_cast<double>(*size))), path,
            "at most " + bytesInWords(static_cast<double>(limit)) };
    std::ifstream stream(path, std::ios::binary);
    if (!stream)
        return Error { "cannot read: " + reason(errno), path, "" };
    std::string bytes(*size, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (static_cast<std::uint64_t>(stream.gcount()) != *size)
        return Error { "cannot read the whole file", path, "" };
    return bytes;
}

std::string pathBeside(const std::string& directory, const std::string& path)
{
    if (directory.empty() || fs::path(path).is_absolute())
        return path;
    return (fs::path(directory) / path).lexically_normal().string();
}

std::string directoryOf(const std::string& path)
{
    return fs::path(path).parent_path().string();
}

std::string fileNameOf(const std::string& path)
{
    return fs::path(path).filename().string();
}

std::string bytesInWords(double bytes)
{
    constexpr std::array units { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    std::size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < units.size(); ++unit)
        bytes /= 1024;
    return unit == 0 || bytes >= 100 ? fmt::format("{:.0f} {}", bytes, units.at(unit))
                                     : fmt::format("{:.3g} {}", bytes, units.at(unit));
}

std::uint64_t physicalMemory()
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size) : 0;
}

} // namespace flashstep
