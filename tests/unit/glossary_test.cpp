// SPDX-License-Identifier: Apache-2.0
#include "core/io/glossary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace flashstep::test {
namespace {

Glossary english()
{
    auto read = Glossary::load("en");
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().line());
    return read.ok() ? std::move(read).value() : Glossary();
}

TEST(Glossary, HasACardForEveryWordOfTheField)
{
    const Glossary glossary = english();
    for (const char* word : { "SM", "CTA", "cluster", "grid", "wave", "tail", "warp", "warpgroup", "lane", "thread",
             "issue", "execute", "complete", "phase", "parity", "turn", "HBM", "L2", "SMEM", "DSMEM", "TMEM",
             "registers", "setmaxnreg", "TMA", "cp.async", "copy group", "mbarrier", "expect-tx", "named barrier",
             "__syncthreads", "fence", "proxy", "tensor core", "mma.sync", "WGMMA", "tcgen05", "2-CTA MMA",
             "commit group", "wait group", "MUFU", "SFU", "ALU", "FMA", "exp2 emulation", "Cody-Waite", "ulp", "Q", "K",
             "V", "S", "P", "O", "m", "row maximum", "reference in use", "ℓ", "row sum", "LSE", "rescale", "threshold",
             "τ", "vote", "normalise", "softmax", "online softmax", "frame", "ping-pong", "warp specialisation",
             "producer", "consumer", "ring", "stage", "slot", "swizzle", "bank conflict", "multicast", "LPT",
             "persistent", "split-KV", "paged KV", "GQA packing", "causal mask", "tile", "key block", "query tile",
             "roofline", "occupancy", "critical path", "hazard", "deadlock", "modelled time", "costed dtype", "exp2" })
        EXPECT_NE(glossary.find(word), nullptr) << word;
    EXPECT_EQ(glossary.find("flux capacitor"), nullptr);
}

TEST(Glossary, CardsAreOneToThreeSentencesWithASource)
{
    std::set<std::string> texts;
    const Glossary glossary = english();
    for (const GlossaryCard& card : glossary.cards()) {
        EXPECT_GT(card.text.size(), 40U) << card.key;
        EXPECT_LT(card.text.size(), 330U) << card.key;
        const std::string& text = card.text;
        EXPECT_EQ(text.back(), '.') << card.key;
        long sentences = 1;
        for (std::size_t at = text.find(". "); at != std::string::npos; at = text.find(". ", at + 1))
            ++sentences;
        EXPECT_LE(sentences, 3) << card.key;
        EXPECT_TRUE(texts.insert(text).second) << card.key;
        EXPECT_FALSE(card.see.empty()) << card.key;
    }
}

TEST(Glossary, DamageIsNamed)
{
    const auto card = [](const std::string& key, const std::string& more, const std::string& text = "It is so.") {
        return R"({"key": ")" + key + R"(", "title": "t", "text": ")" + text + R"(", "where": "w", "source": "s")"
            + more + "}";
    };
    const auto read = [](const std::string& cards) { return Glossary::read(R"({"glossary": [)" + cards + "]}"); };
    EXPECT_TRUE(read(card("a", R"(, "see": ["b"])") + "," + card("b", "")).ok());
    EXPECT_FALSE(read(card("a", "") + "," + card("a", "")).ok()); // the key twice
    EXPECT_FALSE(read(card("a", "") + "," + card("b", R"(, "also": ["A"])")).ok()); // a word of two cards
    EXPECT_FALSE(read(card("a", "", "")).ok()); // no text
    EXPECT_FALSE(read(card("a", R"(, "see": ["b"])")).ok()); // refers to nothing
    EXPECT_FALSE(read(card("a", R"(, "see": ["a"])")).ok()); // or to itself
    EXPECT_FALSE(read(card("a", R"(, "link": ["c"])")).ok());
    EXPECT_FALSE(Glossary::read("[]").ok());
    EXPECT_FALSE(Glossary::read("{").ok());
    EXPECT_FALSE(Glossary::load("zh").ok());
    const auto twice = read(card("a", "") + "," + card("a", ""));
    EXPECT_NE(twice.error().line().find("'a'"), std::string::npos);
}

TEST(Glossary, SearchPutsNamesFirst)
{
    const Glossary glossary = english();
    EXPECT_EQ(glossary.search("smem").front()->key, "SMEM");
    EXPECT_EQ(glossary.search("shared").front()->key, "SMEM");
    EXPECT_EQ(glossary.search("S").front()->key, "S");
    EXPECT_EQ(glossary.search("").size(), glossary.cards().size());
    EXPECT_EQ(glossary.search("wait group").front()->key, "commit group");
    EXPECT_TRUE(glossary.search("no such word anywhere").empty());
}

std::vector<std::string> keysIn(const Glossary& glossary, std::string_view text)
{
    std::vector<std::string> keys;
    for (const Glossary::Span& span : glossary.wordsIn(text))
        keys.push_back(std::string(text.substr(span.begin, span.length)) + ":" + span.card->key);
    return keys;
}

TEST(Glossary, WordsAreFoundWholeAndOnce)
{
    using Keys = std::vector<std::string>;
    const Glossary glossary = english();
    EXPECT_EQ(keysIn(glossary, "O and l keep O in SMEM."), (Keys { "O:O", "l:row sum", "SMEM:SMEM" }));
    EXPECT_EQ(keysIn(glossary, "S = Q Kᵀ; K5, V[1]"), (Keys { "S:S", "Q:Q", "V:V" }));
    EXPECT_EQ(keysIn(glossary, "Row maximum: the row maximum grew"), (Keys { "Row maximum:m" }));
    EXPECT_EQ(keysIn(glossary, "ℓ is the row sum"), (Keys { "ℓ:row sum" }));
    EXPECT_EQ(keysIn(glossary, "exp2 emulation by a polynomial"), (Keys { "exp2 emulation:exp2 emulation" }));
    EXPECT_EQ(keysIn(glossary, "rescaled, not prescaled"), (Keys { "rescaled:rescale" }));
    EXPECT_TRUE(keysIn(glossary, "nothing of the kind").empty());
}

} // namespace
} // namespace flashstep::test
