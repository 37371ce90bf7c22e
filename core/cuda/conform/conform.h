// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// Small PTX kernels, at least one per form of the instructions of the Ampere generation, with what the PTX ISA says
// they must leave behind. The expected bytes are worked out here from the manual's text, in plain C++, so that an
// emulated GPU and a real one can both be held against them. This folder uses nothing of the rest of the project and no
// CUDA header.
namespace flashstep::conform {

enum class Element : std::uint8_t { U8, U16, U32, U64, F16, Bf16, F32, F64 };
int bytesOf(Element element);

// One array in global memory. Its address is the kernel's parameter at the same position.
struct Buffer {
    std::string name;
    Element element = Element::U32;
    std::vector<std::uint8_t> in; // as the kernel finds it
    std::vector<std::uint8_t> expected; // as it must leave it; for a float's NaN any NaN will do
    std::vector<std::uint8_t> other; // a second answer that the manual allows; empty: none
    // Where the manual gives an error bound: the exact value and the largest distance from it, per element. A distance
    // of 0 asks for the expected bytes. Empty: all of them are 0.
    std::vector<double> exact;
    std::vector<double> slack;
};

struct Case {
    std::string name; // the instruction's form, unique in the suite
    std::string section; // of the PTX ISA, numbers of version 9.0
    std::string ptx; // a whole module
    std::string entry;
    std::string target; // the lowest that has the instruction
    unsigned grid[3] = { 1, 1, 1 };
    unsigned block[3] = { 32, 1, 1 };
    unsigned sharedBytes = 0; // the launch's dynamic part
    std::vector<Buffer> buffers;
    std::vector<std::vector<std::uint8_t>> values; // parameters after the buffers, by value
};

// A case that has not been worked out yet: the suite can be listed at no cost.
struct Form {
    std::string name;
    std::string section;
    std::function<Case()> make;
};

const std::vector<Form>& forms();
std::vector<Case> cases(); // all of them, worked out

// Empty if `outputs`, one array of bytes per buffer, are right; else one line about the first element that is not.
std::string verdict(const Case& test, const std::vector<std::vector<std::uint8_t>>& outputs);

} // namespace flashstep::conform
