// SPDX-License-Identifier: Apache-2.0
#include "core/io/npy.h"
#include "core/io/raw_npy.h"
#include "tests/fuzz/fuzz.h"

namespace flashstep::fuzz {

namespace {

// A file as NumPy writes it, of any header; data are counted up.
std::string npy(const std::string& dict, std::size_t bytes, char version = 1)
{
    std::string text = "\x93NUMPY";
    text += version;
    text += '\0';
    text += static_cast<char>(dict.size());
    text += std::string(version == 1 ? 1 : 3, '\0');
    text += dict;
    for (std::size_t k = 0; k < bytes; ++k)
        text += static_cast<char>(k);
    return text;
}

} // namespace

Target target()
{
    return { "npy",
        { npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 4), }\n", 96),
            npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 1, 2, 8), }\n", 64, 2),
            npy("{'shape': (1L, 1, 1, 4), 'descr': \"<f8\", 'fortran_order': False}", 32, 3),
            npy("{'descr': '<f4', 'fortran_order': True, 'shape': (4,), }", 16) },
        { "(1073741824, 1073741824, 1073741824, 1073741824)", "'<f8'", "99999999999999999999", "{", "(", "'", ",",
            "'shape': ", "'descr': ", "True", "L" },
        1U << 20U, 8, 20000 };
}

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace flashstep;
    // As a kernel's buffer: any kind of number, any rank.
    if (const Result<RawArray> raw = readRawNpy(fuzz::asFile(fuzz::textOf(data, size))); raw.ok())
        fuzz::require(raw->bytes.size() < size, "no byte comes from outside the file");
    else
        fuzz::requireClear(raw.error());
    const Result<NpyTensor> read = readNpy(fuzz::asFile(fuzz::textOf(data, size)));
    if (!read) {
        fuzz::requireClear(read.error());
        return 0;
    }
    const Tensor& tensor = read->tensor;
    fuzz::require(tensor.data.size()
            == static_cast<std::size_t>(tensor.batch) * static_cast<std::size_t>(tensor.heads)
                * static_cast<std::size_t>(tensor.seqlen) * static_cast<std::size_t>(tensor.dim),
        "a tensor has as many elements as its shape says");
    fuzz::require(tensor.data.size() * 2 <= size, "no element comes from outside the file");
    return 0;
}
