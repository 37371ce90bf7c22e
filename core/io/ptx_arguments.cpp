// SPDX-License-Identifier: Apache-2.0
#include "core/io/ptx_arguments.h"

#include "core/io/files.h"
#include "core/io/input_files.h"
#include "core/io/npy_header.h"
#include "core/io/ptx_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace flashstep {

namespace {

constexpr const char* forms = "in:F.npy, out:TYPE:SHAPE:F.npy, inout:F.npy:OUT.npy or a number as TYPE:VALUE";

// The part before the first colon, and what follows it.
struct Parts {
    std::string_view head, rest;
};
std::optional<Parts> cut(std::string_view text)
{
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    return Parts { text.substr(0, colon), text.substr(colon + 1) };
}

Result<std::vector<std::uint64_t>> shapeFrom(std::string_view text, const std::string& where)
{
    std::vector<std::uint64_t> shape;
    const Error bad { fmt::format("the shape is '{}'", text), where, "sizes from 1 on, as in 32 or 16x8" };
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('x', at), text.size());
        std::uint64_t axis = 0;
        const auto read = std::from_chars(text.data() + at, text.data() + end, axis);
        if (read.ec != std::errc() || read.ptr != text.data() + end || axis == 0)
            return bad;
        shape.push_back(axis);
        at = end + 1;
    }
    if (const Result<std::uint64_t> count = elementsOf(shape, where); !count)
        return count.error();
    return shape;
}

Result<PtxArgument> outFrom(PtxArgument argument, std::string_view rest)
{
    const std::string& text = argument.text;
    const std::optional<Parts> type = cut(rest);
    const std::optional<Parts> shape = type ? cut(type->rest) : std::nullopt;
    if (!shape || shape->rest.empty())
        return Error { "an output names its type, its shape and its file", text, "out:f32:16x8:F.npy" };
    const std::optional<NumberType> known = numberTypeFromName(type->head);
    if (!known)
        return Error { fmt::format("there is no type '{}'", type->head), text, numberTypeNames() };
    Result<std::vector<std::uint64_t>> sizes = shapeFrom(shape->head, text);
    if (!sizes)
        return sizes.error();
    std::uint64_t bytes = bytesOf(*known);
    for (const std::uint64_t axis : *sizes)
        bytes *= axis;
    if (const std::uint64_t memory = physicalMemory(); memory != 0 && bytes > memory / 2)
        return Error { "it needs " + bytesInWords(static_cast<double>(bytes)) + " of memory", text,
            "this computer has " + bytesInWords(static_cast<double>(memory)) };
    argument.kind = PtxArgument::Kind::Out;
    argument.type = *known;
    argument.shape = std::move(*sizes);
    argument.out = shape->rest;
    return argument;
}

Result<PtxArgument> inOutFrom(PtxArgument argument, std::string_view rest)
{
    const std::size_t colon = rest.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == rest.size())
        return Error { "it names a file to read and one to write", argument.text, "inout:F.npy:OUT.npy" };
    argument.kind = PtxArgument::Kind::InOut;
    argument.in = rest.substr(0, colon);
    argument.out = rest.substr(colon + 1);
    return argument;
}

// The parameter's place, as errors name it: "k.ptx's kernel" is known from the command.
std::string placeOf(const ptx::Function& kernel, std::size_t k)
{
    return fmt::format("{}, parameter {} of {}", kernel.name, k + 1, kernel.parameters.size());
}

std::string kindOf(const ptx::Parameter& parameter)
{
    const std::size_t size = static_cast<std::size_t>(ptx::bytesOf(parameter.type));
    if (parameter.bytes != size)
        return fmt::format("{} bytes at a multiple of {}", parameter.bytes, parameter.align);
    return fmt::format(".{}{}", ptx::name(parameter.type), parameter.pointer ? ", an address" : "");
}

Status checkOne(const ptx::Function& kernel, std::size_t k, const PtxArgument& argument)
{
    const ptx::Parameter& parameter = kernel.parameters[k];
    const std::string where = placeOf(kernel, k);
    if (parameter.bytes != static_cast<std::uint64_t>(ptx::bytesOf(parameter.type)))
        return Error { fmt::format("it takes {}, which no argument can give", kindOf(parameter)), where,
            parameter.bytes == 128 && parameter.align >= 64
                ? "tensor maps come with the Hopper kernels"
                : "structs passed by value are not taken: kernels whose parameters are numbers and addresses" };
    if (argument.isBuffer() && parameter.bytes != 8)
        return Error { fmt::format("'{}' is a buffer, and it takes {}", argument.text, kindOf(parameter)), where,
            fmt::format("a number of {} bytes", parameter.bytes) };
    if (argument.isBuffer())
        return Nothing {};
    const std::size_t size = bytesOf(argument.type);
    if (parameter.pointer && argument.type != NumberType::U64)
        return Error { fmt::format("'{}' is a number, and it takes an address", argument.text), where,
            "in:, out: or inout:; u64:0 for a null pointer" };
    if (parameter.bytes != size)
        return Error { fmt::format("'{}' has {} bytes, and it takes {}", argument.text, size, kindOf(parameter)), where,
            fmt::format("a number of {} bytes", parameter.bytes) };
    return Nothing {};
}

} // namespace

