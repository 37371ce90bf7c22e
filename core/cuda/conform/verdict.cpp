// SPDX-License-Identifier: Apache-2.0
#include "conform.h"
#include "exact.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace flashstep::conform {
namespace {

const Format* formatOf(Element element)
{
    switch (element) {
    case Element::F16:
        return &halfFormat;
    case Element::Bf16:
        return &bfloatFormat;
    case Element::F32:
        return &singleFormat;
    case Element::F64:
        return &doubleFormat;
    default:
        return nullptr;
    }
}

std::uint64_t elementAt(const std::vector<std::uint8_t>& bytes, std::size_t index, int size)
{
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i)
        value |= std::uint64_t { bytes[index * static_cast<std::size_t>(size) + static_cast<std::size_t>(i)] }
            << (8 * i);
    return value;
}

std::string shown(Element element, std::uint64_t bits)
{
    char text[96];
    const int digits = bytesOf(element) * 2;
    const auto wide = static_cast<unsigned long long>(bits);
    if (const Format* format = formatOf(element))
        std::snprintf(text, sizeof text, "0x%0*llX (%.9g)", digits, wide, toDouble(*format, bits));
    else
        std::snprintf(text, sizeof text, "0x%0*llX", digits, wide);
    return text;
}

bool matches(Element element, std::uint64_t got, std::uint64_t expected)
{
    const Format* format = formatOf(element);
    return got == expected || (format != nullptr && isNan(*format, got) && isNan(*format, expected));
}

// Empty, or what differs at one element.
std::string difference(const Buffer& buffer, std::size_t index, std::uint64_t got)
{
    const int size = bytesOf(buffer.element);
    if (index < buffer.slack.size() && buffer.slack[index] != 0) {
        const Format* format = formatOf(buffer.element);
        const double value = toDouble(*format, got);
        if (std::abs(value - buffer.exact[index]) <= buffer.slack[index])
            return {};
        char text[96];
        std::snprintf(text, sizeof text, "%.17g within %.3g", buffer.exact[index], buffer.slack[index]);
        return "got " + shown(buffer.element, got) + ", expected " + text;
    }
    const std::uint64_t expected = elementAt(buffer.expected, index, size);
    if (matches(buffer.element, got, expected))
        return {};
    std::string text = "got " + shown(buffer.element, got) + ", expected " + shown(buffer.element, expected);
    if (!buffer.other.empty()) {
        const std::uint64_t other = elementAt(buffer.other, index, size);
        if (matches(buffer.element, got, other))
            return {};
        if (other != expected)
            text += " or " + shown(buffer.element, other);
    }
    return text;
}

// The inputs at the same index, to save the reader a look into the suite.
std::string inputsAt(const Case& test, std::size_t index, std::size_t count)
{
    std::string text;
    for (const Buffer& buffer : test.buffers) {
        const int size = bytesOf(buffer.element);
        if (buffer.in == buffer.expected && buffer.in.size() / static_cast<std::size_t>(size) == count)
            text += "; " + buffer.name + " = " + shown(buffer.element, elementAt(buffer.in, index, size));
    }
    return text;
}

} // namespace

int bytesOf(Element element)
{
    switch (element) {
    case Element::U8:
        return 1;
    case Element::U16:
    case Element::F16:
    case Element::Bf16:
        return 2;
    case Element::U32:
    case Element::F32:
        return 4;
    default:
        return 8;
    }
}

std::string verdict(const Case& test, const std::vector<std::vector<std::uint8_t>>& outputs)
{
    if (outputs.size() != test.buffers.size())
        return test.name + ": " + std::to_string(outputs.size()) + " buffers came back, expected "
            + std::to_string(test.buffers.size());
    for (std::size_t n = 0; n < outputs.size(); ++n) {
        const Buffer& buffer = test.buffers[n];
        if (outputs[n].size() != buffer.expected.size())
            return test.name + ": buffer " + buffer.name + " has " + std::to_string(outputs[n].size())
                + " bytes, expected " + std::to_string(buffer.expected.size());
        const auto size = static_cast<std::size_t>(bytesOf(buffer.element));
        const std::size_t count = buffer.expected.size() / size;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string line = difference(buffer, i, elementAt(outputs[n], i, static_cast<int>(size)));
            if (!line.empty())
                return test.name + ": " + buffer.name + "[" + std::to_string(i) + "] " + line
                    + inputsAt(test, i, count);
        }
    }
    return {};
}

} // namespace flashstep::conform
