// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/compare.h"
#include "app/cli/report.h"
#include "core/io/json.h"

#include <algorithm>

namespace flashstep::cli {

namespace {

// b - a. Whole numbers stay whole; a seed has 64 bits, and so may the difference of two.
Json difference(const Json& a, const Json& b)
{
    if (!a.is_number_integer() || !b.is_number_integer())
        return jsonNumber(b.get<double>() - a.get<double>());
    if (!a.is_number_unsigned() || !b.is_number_unsigned())
        return b.get<std::int64_t>() - a.get<std::int64_t>();
    const auto first = a.get<std::uint64_t>();
    const auto second = b.get<std::uint64_t>();
    if (second >= first)
        return second - first;
    const std::uint64_t less = first - second;
    return less <= INT64_MAX ? Json(-static_cast<std::int64_t>(less)) : Json(-static_cast<double>(less));
}

// Of every key that is a number in either: null where it is none in the other. Of lists and words nothing.
Json delta(const Json& a, const Json& b)
{
    Json out = Json::object();
    for (const auto& [key, value] : a.items()) {
        const auto other = b.find(key);
        if (other == b.end())
            continue;
        if (value.is_object() && other->is_object()) {
            Json nested = delta(value, *other);
            if (!nested.empty())
                out[key] = std::move(nested);
        } else if (value.is_number() || other->is_number()) {
            out[key] = value.is_number() && other->is_number() ? difference(value, *other) : Json();
        }
    }
    return out;
}

template <typename Value> Json pair(const Interval<Value>& interval)
{
    return Json::array({ interval.begin, interval.end });
}

Json orNull(const std::optional<Interval<Cycle>>& cycles)
{
    return cycles ? pair(*cycles) : Json();
}

void addPlace(Json& out, const CommonTile& tile)
{
    out["b"] = tile.b;
    out["h"] = tile.h;
    out["rows"] = pair(tile.rows);
    out["keys"] = pair(tile.keys);
}

Json tilesJson(const CommonTiles& common)
{
    Json out = Json::array();
    for (const CommonTile& tile : common.tiles) {
        Json one;
        addPlace(one, tile);
        one["a_cycles"] = orNull(tile.cycles[0]);
        one["b_cycles"] = orNull(tile.cycles[1]);
        out.push_back(std::move(one));
    }
    return out;
}

Json onlyJson(const ComparedRun& run)
{
    Json out = Json::object();
    for (const auto& [kind, count] : run.only)
        out[std::string(name(kind))] = count;
    return out;
}

Json phasesJson(const ComparedRun& run)
{
    Json out { { "busy", Json::object() }, { "waits", Json::object() } };
    for (const auto& [kind, cycles] : run.phases.busy)
        out["busy"][std::string(name(kind))] = cycles;
    for (const auto& [reason, cycles] : run.phases.waits)
        out["waits"][reason] = cycles;
    out["idle"] = run.phases.idle;
    out["total"] = run.phases.total;
    return out;
}

Json barriersJson(const ComparedRun& run)
{
    Json out = Json::object();
    for (const BarrierUse& use : run.barriers)
        out[use.name] = { { "turns", use.turns }, { "waits", use.waits }, { "cycles_waited", use.waited } };
    return out;
}

Json pathJson(const ComparedRun& run)
{
    Json out { { "cycles", run.pathCycles }, { "segments", run.pathSegments }, { "parts", Json::array() } };
    const auto whole = static_cast<double>(std::max<Cycle>(1, run.pathCycles));
    for (const PathPart& part : run.path)
        out["parts"].push_back(
            { { "op", part.op }, { "engine", part.engine ? Json(std::string(name(*part.engine))) : Json() },
                { "cycles", part.cycles }, { "share", jsonNumber(static_cast<double>(part.cycles) / whole) } });
    return out;
}

void addTileOp(Json& out, const TileOp& op)
{
    out["op"] = std::string(name(op.kind));
    out["product"] = op.kind == OpKind::Mma ? Json(op.scores ? "S" : "O") : Json();
}

Json placesJson(const CommonTiles& common)
{
    Json out = Json::array();
    for (const PlaceInTile& place : common.places) {
        Json one;
        addTileOp(one, place.op);
        one["tiles"] = place.tiles;
        one["a_begin"] = jsonNumber(place.mean(0));
        one["b_begin"] = jsonNumber(place.mean(1));
        out.push_back(std::move(one));
    }
    return out;
}

Json movedJson(const CommonTiles& common)
{
    Json out = Json::array();
    for (const Move& move : common.moves) {
        Json one;
        addPlace(one, common.tiles[move.tile]);
        addTileOp(one, move.op);
        one["a_begin"] = { { "in_tile", move.inTile[0] }, { "in_run", move.inRun[0] } };
        one["b_begin"] = { { "in_tile", move.inTile[1] }, { "in_run", move.inRun[1] } };
        one["shift"] = { { "in_tile", move.shiftInTile() }, { "in_run", move.shiftInRun() } };
        out.push_back(std::move(one));
    }
    return out;
}

} // namespace

std::string comparisonJson(const Compared& compared)
{
    const auto& [a, b] = compared.comparison.runs;
    Json out;
    out["a"] = reportObject(compared.sessions[0]);
    out["b"] = reportObject(compared.sessions[1]);
    out["delta"] = delta(out["a"], out["b"]);
    out["tiles"] = tilesJson(compared.comparison.common);
    out["only_in_a"] = onlyJson(a);
    out["only_in_b"] = onlyJson(b);
    out["phases"] = { { "a", phasesJson(a) }, { "b", phasesJson(b) } };
    out["barriers"] = { { "a", barriersJson(a) }, { "b", barriersJson(b) } };
    out["critical_path"] = { { "a", pathJson(a) }, { "b", pathJson(b) } };
    out["places"] = placesJson(compared.comparison.common);
    out["moved"] = movedJson(compared.comparison.common);
    out["moved_count"] = compared.comparison.common.moveCount;
    out["notes"] = comparisonNotes(compared);
    return jsonText(out);
}

} // namespace flashstep::cli