Result<PtxArgument> parsePtxArgument(const std::string& text)
{
    PtxArgument argument;
    argument.text = text;
    const std::optional<Parts> parts = cut(text);
    if (!parts)
        return Error { "not an argument of a kernel", text, forms };
    if (parts->head == "tmap")
        return Error { "not in this version: tensor maps come with the Hopper kernels", text, forms };
    if (parts->head == "out")
        return outFrom(std::move(argument), parts->rest);
    if (parts->head == "inout")
        return inOutFrom(std::move(argument), parts->rest);
    if (parts->head == "in") {
        if (parts->rest.empty())
            return Error { "it names no file", text, "in:F.npy" };
        argument.kind = PtxArgument::Kind::In;
        argument.in = parts->rest;
        return argument;
    }
    const std::optional<NumberType> type = numberTypeFromName(parts->head);
    if (!type)
        return Error { fmt::format("there is no '{}:'", parts->head), text,
            std::string(forms) + ", TYPE one of " + numberTypeNames() };
    const Result<std::uint64_t> bits = parseNumber(*type, parts->rest, text);
    if (!bits)
        return bits.error();
    argument.type = *type;
    argument.bits = *bits;
    return argument;
}

Status checkArguments(const ptx::Function& kernel, std::span<const PtxArgument> arguments)
{
    if (arguments.size() != kernel.parameters.size())
        return Error { fmt::format("{} given for {} parameters",
                           arguments.size() == 1 ? "1 argument" : fmt::format("{} arguments", arguments.size()),
                           kernel.parameters.size()),
            kernel.name, "one ARG for each parameter, in their order" };
    for (std::size_t k = 0; k < arguments.size(); ++k)
        if (Status status = checkOne(kernel, k, arguments[k]); !status)
            return status;
    return Nothing {};
}

Status readArguments(std::span<PtxArgument> arguments)
{
    std::vector<std::string> inputs;
    for (PtxArgument& argument : arguments) {
        if (argument.in.empty())
            continue;
        Result<RawArray> array = readRawNpy(argument.in);
        if (!array)
            return array.error();
        argument.array = std::move(*array);
        inputs.push_back(argument.in);
    }
    for (std::size_t k = 0; k < arguments.size(); ++k) {
        if (!arguments[k].writes())
            continue;
        if (Status status = checkNotRead(arguments[k].out, inputs); !status)
            return status;
        for (std::size_t earlier = 0; earlier < k; ++earlier)
            if (arguments[earlier].writes() && arguments[earlier].out == arguments[k].out)
                return Error { "two outputs would be written there", arguments[k].out, "another name" };
    }
    return Nothing {};
}

std::vector<std::byte> placeArguments(
    const ptx::Function& kernel, std::span<PtxArgument> arguments, ptx::GlobalMemory& memory)
{
    std::vector<std::byte> bytes(kernel.parameterBytes);
    for (std::size_t k = 0; k < arguments.size(); ++k) {
        PtxArgument& argument = arguments[k];
        const ptx::Parameter& parameter = kernel.parameters[k];
        if (argument.kind == PtxArgument::Kind::Out) {
            std::uint64_t size = bytesOf(argument.type);
            for (const std::uint64_t axis : argument.shape)
                size *= axis;
            argument.address
                = memory.allocatePoisoned(fmt::format("argument {} ({})", k + 1, fileNameOf(argument.out)), size);
        } else if (argument.isBuffer())
            argument.address = memory.allocate(
                fmt::format("argument {} ({})", k + 1, fileNameOf(argument.in)), argument.array.bytes, false);
        const std::uint64_t value = argument.isBuffer() ? argument.address : argument.bits;
        std::memcpy(bytes.data() + parameter.offset, &value, std::min<std::uint64_t>(parameter.bytes, sizeof value));
    }
    return bytes;
}

Status writeArguments(std::span<const PtxArgument> arguments, const ptx::GlobalMemory& memory)
{
    for (const PtxArgument& argument : arguments) {
        if (!argument.writes())
            continue;
        RawArray array { argument.array.descr, argument.array.shape, {} };
        if (argument.kind == PtxArgument::Kind::Out)
            array = { std::string(npyKind(argument.type)), argument.shape, {} };
        if (const std::uint32_t found = memory.find(argument.address, 0); found != ptx::none)
            array.bytes = memory.allocation(found).bytes;
        if (Status status = writeRawNpy(argument.out, array); !status)
            return status;
    }
    return Nothing {};
}

Result<std::array<std::uint32_t, 3>> parseDimensions(const std::string& option, const std::string& text)
{
    std::array<std::uint32_t, 3> sizes { 1, 1, 1 };
    std::size_t at = 0;
    for (std::size_t k = 0; at <= text.size(); ++k) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        std::uint32_t size = 0;
        const auto read = std::from_chars(text.data() + at, text.data() + end, size);
        if (k == sizes.size() || read.ec != std::errc() || read.ptr != text.data() + end || size == 0)
            return Error { "cannot be '" + text + "'", option,
                "one to three sizes from 1 on, as in 4 or 4,2 or 4,2,1" };
        sizes[k] = size;
        at = end + 1;
    }
    return sizes;
}

} // namespace flashstep
