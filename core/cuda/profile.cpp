// SPDX-License-Identifier: Apache-2.0
#include "profile.h"

#include <cstring>

namespace flashstep::cuda {

namespace {

constexpr SpanName names[] = {
    { "load", "load tensor=Q" },
    { "load", "load tensor=K" },
    { "load", "load tensor=V" },
    { "load", "load tensor=O_tmp" },
    { "load", "load tensor=l" },
    { "load", "load tensor=m" },
    { "load", "load tensor=S" },
    { "load", "load tensor=P" },
    { "commit", "commit" },
    { "wait", "wait name=QK_landed" },
    { "wait", "wait name=QKV_landed" },
    { "wait", "wait name=PV_landed" },
    { "wait", "wait name=K_landed" },
    { "wait", "wait name=V_landed" },
    { "sync", "sync name=QK_visible" },
    { "sync", "sync name=QKV_visible" },
    { "sync", "sync name=PV_visible" },
    { "sync", "sync name=K_visible" },
    { "sync", "sync name=V_visible" },
    { "sync", "sync name=QKV_free" },
    { "sync", "sync name=PV_free" },
    { "sync", "sync name=S_staged" },
    { "sync", "sync name=O_staged" },
    { "mma", "mma out=S" },
    { "mma", "mma out=O" },
    { "mma", "mma out=PV" },
    { "mask", "mask" },
    { "rowmax", "rowmax" },
    { "rescale", "rescale" },
    { "rescale", "rescale out=l~" },
    { "rescale", "rescale out=l_old" },
    { "rescale", "rescale out=PV" },
    { "exp2", "exp2" },
    { "rowsum", "rowsum" },
    { "reduce", "reduce out=m" },
    { "reduce", "reduce out=m~" },
    { "reduce", "reduce out=l" },
    { "reduce", "reduce out=O" },
    { "normalise", "normalise" },
    { "normalise", "normalise out=S" },
    { "normalise", "normalise out=none" },
    { "convert", "convert out=S" },
    { "convert", "convert out=P" },
    { "convert", "convert out=O" },
    { "stage", "stage out=sS" },
    { "stage", "stage out=S" },
    { "stage", "stage out=sO" },
    { "store", "store tensor=S" },
    { "store", "store tensor=P" },
    { "store", "store tensor=O" },
    { "store", "store tensor=O_tmp" },
    { "store", "store tensor=l" },
    { "store", "store tensor=m" },
    { "store", "store tensor=LSE" },
};
static_assert(sizeof(names) / sizeof(names[0]) == spanCount, "a name for each");

// A warp whose counts cannot be: more stamps than fit, a span that does not exist, time that runs backwards.
bool sound(const WarpHeader& header, int capacity)
{
    return header.stamps <= static_cast<std::uint32_t>(capacity) && header.clockBegin <= header.clockKept
        && header.clockKept <= header.clockEnd && header.timerBegin <= header.timerEnd && header.sm < 0x10000
        && header.cta < 0x7fffffff && header.warp < 32;
}

bool readOps(ProfiledWarp& to, const WarpHeader& header, const unsigned char* from)
{
    std::uint64_t before = header.clockBegin;
    for (std::uint32_t k = 0; k < header.stamps; ++k) {
        WarpStamp stamp;
        std::memcpy(&stamp, from + k * sizeof stamp, sizeof stamp);
        const std::uint64_t clock = std::uint64_t { stamp.clockHigh } << 32 | stamp.clockLow;
        const std::uint32_t span = stamp.spanAndJ & 0xff;
        if (span >= static_cast<std::uint32_t>(spanCount) || clock < before || clock > header.clockKept)
            return false;
        if (k > 0)
            to.ops.back().end = clock;
        to.ops.push_back(
            { static_cast<Span>(span), stamp.i, static_cast<int>(stamp.spanAndJ >> 8) - 1, clock, header.clockKept });
        before = clock;
    }
    return true;
}

} // namespace

const SpanName& spanOf(Span span)
{
    return names[static_cast<std::size_t>(span)];
}

Profile decodeProfile(const void* bytes, std::size_t size, int capacity, std::string* damage)
{
    Profile profile;
    const std::size_t stride = profileBytesOfWarp(capacity);
    const auto* at = static_cast<const unsigned char*>(bytes);
    std::uint64_t longest = 0;
    for (std::size_t w = 0; w < size / stride; ++w, at += stride) {
        WarpHeader header;
        std::memcpy(&header, at, sizeof header);
        if (header.magic != warpHeaderMagic) {
            ++profile.unfinished;
            continue;
        }
        ProfiledWarp warp { static_cast<int>(header.sm), static_cast<int>(header.cta), static_cast<int>(header.warp),
            header.clockBegin, header.clockEnd, header.timerBegin, header.timerEnd, header.dropped, {} };
        if (!sound(header, capacity) || !readOps(warp, header, at + sizeof header)) {
            ++profile.unfinished;
            if (damage != nullptr && damage->empty())
                *damage = "the stamps of warp " + std::to_string(w) + " of the grid are damaged";
            continue;
        }
        profile.dropped += header.dropped;
        const std::uint64_t lived = header.timerEnd - header.timerBegin;
        if (lived > longest) {
            longest = lived;
            profile.tickRateHz
                = 1e9 * static_cast<double>(header.clockEnd - header.clockBegin) / static_cast<double>(lived);
        }
        profile.warps.push_back(std::move(warp));
    }
    return profile;
}

} // namespace flashstep::cuda
