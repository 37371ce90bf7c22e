// SPDX-License-Identifier: Apache-2.0
#include "core/io/fingerprint.h"

#include "core/io/files.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

namespace flashstep {

void Fingerprint::add(std::string_view bytes)
{
    for (const char c : bytes)
        m_hash = (m_hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
}

void Fingerprint::addPart(std::string_view bytes)
{
    add(fmt::format("{}:", bytes.size()));
    add(bytes);
}

std::string Fingerprint::text() const
{
    return fmt::format("{:016x}", m_hash);
}

Result<std::string> fingerprintOfFile(const std::string& path)
{
    const Result<std::uint64_t> size = fileSize(path); // a regular file, or why not
    if (!size)
        return size.error();
    std::ifstream stream(path, std::ios::binary);
    Fingerprint fingerprint;
    std::array<char, 1U << 16U> piece {};
    while (stream.read(piece.data(), piece.size()) || stream.gcount() > 0)
        fingerprint.add({ piece.data(), static_cast<std::size_t>(stream.gcount()) });
    if (!stream.eof())
        return Error { "cannot read the whole file", path, "" };
    return fingerprint.text();
}

} // namespace flashstep
