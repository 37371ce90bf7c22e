// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// One entry of the glossary: one wording, wherever the word is explained.
struct GlossaryCard {
    std::string key; // "SMEM": what it is called by
    std::string title; // "shared memory"
    std::vector<std::string> also; // other words for it
    std::vector<std::string> link; // words that are marked in running text; others are ordinary English too
    std::vector<std::string> see; // keys of other cards
    std::string text; // one to three sentences
    std::string where; // where it shows in FlashStep
    std::string source;
};

// The cards of one language, from resources/text/LANG.json, in their order.
class Glossary {
public:
    [[nodiscard]] static Result<Glossary> load(std::string_view lang);
    // The same from the text of such a file; an error names what is missing, double or refers to nothing.
    [[nodiscard]] static Result<Glossary> read(std::string_view json);

    [[nodiscard]] const std::vector<GlossaryCard>& cards() const { return m_cards; }
    // By key or another word for it, exactly, else whatever the case; nullptr for an unknown word.
    [[nodiscard]] const GlossaryCard* find(std::string_view word) const;
    // Cards with every word of the query somewhere; first those whose name begins with it, then whose name has it.
    [[nodiscard]] std::vector<const GlossaryCard*> search(std::string_view query) const;

    // Words of a text that have a card, each card's first one only, from left to right, none inside another.
    struct Span {
        std::size_t begin = 0, length = 0; // bytes
        const GlossaryCard* card = nullptr;
    };
    [[nodiscard]] std::vector<Span> wordsIn(std::string_view text) const;

private:
    std::vector<GlossaryCard> m_cards;
};

} // namespace flashstep
