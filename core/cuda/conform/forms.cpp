// SPDX-License-Identifier: Apache-2.0
#include "conform.h"
#include "probe.h"

namespace flashstep::conform {

const std::vector<Form>& forms()
{
    static const std::vector<Form> all = [] {
        Forms list;
        for (const auto family : { addInteger, addCarry, addIntegerBits, addLogic, addFloat, addFloatRoots,
                 addApproximate, addHalf, addCompare, addConvertIntegers, addConvertFloats, addConvertPacked, addMoves,
                 addMemory, addMemorySpaces, addAtomics, addWarp, addShuffles, addBarriers, addMatrix, addCopies,
                 addControl, addSpecial })
            family(list);
        return list;
    }();
    return all;
}

std::vector<Case> cases()
{
    std::vector<Case> all;
    for (const Form& form : forms())
        all.push_back(form.make());
    return all;
}

} // namespace flashstep::conform
