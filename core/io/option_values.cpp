// SPDX-License-Identifier: Apache-2.0
#include "core/io/option_values.h"

#include <fmt/format.h>

#include <charconv>

namespace flashstep {

Result<Moment> momentOf(const Trace& trace, const std::string& option, const std::string& text, Position otherwise)
{
    if (text.empty())
        return Moment { otherwise, CtaId::none() };
    Result<Moment> moment = findMoment(trace, text);
    if (!moment)
        return Error { moment.error().what, moment.error().where.empty() ? option : option + " " + moment.error().where,
            moment.error().hint };
    return moment;
}

Result<CtaId> ctaFrom(const Program& program, const std::string& text)
{
    if (text.empty())
        return CtaId::none();
    std::size_t cta = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cta);
    if (error != std::errc() || end != text.data() + text.size() || cta >= program.ctaCount())
        return Error { fmt::format("there is no CTA '{}'", text), "--cta",
            fmt::format("0 to {}", program.ctaCount() - 1) };
    return CtaId(cta);
}

} // namespace flashstep
