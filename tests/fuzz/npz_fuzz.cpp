// SPDX-License-Identifier: Apache-2.0
#include "core/io/npz.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/temporary.h"

#include <fstream>
#include <iterator>

namespace flashstep::fuzz {

namespace {

std::string npy(const std::string& shape, std::size_t floats)
{
    std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n";
    std::string text("\x93NUMPY\x01\x00", 8);
    text += static_cast<char>(dict.size());
    text += '\0';
    return text + dict + std::string(4 * floats, '\x3f');
}

std::string archive(const std::vector<std::pair<std::string, std::string>>& arrays)
{
    const test::TemporaryDirectory directory;
    const std::string path = directory.path("a.npz");
    std::vector<NpzMember> members;
    for (const auto& [name, bytes] : arrays)
        members.push_back({ name, bytes.size() });
    require(
        writeZip(path, members, [&](std::size_t k) { return arrays[k].second; }, {}).ok(), "an archive can be written");
    std::ifstream file(path, std::ios::binary);
    return { std::istreambuf_iterator<char>(file), {} };
}

} // namespace

Target target()
{
    const std::string one = npy("(1, 2, 3, 4)", 24);
    return { "npz",
        { archive({ { "q.npy", one }, { "k.npy", one } }), archive({ { "only.npy", npy("(1, 1, 1, 1)", 1) } }),
            archive({ { "index.json", "{}" }, { "q.npy", npy("(1073741824, 1, 1, 4)", 3) } }) },
        { std::string("PK\x03\x04", 4), std::string("PK\x01\x02", 4), std::string("PK\x05\x06", 4), "q.npy", "../q.npy",
            "\xff\xff\xff\xff" },
        2U << 20U, 16, 6000 };
}

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace flashstep;
    const std::string path = fuzz::asFile(fuzz::textOf(data, size));
    const Result<NpyTensor> read = readNpz(path, "q");
    if (!read)
        fuzz::requireClear(read.error());
    return 0;
}
