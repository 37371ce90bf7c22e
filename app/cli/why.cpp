// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/causes.h"
#include "app/cli/commands.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/why_text.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::string at, cta;
    std::optional<std::int64_t> wait;
    bool json = false;
};

constexpr std::size_t shownLinks = 20; // of a chain, as text

Json releasedJson(const Trace& trace, const WaitLink& link)
{
    if (!link.releasedBy)
        return {};
    Json out;
    addOp(out, trace, link.releasedBy->instance);
    out["label"] = labelOf(trace.program(), trace.op(link.releasedBy->instance));
    out["cycle"] = link.releasedBy->cycle;
    return out;
}

Json linkJson(const Trace& trace, const WaitLink& link)
{
    Json out;
    out["kind"] = std::string(name(link.kind));
    addOp(out, trace, link.instance);
    const std::string barrier = barrierOf(trace, link);
    out["barrier"] = barrier.empty() ? Json() : Json(barrier);
    out["engine"] = link.kind == WaitLink::Kind::Engine ? Json(std::string(name(link.engine))) : Json();
    out["begin"] = link.begin;
    out["end"] = link.end;
    out["reason"] = reasonOf(trace, link);
    out["stuck"] = link.stuck;
    return out;
}

Json whyJson(const Trace& trace, const WaitExplained& why)
{
    Json out;
    out["wait"] = linkJson(trace, why.wait);
    out["released_by"] = releasedJson(trace, why.wait);
    out["chain"] = Json::array();
    for (const WaitLink& link : why.chain) {
        Json one = linkJson(trace, link);
        one["released_by"] = releasedJson(trace, link);
        out["chain"].push_back(std::move(one));
    }
    return out;
}

std::string asJson(const Trace& trace, const std::vector<WaitExplained>& all)
{
    Json out;
    if (all.empty()) {
        out["wait"] = Json();
        out["released_by"] = Json();
        out["chain"] = Json::array();
    } else {
        out = whyJson(trace, all.front());
    }
    out["waits"] = Json::array();
    for (const WaitExplained& why : all)
        out["waits"].push_back(whyJson(trace, why));
    return jsonText(out);
}

std::string asText(const Trace& trace, const std::vector<WaitExplained>& all)
{
    std::string text;
    for (const WaitExplained& why : all) {
        text += (text.empty() ? "" : "\n") + linkText(trace, why.wait) + "\n";
        const std::size_t shown = std::min(why.chain.size(), shownLinks);
        for (std::size_t k = 0; k < shown; ++k)
            text += fmt::format("{:>4}  {}\n", k + 1, linkText(trace, why.chain[k]));
        if (const std::string stuck = stuckText(why); !stuck.empty())
            text += "      " + stuck + "\n";
        if (shown < why.chain.size())
            text += fmt::format(
                "      and {} more, back to the start (--json has them all)\n", why.chain.size() - shown);
    }
    return text;
}

Result<std::vector<WaitExplained>> waitsAsked(const Trace& trace, const Options& o, CtaId cta)
{
    const Causes causes(trace);
    if (!o.wait) {
        const Result<Moment> at = momentOf(trace, "--at", o.at, trace.end());
        if (!at)
            return at.error();
        const bool whose = !cta.valid() && at->cta.valid() && trace.hasEvents(at->cta);
        return waitsAt(causes, whose ? at->cta : cta, at->position);
    }
    const InstanceId wait = *o.wait < 0 ? InstanceId::none() : nthWait(trace, static_cast<std::size_t>(*o.wait), cta);
    if (!wait.valid())
        return Error { fmt::format("there is no wait {}", *o.wait), "--wait", "a smaller number; the first is 0" };
    return std::vector<WaitExplained> { explainWait(causes, wait) };
}

int perform(const Options& o)
{
    if (o.at.empty() == !o.wait.has_value())
        return fail(Error { o.wait ? "only one of --at and --wait" : "nothing is asked", "why", "--at P or --wait N" });
    const Result<Session> session = emulate(o.problem);
    if (!session)
        return fail(session.error());
    const Trace& trace = *session->run.trace;
    const Result<CtaId> cta = ctaWithEvents(trace, o.cta, "--cta");
    if (!cta)
        return fail(cta.error());
    noteTwoSteps(trace, o.problem.quiet);
    const Result<std::vector<WaitExplained>> waits = waitsAsked(trace, o, *cta);
    if (!waits)
        return fail(waits.error());
    if (o.json)
        return print(asJson(trace, *waits));
    return print(waits->empty() ? "nothing waits then\n" : asText(trace, *waits));
}

} // namespace

Command addWhy(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("why", "why something waits: what released it, and the chain behind that");
    const auto o = std::make_shared<Options>();
    parser->add_option("--at", o->at, "whatever waits at this moment, longest first")->type_name("P");
    parser->add_option("--wait", o->wait, "the N-th wait in the order in which they began, from 0")->type_name("N");
    parser->add_option("--cta", o->cta, "of this CTA only (default: the moment's own, else all)")->type_name("K");
    addProblemOptions(*parser, o->problem);
    parser->add_flag("--json", o->json, "as JSON");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
