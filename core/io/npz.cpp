// SPDX-License-Identifier: Apache-2.0
#include "core/io/npz.h"

#include "core/io/files.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>

namespace flashstep {

namespace {

constexpr zip_uint16_t firstDosDate = (1U << 5U) | 1U; // 1 January 1980, the first that the format can say

struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

std::string reasonOf(int code)
{
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return text;
}

// ---- writing ----

// What libzip asks for while it writes: one member after the other.
class Members {
public:
    Members(const std::vector<NpzMember>& members, const std::function<std::string(std::size_t)>& bytesOf,
        const Progress& progress)
        : m_members(members)
        , m_bytesOf(bytesOf)
        , m_progress(progress)
        , m_sources(members.size())
    {
        for (std::size_t k = 0; k < members.size(); ++k)
            m_sources[k] = { this, k };
    }
    Members(const Members&) = delete;
    Members& operator=(const Members&) = delete;

    [[nodiscard]] zip_source_t* source(zip_t* archive, std::size_t k)
    {
        return zip_source_function(archive, &Members::answer, &m_sources[k]);
    }

private:
    struct Source {
        Members* members = nullptr;
        std::size_t index = 0;
    };

    static zip_int64_t answer(void* state, void* data, zip_uint64_t length, zip_source_cmd_t command)
    {
        const Source& source = *static_cast<Source*>(state);
        return source.members->answer(source.index, data, length, command);
    }
    zip_int64_t answer(std::size_t k, void* data, zip_uint64_t length, zip_source_cmd_t command)
    {
        switch (command) {
        case ZIP_SOURCE_OPEN:
            if (m_progress.cancelled())
                return -1;
            if ((k & 63U) == 0)
                m_progress.at(static_cast<double>(k) / static_cast<double>(m_members.size()));
            m_bytes = m_bytesOf(k);
            m_at = 0;
            return 0;
        case ZIP_SOURCE_READ: {
            const std::size_t count = std::min<std::size_t>(length, m_bytes.size() - m_at);
            std::memcpy(data, m_bytes.data() + m_at, count);
            m_at += count;
            return static_cast<zip_int64_t>(count);
        }
        case ZIP_SOURCE_CLOSE:
            m_bytes = {};
            return 0;
        case ZIP_SOURCE_STAT: {
            auto* const stat = static_cast<zip_stat_t*>(data);
            zip_stat_init(stat);
            stat->size = m_members[k].size;
            stat->valid = ZIP_STAT_SIZE;
            return sizeof *stat;
        }
        case ZIP_SOURCE_ERROR: {
            const std::array<int, 2> code { ZIP_ER_CANCELLED, 0 };
            std::memcpy(data, code.data(), sizeof code);
            return sizeof code;
        }
        case ZIP_SOURCE_FREE:
            return 0;
        case ZIP_SOURCE_SUPPORTS:
            return ZIP_SOURCE_SUPPORTS_READABLE;
        default:
            return -1;
        }
    }

