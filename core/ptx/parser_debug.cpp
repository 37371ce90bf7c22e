// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_debug.h"

#include "core/ptx/parser_constants.h"

#include <limits>

namespace flashstep::ptx {

namespace {

constexpr std::uint64_t mostFiles = 10000; // numbers are places in a vector
constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr std::uint64_t nowhere = std::numeric_limits<std::uint64_t>::max();

void mix(std::size_t& hash, std::uint64_t value)
{
    std::uint64_t x = hash ^ value;
    x *= 0x9E3779B97F4A7C15U;
    hash = static_cast<std::size_t>(x ^ (x >> 29U));
}

bool number(Cursor& cursor, std::uint32_t& value, const char* what)
{
    std::uint64_t count = 0;
    if (!parseCount(cursor, count, what, 0, most))
        return false;
    value = static_cast<std::uint32_t>(count);
    return true;
}

} // namespace

std::size_t DebugInfo::Hash::operator()(const Place& place) const
{
    std::size_t hash = 0;
    mix(hash, place.file);
    mix(hash, place.line);
    mix(hash, place.column);
    return hash;
}

std::size_t DebugInfo::Hash::operator()(const Whole& whole) const
{
    std::size_t hash = (*this)(whole.place);
    mix(hash, whole.inlinedAt);
    mix(hash, whole.label);
    mix(hash, whole.offset);
    return hash;
}

void DebugInfo::startFunction()
{
    m_current = none;
    m_latest.clear();
}

bool DebugInfo::place(Cursor& cursor, Place& place)
{
    return number(cursor, place.file, "the number of a .file") && number(cursor, place.line, "a line")
        && number(cursor, place.column, "a column");
}

// .loc file line column [, function_name label [+ offset], inlined_at file line column]
bool DebugInfo::location(Cursor& cursor, Module& module)
{
    Whole whole;
    if (!place(cursor, whole.place) || (cursor.accept(',') && !inlining(cursor, module, whole)))
        return false;
    m_current = whole.place.line == 0 ? none : keep(module, whole);
    return true;
}

bool DebugInfo::inlining(Cursor& cursor, Module& module, Whole& whole)
{
    if (!cursor.token().isName("function_name"))
        return cursor.unexpected("function_name");
    cursor.take();
    std::string_view label;
    if (!cursor.expectName(label, "a label in .debug_str"))
        return false;
    whole.label = labelOf(label);
    if (cursor.accept('+') && !parseCount(cursor, whole.offset, "an offset", 0, most))
        return false;
    if (!cursor.expect(','))
        return false;
    if (!cursor.token().isName("inlined_at"))
        return cursor.unexpected("inlined_at");
    cursor.take();
    Place outer;
    if (!place(cursor, outer))
        return false;
    // The compiler writes the places of one instruction from the outermost inwards, so the newest is the one meant.
    const auto known = m_latest.find(outer);
    whole.inlinedAt = known != m_latest.end() ? known->second : keep(module, { outer });
    return true;
}

std::uint32_t DebugInfo::keep(Module& module, const Whole& whole)
{
    const auto [entry, isNew] = m_all.try_emplace(whole, static_cast<std::uint32_t>(module.locations.size()));
    if (isNew) {
        module.locations.push_back({ whole.place.file, whole.place.line, whole.place.column, whole.inlinedAt, none });
        m_functionOf.emplace_back(whole.label, whole.offset);
    }
    m_latest[whole.place] = entry->second;
    return entry->second;
}

std::uint32_t DebugInfo::labelOf(std::string_view name)
{
    const auto [entry, isNew] = m_labels.try_emplace(name, static_cast<std::uint32_t>(m_labelAt.size()));
    if (isNew)
        m_labelAt.push_back(nowhere);
    return entry->second;
}

// .file number "path" [, timestamp, size]
bool DebugInfo::file(Cursor& cursor, Module& module)
{
    std::uint64_t index = 0, ignored = 0;
    std::string_view path;
    const std::uint32_t line = cursor.token().line;
    if (!parseCount(cursor, index, "the file's number", 0, mostFiles)
        || !cursor.expectString(path, "the file's path in quotes"))
        return false;
    for (int k = 0; k < 2 && cursor.accept(','); ++k)
        if (!parseCount(cursor, ignored, "a timestamp and a size", 0, nowhere >> 1U))
            return false;
    if (index >= module.files.size()) {
        module.files.resize(index + 1);
        m_fileKnown.resize(index + 1);
    }
    if (m_fileKnown[index] && module.files[index] != path)
        return cursor.fail(line, ".file " + std::to_string(index) + " is given twice", "each number once");
    m_fileKnown[index] = true;
    module.files[index] = std::string(path);
    return true;
}

// Of sections, only the strings matter: they name the functions that .loc speaks of.
bool DebugInfo::section(Cursor& cursor, Module& module)
{
    const std::uint32_t line = cursor.token().line;
    if (cursor.token().kind != Token::Kind::Dot && cursor.token().kind != Token::Kind::Name)
        return cursor.unexpected("a section's name");
    const bool isStrings = cursor.take().text == "debug_str";
    if (!cursor.expect('{'))
        return false;
    while (!cursor.token().is('}')) {
        if (cursor.atEnd())
            return cursor.fail(line, "a section that is never closed", "'}' at its end");
        if (cursor.token().kind == Token::Kind::Bad)
            return cursor.unexpected("data of a section");
        if (isStrings)
            strings(cursor, module);
        else
            cursor.take();
    }
    cursor.take();
    return !cursor.error();
}

// A label, or a list of bytes, or something else in .debug_str.
void DebugInfo::strings(Cursor& cursor, Module& module)
{
    const Token token = cursor.take();
    if (token.kind == Token::Kind::Name && cursor.token().is(':')) {
        m_labelAt[labelOf(token.text)] = module.strings.size();
        return;
    }
    if (!token.isDot("b8"))
        return;
    while (cursor.token().kind == Token::Kind::Integer) {
        std::int64_t byte = 0;
        if (!parseInteger(cursor, byte, "a byte"))
            return;
        module.strings += static_cast<char>(byte);
        if (!cursor.accept(','))
            return;
    }
}

void DebugInfo::finish(Module& module)
{
    for (std::size_t k = 0; k < module.locations.size(); ++k) {
        Location& location = module.locations[k];
        if (location.file >= m_fileKnown.size() || !m_fileKnown[location.file])
            location.file = none;
        const auto [label, offset] = m_functionOf[k];
        if (label == none || m_labelAt[label] == nowhere)
            continue;
        const std::uint64_t at = m_labelAt[label] + offset;
        if (at < module.strings.size() && at < none)
            location.function = static_cast<std::uint32_t>(at);
    }
}

} // namespace flashstep::ptx
