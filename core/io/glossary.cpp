// SPDX-License-Identifier: Apache-2.0
#include "core/io/glossary.h"

#include "core/io/json.h"
#include "resources/embedded/resources.h"

#include <algorithm>
#include <map>
#include <set>

namespace flashstep {

namespace {

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

// Letters, digits, and whatever is not ASCII: Kᵀ is no K.
bool partOfWord(char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_'
        || (static_cast<unsigned char>(c) & 0x80U) != 0;
}

std::vector<std::string> words(const Json& card, const char* name)
{
    std::vector<std::string> list;
    if (const auto found = card.find(name); found != card.end() && found->is_array())
        for (const Json& word : *found)
            if (word.is_string())
                list.push_back(word.get<std::string>());
    return list;
}

std::string member(const Json& card, const char* name)
{
    const auto found = card.find(name);
    return found != card.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Names in capitals are written so; of others the case says where a sentence begins.
bool isName(std::string_view word)
{
    return word.size() <= 2 || std::any_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::size_t findWord(std::string_view text, std::string_view lowerText, const std::string& word, std::size_t from)
{
    const bool name = isName(word);
    const std::string wanted = name ? word : lowered(word);
    for (std::size_t at = (name ? text : lowerText).find(wanted, from); at != std::string_view::npos;
         at = (name ? text : lowerText).find(wanted, at + 1)) {
        const std::size_t end = at + wanted.size();
        if ((at == 0 || !partOfWord(text[at - 1])) && (end == text.size() || !partOfWord(text[end])))
            return at;
    }
    return std::string_view::npos;
}

} // namespace

Result<Glossary> Glossary::read(std::string_view text)
{
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("glossary") || !json["glossary"].is_array())
        return Error { "there is no glossary", "glossary", "a list of cards" };
    Glossary made;
    std::map<std::string, std::string> owner; // of each word, whatever its case
    for (const Json& card : json["glossary"]) {
        GlossaryCard one { member(card, "key"), member(card, "title"), words(card, "also"), words(card, "link"),
            words(card, "see"), member(card, "text"), member(card, "where"), member(card, "source") };
        for (const auto& [name, value] : { std::pair("key", &one.key), std::pair("title", &one.title),
                 std::pair("text", &one.text), std::pair("where", &one.where), std::pair("source", &one.source) })
            if (value->empty())
                return Error { std::string("a card has no ") + name, one.key.empty() ? "glossary" : one.key, "" };
        std::vector<std::string> names = one.also;
        names.push_back(one.key);
        for (const std::string& name : names)
            if (const auto [there, added] = owner.emplace(lowered(name), one.key); !added)
                return Error { "'" + name + "' names two cards", one.key, "it is the word of " + there->second };
        made.m_cards.push_back(std::move(one));
    }
    for (const GlossaryCard& card : made.m_cards) {
        for (const std::string& other : card.see)
            if (std::none_of(made.m_cards.begin(), made.m_cards.end(),
                    [&](const GlossaryCard& each) { return each.key == other && other != card.key; }))
                return Error { "it refers to '" + other + "', which has no card", card.key, "" };
        for (const std::string& word : card.link)
            if (word != card.key && std::find(card.also.begin(), card.also.end(), word) == card.also.end())
                return Error { "it is marked by '" + word + "', which is no word for it", card.key, "" };
    }
    return made;
}

Result<Glossary> Glossary::load(std::string_view lang)
{
    const std::string path = "text/" + std::string(lang) + ".json";
    const std::optional<std::string_view> bytes = resource(path);
    if (!bytes)
        return Error { "there are no texts for '" + std::string(lang) + "'", "language", "en" };
    return read(*bytes);
}

const GlossaryCard* Glossary::find(std::string_view word) const
{
    for (const GlossaryCard& card : m_cards)
        if (card.key == word || std::find(card.also.begin(), card.also.end(), word) != card.also.end())
            return &card;
    const std::string wanted = lowered(word);
    for (const GlossaryCard& card : m_cards)
        if (lowered(card.key) == wanted
            || std::any_of(
                card.also.begin(), card.also.end(), [&](const std::string& each) { return lowered(each) == wanted; }))
            return &card;
    return nullptr;
}

std::vector<const GlossaryCard*> Glossary::search(std::string_view query) const
{
    std::vector<std::string> wanted;
    const std::string all = lowered(query);
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t begin = all.find_first_not_of(' ', at);
        if (begin == std::string::npos)
            break;
        at = std::min(all.find(' ', begin), all.size());
        wanted.push_back(all.substr(begin, at - begin));
    }
    std::vector<std::pair<int, const GlossaryCard*>> found;
    for (const GlossaryCard& card : m_cards) {
        std::string names = lowered(card.key);
        for (const std::string& word : card.also)
            names += '\n' + lowered(word);
        const std::string rest = names + '\n' + lowered(card.title) + '\n' + lowered(card.text);
        if (!std::all_of(wanted.begin(), wanted.end(), [&](const std::string& word) { return has(rest, word); }))
            continue;
        const std::string first = wanted.empty() ? std::string() : wanted.front();
        const int rank = names == first || names.starts_with(first + '\n') ? 0
            : names.starts_with(first) || has(names, '\n' + first)         ? 1
            : has(names, first)                                            ? 2
                                                                           : 3;
        found.emplace_back(wanted.empty() ? 0 : rank, &card);
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<const GlossaryCard*> cards;
    for (const auto& [rank, card] : found)
        cards.push_back(card);
    return cards;
}

std::vector<Glossary::Span> Glossary::wordsIn(std::string_view text) const
{
    const std::string low = lowered(text);
    std::vector<Span> all; // every card's every word, at its first place
    for (const GlossaryCard& card : m_cards)
        for (const std::string& word : card.link)
            if (const std::size_t at = findWord(text, low, word, 0); at != std::string_view::npos)
                all.push_back({ at, word.size(), &card });
    // Of words that lie over each other the longest counts.
    std::stable_sort(all.begin(), all.end(),
        [](const Span& a, const Span& b) { return a.begin != b.begin ? a.begin < b.begin : a.length > b.length; });
    std::vector<Span> out;
    std::set<const GlossaryCard*> seen;
    std::size_t end = 0;
    for (const Span& span : all)
        if (span.begin >= end && seen.insert(span.card).second) {
            end = span.begin + span.length;
            out.push_back(span);
        }
    return out;
}

} // namespace flashstep