    const std::vector<NpzMember>& m_members;
    const std::function<std::string(std::size_t)>& m_bytesOf;
    const Progress& m_progress;
    std::vector<Source> m_sources;
    std::string m_bytes; // of the member being written
    std::size_t m_at = 0;
};

Status addMembers(zip_t* archive, const std::vector<NpzMember>& members, Members& sources, const std::string& path)
{
    for (std::size_t k = 0; k < members.size(); ++k) {
        zip_source_t* const source = sources.source(archive, k);
        const zip_int64_t index = source == nullptr ? -1 : zip_file_add(archive, members[k].name.c_str(), source, 0);
        if (index < 0) {
            zip_source_free(source);
            return Error { std::string("cannot write: ") + zip_strerror(archive), path, "" };
        }
        const auto at = static_cast<zip_uint64_t>(index);
        if (zip_set_file_compression(archive, at, ZIP_CM_STORE, 0) != 0
            || zip_file_set_dostime(archive, at, 0, firstDosDate, 0) != 0)
            return Error { std::string("cannot write: ") + zip_strerror(archive), path, "" };
    }
    return Nothing {};
}

Status writeArchive(const std::string& file, const std::string& target, const std::vector<NpzMember>& members,
    const std::function<std::string(std::size_t)>& bytesOf, const Progress& progress)
{
    Members sources(members, bytesOf, progress); // outlives the archive, which frees its sources
    int code = 0;
    Archive archive(zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
    if (archive == nullptr)
        return Error { "cannot write: " + reasonOf(code), target, "" };
    if (Status status = addMembers(archive.get(), members, sources, target); !status)
        return status;
    if (zip_close(archive.get()) != 0) {
        if (progress.cancelled())
            return Error { "cancelled", "", "" };
        return Error { std::string("cannot write: ") + zip_strerror(archive.get()), target, "is the disk full?" };
    }
    (void)archive.release(); // closed, and so freed
    return Nothing {};
}

// ---- reading ----

constexpr std::uint64_t mostMembers = 1U << 20U;
constexpr std::uint64_t mostPerByte = 1100; // what deflate can make of a byte, and a little more

std::vector<std::string> arraysIn(zip_t* archive)
{
    std::vector<std::string> names;
    const zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t k = 0; k < count; ++k) {
        const char* const name = zip_get_name(archive, static_cast<zip_uint64_t>(k), 0);
        if (name != nullptr && std::string_view(name).ends_with(".npy"))
            names.emplace_back(name);
    }
    return names;
}

// The first few, for an error.
std::string listed(const std::vector<std::string>& names)
{
    std::string text;
    for (std::size_t k = 0; k < names.size() && k < 8; ++k)
        text += (k == 0 ? "" : ", ") + names[k].substr(0, std::min<std::size_t>(names[k].size() - 4, 40));
    return text + (names.size() > 8 ? fmt::format(" and {} more", names.size() - 8) : "");
}

Result<std::string> chooseMember(zip_t* archive, const std::string& path, const std::string& member)
{
    const std::vector<std::string> names = arraysIn(archive);
    if (std::find(names.begin(), names.end(), member + ".npy") != names.end())
        return member + ".npy";
    if (names.size() == 1)
        return names.front();
    if (names.empty())
        return Error { "there is no array in it", path, "an array " + member + ", as numpy.savez writes it" };
    return Error { "there is no array " + member + " in it", path, "it has " + listed(names) };
}

Result<NpyTensor> readMember(zip_t* archive, const std::string& name, std::uint64_t size, const std::string& where)
{
    zip_file_t* const file = zip_fopen(archive, name.c_str(), 0);
    if (file == nullptr)
        return Error { std::string("cannot be read: ") + zip_strerror(archive), where, "" };
    const auto read = [&](char* to, std::size_t count) {
        std::size_t done = 0;
        while (done < count) {
            const zip_int64_t got = zip_fread(file, to + done, count - done);
            if (got <= 0)
                break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    };
    Result<NpyTensor> tensor = readNpy(read, size, where);
    char behind = 0;
    const bool whole = !tensor || zip_fread(file, &behind, 1) == 0; // the checksum is looked at with the last byte
    zip_fclose(file);
    if (!whole)
        return Error { "it is damaged: its checksum does not hold", where, "" };
    return tensor;
}

} // namespace

Status writeZip(const std::string& path, const std::vector<NpzMember>& members,
    const std::function<std::string(std::size_t)>& bytesOf, const Progress& progress)
{
    return writePathAtomically(
        path, [&](const std::string& temporary) { return writeArchive(temporary, path, members, bytesOf, progress); });
}

bool isNpz(const std::string& path)
{
    std::ifstream stream(path, std::ios::binary);
    std::array<char, 4> start {};
    stream.read(start.data(), start.size());
    return stream.gcount() == 4
        && (std::memcmp(start.data(), "PK\x03\x04", 4) == 0 || std::memcmp(start.data(), "PK\x05\x06", 4) == 0);
}

Result<NpyTensor> readNpz(const std::string& path, const std::string& member)
{
    const Result<std::uint64_t> fileBytes = fileSize(path);
    if (!fileBytes)
        return fileBytes.error();
    int code = 0;
    const Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (archive == nullptr)
        return Error { "not an .npz archive: " + reasonOf(code), path, "" };
    if (static_cast<std::uint64_t>(std::max<zip_int64_t>(0, zip_get_num_entries(archive.get(), 0))) > mostMembers)
        return Error { "it has too many members", path, fmt::format("at most {}", mostMembers) };
    const Result<std::string> name = chooseMember(archive.get(), path, member);
    if (!name)
        return name.error();
    const std::string where = path + ":" + *name;
    zip_stat_t stat;
    zip_stat_init(&stat);
    constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat(archive.get(), name->c_str(), 0, &stat) != 0 || (stat.valid & needed) != needed)
        return Error { "it does not say how large it is", where, "" };
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE)
        return Error { "it is encrypted", where, "" };
    if (stat.comp_size > *fileBytes || stat.size / mostPerByte > stat.comp_size)
        return Error { fmt::format("it says it holds {}, which its {} cannot",
                           bytesInWords(static_cast<double>(stat.size)),
                           bytesInWords(static_cast<double>(stat.comp_size))),
            where, "" };
    return readMember(archive.get(), *name, stat.size, where);
}

} // namespace flashstep
