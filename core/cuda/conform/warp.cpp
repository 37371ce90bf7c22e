// SPDX-License-Identifier: Apache-2.0
// What the lanes of a warp do together: vote, match, redux, activemask, bar.warp.sync. PTX ISA 9.7.13.
#include "probe.h"

#include <algorithm>

namespace flashstep::conform {
namespace {

constexpr std::size_t lanes = 64; // two warps, so that one's answer is not the other's

// Runs the body twice: by all lanes with a full mask, and by the lanes of `some` alone (the others jump over it).
constexpr std::uint64_t everyone = 0xFFFFFFFF, some = 0x0F3C5A69;

using WarpFunction = std::function<std::uint64_t(const Values&, std::uint64_t mask, int lane)>;

// `instruction` uses %d, %a (a b32 value), %p (a != 0 for votes) and MASK.
void collective(Forms& forms, const std::string& name, const std::string& section, Kind kind, const Values& values,
    const std::string& instruction, const WarpFunction& f)
{
    for (const bool all : { true, false }) {
        add(forms, name + (all ? "" : " of some lanes"), section, [=](Probe& probe) {
            const std::uint64_t mask = all ? everyone : some;
            Answers answers;
            for (std::size_t i = 0; i < lanes; ++i) {
                const auto first = static_cast<std::ptrdiff_t>(i / 32 * 32);
                const Values warp(values.begin() + first, values.begin() + first + 32);
                const bool takesPart = (mask >> (i % 32) & 1) != 0;
                answers.emplace_back(takesPart ? f(warp, mask, static_cast<int>(i % 32)) : 0xEEEEEEEE);
            }
            probe.input("a", kind, values).output("d", Kind::U32, answers);
            probe.declare(".reg .pred %p, %q, %in;").declare(".reg .b32 %bit, %lane, %m;");
            probe.body("mov.u32 %lane, %laneid;").body("mov.u32 %m, " + std::to_string(mask) + ";");
            probe.body("shr.u32 %bit, %m, %lane;").body("and.b32 %bit, %bit, 1;").body("setp.ne.u32 %in, %bit, 0;");
            probe.body(bitsOf(kind) == 64 ? "setp.ne.u64 %p, %a, 0;" : "setp.ne.u32 %p, %a, 0;");
            probe.body("@!%in bra PAST;").body(instruction).body("PAST:");
        });
    }
}

Values flags(std::uint64_t first, std::uint64_t second)
{
    Values values;
    for (std::size_t i = 0; i < lanes; ++i)
        values.push_back((i < 32 ? first : second) >> (i % 32) & 1);
    return values;
}

std::uint64_t ballot(const Values& warp, std::uint64_t mask)
{
    std::uint64_t result = 0;
    for (std::size_t i = 0; i < 32; ++i)
        result |= std::uint64_t { warp[i] != 0 } << i;
    return result & mask;
}

void addVotes(Forms& forms)
{
    const struct {
        const char* name;
        Values values;
    } patterns[] = { { "mixed", flags(0x12345678, 0) }, { "all", flags(0xFFFFFFFF, 0x0F3C5A69) },
        { "few", flags(0x80000000, 1) } };
    for (const auto& pattern : patterns) {
        const std::string suffix = std::string(" ") + pattern.name;
        const auto vote = [&](const std::string& mode, const WarpFunction& f) {
            collective(forms, "vote.sync." + mode + ".pred" + suffix, "9.7.13.9", Kind::U32, pattern.values,
                "vote.sync." + mode + ".pred %q, %p, %m;\n\tselp.u32 %d, 1, 0, %q;", f);
        };
        vote("any", [](const Values& w, auto m, int) { return std::uint64_t { ballot(w, m) != 0 }; });
        vote("all", [](const Values& w, auto m, int) { return std::uint64_t { ballot(w, m) == m }; });
        vote("uni",
            [](const Values& w, auto m, int) { return std::uint64_t { ballot(w, m) == m || ballot(w, m) == 0 }; });
        collective(forms, "vote.sync.ballot.b32" + suffix, "9.7.13.9", Kind::U32, pattern.values,
            "vote.sync.ballot.b32 %d, %p, %m;", [](const Values& w, auto m, int) { return ballot(w, m); });
        collective(forms, "vote.sync.any.pred !p" + suffix, "9.7.13.9", Kind::U32, pattern.values,
            "vote.sync.any.pred %q, !%p, %m;\n\tselp.u32 %d, 1, 0, %q;",
            [](const Values& w, auto m, int) { return std::uint64_t { ballot(w, m) != m }; });
    }
}

std::uint64_t equals(const Values& warp, std::uint64_t mask, int lane)
{
    std::uint64_t result = 0;
    for (std::size_t i = 0; i < 32; ++i)
        result |= std::uint64_t { warp[i] == warp[static_cast<std::size_t>(lane)] } << i;
    return result & mask;
}

void addMatches(Forms& forms)
{
    for (const Kind k : { Kind::U32, Kind::U64 }) {
        const std::string type = ".b" + std::to_string(bitsOf(k));
        Values few, same;
        for (std::size_t i = 0; i < lanes; ++i) {
            few.push_back((i * 7 % 5) << (bitsOf(k) - 4));
            same.push_back(i < 32 ? 5 : i == 40 ? 6 : 7);
        }
        collective(
            forms, "match.any.sync" + type, "9.7.13.10", k, few, "match.any.sync" + type + " %d, %a, %m;", equals);
        // Either all lanes have it, and the result is their mask, or the result is 0.
        const WarpFunction whole
            = [](const Values& w, auto m, int lane) { return equals(w, m, lane) == m ? m : std::uint64_t { 0 }; };
        collective(
            forms, "match.all.sync" + type, "9.7.13.10", k, same, "match.all.sync" + type + " %d, %a, %m;", whole);
        collective(forms, "match.all.sync" + type + " with predicate", "9.7.13.10", k, same,
            "match.all.sync" + type + " %d|%q, %a, %m;\n\tselp.u32 %bit, 1, 0, %q;\n\txor.b32 %d, %d, %bit;",
            [whole](const Values& w, auto m, int lane) {
                const std::uint64_t found = whole(w, m, lane);
                return found ^ std::uint64_t { found != 0 };
            });
    }
}

void addReductions(Forms& forms)
{
    const auto redux
        = [&forms](const std::string& name, bool sign, std::uint64_t (*join)(std::uint64_t, std::uint64_t, bool)) {
              const Values values = noise(Kind::U32, lanes, 14);
              collective(forms, "redux.sync." + name, "9.7.13.12", Kind::U32, values,
                  "redux.sync." + name + " %d, %a, %m;", [=](const Values& warp, std::uint64_t mask, int) {
                      std::uint64_t result = 0;
                      bool first = true;
                      for (std::size_t i = 0; i < 32; ++i) {
                          if ((mask >> i & 1) == 0)
                              continue;
                          result = first ? warp[i] : masked(join(result, warp[i], sign), 32);
                          first = false;
                      }
                      return result;
                  });
          };
    const auto less
        = [](std::uint64_t a, std::uint64_t b, bool sign) { return sign ? asSigned(a, 32) < asSigned(b, 32) : a < b; };
    static const auto below = less;
    for (const bool sign : { false, true }) {
        const std::string type = sign ? ".s32" : ".u32";
        redux("add" + type, sign, [](std::uint64_t a, std::uint64_t b, bool) { return a + b; });
        redux("min" + type, sign, [](std::uint64_t a, std::uint64_t b, bool s) { return below(a, b, s) ? a : b; });
        redux("max" + type, sign, [](std::uint64_t a, std::uint64_t b, bool s) { return below(a, b, s) ? b : a; });
    }
    redux("and.b32", false, [](std::uint64_t a, std::uint64_t b, bool) { return a & b; });
    redux("or.b32", false, [](std::uint64_t a, std::uint64_t b, bool) { return a | b; });
    redux("xor.b32", false, [](std::uint64_t a, std::uint64_t b, bool) { return a ^ b; });
}

// Of sm_90 on: one lane of the mask, the same one each time; which is left open.
void addElection(Forms& forms)
{
    for (const std::uint64_t mask : { everyone, some }) {
        const std::string number = std::to_string(mask);
        add(forms, mask == everyone ? "elect.sync" : "elect.sync of some lanes", "9.7.13.14", [=](Probe& probe) {
            Answers ones;
            for (std::size_t i = 0; i < lanes; ++i)
                ones.emplace_back((mask >> (i % 32) & 1) != 0 ? 1 : 0xEEEEEEEE);
            probe.target("sm_90").output("count", Kind::U32, ones).output("leader", Kind::U32, ones);
            probe.output("inside", Kind::U32, ones).output("again", Kind::U32, ones);
            probe.declare(".reg .pred %p, %q;")
                .declare(".reg .b32 %m, %x, %y, %z, %bit;")
                .body("mov.u32 %m, " + number + ";");
            probe.body("mov.u32 %x, %lanemask_eq;").body("and.b32 %bit, %m, %x;").body("setp.eq.u32 %p, %bit, 0;");
            probe.body("@%p bra PAST;").body("elect.sync %x|%p, %m;").body("vote.sync.ballot.b32 %y, %p, %m;");
            probe.body("popc.b32 %count, %y;").body("bfind.u32 %z, %y;").body("setp.eq.u32 %q, %z, %x;");
            probe.body("selp.u32 %leader, 1, 0, %q;").body("and.b32 %z, %y, %m;").body("setp.eq.u32 %q, %z, %y;");
            probe.body("selp.u32 %inside, 1, 0, %q;").body("elect.sync %z|%q, %m;").body("setp.eq.u32 %q, %z, %x;");
            probe.body("selp.u32 %again, 1, 0, %q;").body("PAST:");
        });
    }
}

} // namespace

void addWarp(Forms& forms)
{
    addVotes(forms);
    addMatches(forms);
    addReductions(forms);
    addElection(forms);
    // The lanes that run together: all at the start; a lane that reads it is always among them.
    add(forms, "activemask.b32", "9.7.13.11", [](Probe& probe) {
        probe.output("d", Kind::U32, Answers(lanes, Expected(everyone)));
        probe.output("own", Kind::U32, Answers(lanes, Expected(1)))
            .declare(".reg .pred %p;")
            .declare(".reg .b32 %x, %y;");
        probe.body("activemask.b32 %d;")
            .body("and.b32 %x, %t, 3;")
            .body("setp.eq.s32 %p, %x, 2;")
            .body("@%p bra PAST;");
        probe.body("activemask.b32 %x;").body("mov.u32 %y, %lanemask_eq;").body("and.b32 %x, %x, %y;");
        probe.body("setp.eq.s32 %p, %x, %y;").body("selp.u32 %own, 1, 0, %p;").body("bra DONE;").body("PAST:");
        probe.body("activemask.b32 %x;").body("mov.u32 %y, %lanemask_eq;").body("and.b32 %x, %x, %y;");
        probe.body("setp.eq.s32 %p, %x, %y;").body("selp.u32 %own, 1, 0, %p;").body("DONE:");
    });
    add(forms, "bar.warp.sync", "9.7.13.2", [](Probe& probe) {
        const Values a = noise(Kind::U32, lanes, 15);
        Answers turned, partly;
        for (std::size_t i = 0; i < lanes; ++i) {
            turned.emplace_back(a[i / 32 * 32 + (i + 1) % 32]);
            partly.emplace_back((i % 32) < 16 ? a[i / 32 * 32 + (15 - i % 32)] : 0xEEEEEEEE);
        }
        probe.input("a", Kind::U32, a).output("d", Kind::U32, turned).output("e", Kind::U32, partly);
        probe.declare(".shared .align 4 .b8 probe_room[256];")
            .declare(".reg .b32 %x, %y, %l, %b;")
            .declare(".reg .pred %p;");
        probe.body("mov.u32 %l, %laneid;").body("mov.u32 %b, probe_room;").body("mad.lo.s32 %x, %t, 4, %b;");
        probe.body("st.shared.u32 [%x], %a;").body("bar.warp.sync 0xffffffff;");
        probe.body("add.s32 %y, %l, 1;").body("and.b32 %y, %y, 31;").body("sub.s32 %y, %y, %l;");
        probe.body("mad.lo.s32 %y, %y, 4, %x;").body("ld.shared.u32 %d, [%y];").body("bar.warp.sync -1;");
        probe.body("setp.ge.u32 %p, %l, 16;").body("@%p bra PAST;").body("st.shared.u32 [%x], %a;");
        probe.body("bar.warp.sync 65535;").body("shl.b32 %y, %l, 1;").body("sub.s32 %y, 15, %y;");
        probe.body("mad.lo.s32 %y, %y, 4, %x;").body("ld.shared.u32 %e, [%y];").body("PAST:");
    });
}

// The manual's program for the source lane, and whether it lies in range.
namespace {

struct Source {
    int lane;
    bool inRange;
};

Source sourceOf(const std::string& mode, int lane, std::uint64_t b, std::uint64_t c)
{
    const int bval = static_cast<int>(b & 31), cval = static_cast<int>(c & 31), segment = static_cast<int>(c >> 8 & 31);
    const int maxLane = (lane & segment) | (cval & ~segment), minLane = lane & segment;
    int j = 0;
    bool in = false;
    if (mode == "up") {
        j = lane - bval;
        in = j >= maxLane;
    } else if (mode == "down") {
        j = lane + bval;
        in = j <= maxLane;
    } else if (mode == "bfly") {
        j = lane ^ bval;
        in = j <= maxLane;
    } else {
        j = minLane | (bval & ~segment);
        in = j <= maxLane;
    }
    return { in ? j : lane, in };
}

void addShuffle(Forms& forms, const std::string& mode, std::uint64_t width)
{
    // What __shfl_sync and its kin make of a width.
    const std::uint64_t c = ((32 - width) << 8) | (mode == "up" ? 0 : 31);
    const std::string name = "shfl.sync." + mode + ".b32 width " + std::to_string(width);
    add(forms, name, "9.7.9.6", [=](Probe& probe) {
        const Values a = noise(Kind::U32, 256, 16);
        Values b;
        Answers d, inRange;
        for (std::size_t i = 0; i < 256; ++i) { // eight warps, eight distances
            const std::uint64_t distances[] = { 0, 1, 2, 3, 7, 16, 31, 37 };
            b.push_back(mode == "idx" ? i * 5 % 37 : distances[i / 32]);
            const Source from = sourceOf(mode, static_cast<int>(i % 32), b.back(), c);
            d.emplace_back(a[i / 32 * 32 + static_cast<std::size_t>(from.lane)]);
            inRange.emplace_back(std::uint64_t { from.inRange });
        }
        probe.input("a", Kind::U32, a)
            .input("b", Kind::U32, b)
            .output("d", Kind::U32, d)
            .output("in", Kind::U32, inRange);
        probe.declare(".reg .b32 %c, %m;").declare(".reg .pred %p;").body("mov.u32 %c, " + std::to_string(c) + ";");
        probe.body("mov.u32 %m, -1;").body("shfl.sync." + mode + ".b32 %d|%p, %a, %b, %c, %m;");
        probe.body("selp.u32 %in, 1, 0, %p;");
    });
}

} // namespace

void addShuffles(Forms& forms)
{
    for (const char* const mode : { "up", "down", "bfly", "idx" }) {
        for (const std::uint64_t width : { 32, 16, 8, 4, 2 })
            addShuffle(forms, mode, width);
        // Immediates and no predicate, as the newer compiler writes it; a float's bits travel too.
        const std::string m = mode;
        add(forms, "shfl.sync." + m + ".b32 of a float by 1", "9.7.9.6", [m](Probe& probe) {
            const Values a = noise(Kind::F32, lanes, 17);
            Answers d;
            for (std::size_t i = 0; i < lanes; ++i) {
                const Source from = sourceOf(m, static_cast<int>(i % 32), 1, m == "up" ? 0 : 31);
                d.emplace_back(a[i / 32 * 32 + static_cast<std::size_t>(from.lane)]);
            }
            probe.input("a", Kind::F32, a).output("d", Kind::F32, d);
            probe.body("shfl.sync." + m + ".b32\t%d, %a, 1, " + (m == "up" ? "0" : "31") + ", -1;");
        });
    }
    // Only the lower half takes part.
    add(forms, "shfl.sync.bfly.b32 of half a warp", "9.7.9.6", [](Probe& probe) {
        const Values a = noise(Kind::U32, lanes, 18);
        Answers d;
        for (std::size_t i = 0; i < lanes; ++i)
            d.emplace_back((i % 32) < 16 ? a[i ^ 5] : 0xEEEEEEEE);
        probe.input("a", Kind::U32, a).output("d", Kind::U32, d).declare(".reg .pred %p;").declare(".reg .b32 %l;");
        probe.body("mov.u32 %l, %laneid;").body("setp.lt.u32 %p, %l, 16;").body("@!%p bra PAST;");
        probe.body("shfl.sync.bfly.b32 %d, %a, 5, 31, 65535;").body("PAST:");
    });
}

} // namespace flashstep::conform
