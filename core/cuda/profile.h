// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What a traced kernel leaves in its trace buffer, for whoever ran it: a device or the emulated one. Plain C++17
// without CUDA's headers.
namespace flashstep::cuda {

// The ops that kernels stamp. `spanOf` has the op's kind and its label, the one of the anchors in the kernels.
enum class Span : std::uint8_t {
    LoadQ,
    LoadK,
    LoadV,
    LoadOTmp,
    LoadL,
    LoadM,
    LoadS,
    LoadP,
    Commit,
    WaitQK,
    WaitQKV,
    WaitPV,
    WaitK,
    WaitV,
    SyncQK,
    SyncQKV,
    SyncPV,
    SyncK,
    SyncV,
    SyncQKVFree,
    SyncPVFree,
    SyncSStaged,
    SyncOStaged,
    MmaS,
    MmaO,
    MmaPV,
    Mask,
    RowMax,
    Rescale,
    RescaleL,
    RescaleLOld,
    RescalePV,
    Exp2,
    RowSum,
    ReduceM,
    ReduceBlockM,
    ReduceL,
    ReduceO,
    Normalise,
    NormaliseS,
    NormaliseLse,
    ConvertS,
    ConvertP,
    ConvertO,
    StageS,
    StageP,
    StageO,
    StoreS,
    StoreP,
    StoreO,
    StoreOTmp,
    StoreL,
    StoreM,
    StoreLse,
};
constexpr int spanCount = static_cast<int>(Span::StoreLse) + 1;

struct SpanName {
    const char* op; // its kind, as `flashstep-cli list ops` has it
    const char* label; // "mma out=S", as in the kernels' anchors
};
[[nodiscard]] const SpanName& spanOf(Span span);

// The buffer: for each warp of the grid, in the order CTA by CTA (linear index), a WarpHeader and room for `capacity`
// WarpStamps. A stamp is the beginning of an op; it ends where the next one of the warp begins, the last one at
// `clockKept`. A warp writes its header's `magic` at its end, so that nothing has to be cleared before: without it the
// warp never came so far.
//
// Times are %clock64: clocks of the SM, exact to a few cycles, which ops of some hundred cycles need. %globaltimer is
// the same for all SMs but on many devices moves once in a microsecond. So each warp reads both at its begin and its
// end, and that ties the SMs' clocks together (to the globaltimer's step) and says how fast they ran.
struct WarpHeader {
    std::uint64_t clockBegin, clockKept, clockEnd; // %clock64
    std::uint64_t timerBegin, timerEnd; // %globaltimer, nanoseconds
    std::uint32_t magic, sm, cta, warp;
    std::uint32_t stamps, dropped; // kept; that found no room
};
struct WarpStamp {
    std::uint32_t clockLow, clockHigh;
    std::int32_t i; // query tile
    std::uint32_t spanAndJ; // Span in the low 8 bits, key block + 1 above; 0 there: none
};
static_assert(sizeof(WarpHeader) == 64 && sizeof(WarpStamp) == 16, "as the kernels write them");
constexpr std::uint32_t warpHeaderMagic = 0x46535431; // "FST1"
constexpr int noBlock = -1;

[[nodiscard]] constexpr std::size_t profileBytesOfWarp(int capacity)
{
    return sizeof(WarpHeader) + static_cast<std::size_t>(capacity) * sizeof(WarpStamp);
}

struct ProfiledOp {
    Span span = Span::LoadQ;
    int i = 0;
    int j = noBlock;
    std::uint64_t begin = 0, end = 0; // clocks of the SM
};
struct ProfiledWarp {
    int sm = 0, cta = 0, warp = 0;
    std::uint64_t clockBegin = 0, clockEnd = 0, timerBegin = 0, timerEnd = 0;
    std::uint32_t dropped = 0;
    std::vector<ProfiledOp> ops;
};
struct Profile {
    std::vector<ProfiledWarp> warps; // CTA by CTA; those that came to their end
    std::size_t unfinished = 0; // warps without a header
    std::uint64_t dropped = 0; // stamps, of all warps
    // Clocks per second over the longest-lived warp; 0 where its timer did not move.
    double tickRateHz = 0;
};

// Any bytes: what is not sound is left out, and said in `damage` (empty: all is sound).
[[nodiscard]] Profile decodeProfile(const void* bytes, std::size_t size, int capacity, std::string* damage = nullptr);

} // namespace flashstep::cuda
