// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/places.h"

#include "core/emulation/run.h"
#include "core/trace/condition.h"
#include "ui/document.h"
#include "ui/text.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace flashstep::ui {

namespace {

QString text(const QJsonObject& object, const char* key)
{
    return object.value(QString::fromLatin1(key)).toString();
}

QJsonArray arrayOf(const std::string& json)
{
    return QJsonDocument::fromJson(QByteArray::fromStdString(json)).array();
}

std::string jsonOf(const QJsonArray& array)
{
    return array.isEmpty() ? std::string() : QJsonDocument(array).toJson(QJsonDocument::Compact).toStdString();
}

} // namespace

Places::Places(Document& document, QObject* parent)
    : QObject(parent)
    , m_document(document)
{
    connect(&document, &Document::changed, this, &Places::read);
}

void Places::read()
{
    All all;
    for (const QJsonValue& value : arrayOf(m_document.file().bookmarks)) {
        const QJsonObject object = value.toObject();
        if (!text(object, "at").isEmpty())
            all.bookmarks.push_back(
                { text(object, "at"), text(object, "name"), object.value(QStringLiteral("number")).toInt(-1) });
    }
    for (const QJsonValue& value : arrayOf(m_document.file().breakpoints)) {
        const QJsonObject object = value.toObject();
        const QString condition = value.isString() ? value.toString() : text(object, "condition");
        if (!condition.isEmpty())
            all.breakpoints.push_back({ condition, object.value(QStringLiteral("enabled")).toBool(true) });
    }
    m_all = std::move(all);
    emit changed();
}

void Places::set(const All& all)
{
    if (all == m_all)
        return;
    m_all = all;
    QJsonArray bookmarks;
    for (const Bookmark& bookmark : all.bookmarks) {
        QJsonObject object { { QStringLiteral("at"), bookmark.at }, { QStringLiteral("name"), bookmark.name } };
        if (bookmark.number >= 0)
            object.insert(QStringLiteral("number"), bookmark.number);
        bookmarks.append(object);
    }
    QJsonArray breakpoints;
    for (const Breakpoint& breakpoint : all.breakpoints)
        breakpoints.append(QJsonObject {
            { QStringLiteral("condition"), breakpoint.condition }, { QStringLiteral("enabled"), breakpoint.enabled } });
    m_document.setPlaces(jsonOf(bookmarks), jsonOf(breakpoints));
    emit changed();
}

void Places::change(const All& all, const QString& what)
{
    if (all == m_all || m_document.empty())
        return;
    const All before = m_all;
    set(all);
    emit edited(before, what);
}

QString Places::meaningOf(Position p) const
{
    const QString number = QString::number(p.value);
    if (m_document.empty() || p.value == 0)
        return number;
    const Trace& trace = m_document.trace();
    const Event event = trace.eventAt(p.value - 1);
    if (!event.ends)
        return number;
    const Program& program = trace.program();
    const Op& op = trace.op(event.instance);
    const Work& work = program.work(trace.workOf(event.instance));
    const std::string kind(name(op.kind));
    std::string keys = "cta=" + std::to_string(trace.ctaOf(event.instance).index())
        + ", role=" + program.roles[op.role.index()].name + ", i=" + std::to_string(program.queryTile(work, op));
    if (const int j = program.keyBlock(work, op); j >= 0)
        keys += ", j=" + std::to_string(j);
    const Result<Condition> same = Condition::parse(trace, kind + "(" + keys + ")");
    if (!same)
        return number;
    const int nth = same->countUntil(trace, p, CtaId::none());
    return QString::fromStdString("nth(" + std::to_string(nth) + ", " + kind + ", " + keys + ")");
}

Result<Moment> Places::find(const Bookmark& bookmark) const
{
    if (m_document.empty())
        return Error { "no scenario is open", bookmark.at.toStdString(), "" };
    return findMoment(m_document.trace(), bookmark.at.toStdString());
}

std::optional<Bookmark> Places::numbered(int number) const
{
    for (const Bookmark& bookmark : m_all.bookmarks)
        if (bookmark.number == number)
            return bookmark;
    return std::nullopt;
}

std::optional<Moment> Places::next(Position p) const
{
    std::optional<Moment> nearest;
    for (const Bookmark& bookmark : m_all.bookmarks)
        if (const auto at = find(bookmark); at && at->position > p && (!nearest || at->position < nearest->position))
            nearest = *at;
    return nearest;
}

std::optional<Moment> Places::previous(Position p) const
{
    std::optional<Moment> nearest;
    for (const Bookmark& bookmark : m_all.bookmarks)
        if (const auto at = find(bookmark); at && at->position < p && (!nearest || at->position > nearest->position))
            nearest = *at;
    return nearest;
}

void Places::addBookmark(Position p, const QString& name, int number)
{
    All all = m_all;
    for (Bookmark& bookmark : all.bookmarks)
        if (number >= 0 && bookmark.number == number)
            bookmark.number = -1;
    const QString at = meaningOf(p);
    const auto known = std::find_if(
        all.bookmarks.begin(), all.bookmarks.end(), [&](const Bookmark& bookmark) { return bookmark.at == at; });
    if (known == all.bookmarks.end())
        all.bookmarks.push_back({ at, name, number });
    else if (number >= 0)
        known->number = number;
    change(all, tr("bookmark"));
}

Status Places::addBreakpoint(const QString& condition)
{
    if (m_document.empty())
        return Error { "no scenario is open", condition.toStdString(), "open one first" };
    if (const Result<Condition> parsed = Condition::parse(m_document.trace(), condition.toStdString()); !parsed)
        return parsed.error();
    All all = m_all;
    const Breakpoint added { condition.trimmed(), true };
    std::erase_if(all.breakpoints, [&](const Breakpoint& b) { return b.condition == added.condition; });
    all.breakpoints.push_back(added);
    change(all, tr("breakpoint"));
    return Nothing {};
}

void Places::toggleBreakpoint(const QString& condition)
{
    All all = m_all;
    if (std::erase_if(all.breakpoints, [&](const Breakpoint& b) { return b.condition == condition; }) == 0)
        all.breakpoints.push_back({ condition, true });
    change(all, tr("breakpoint"));
}

std::optional<Moment> Places::stopIn(Position from, Position to, CtaId scope) const
{
    std::optional<Moment> first;
    Position until { to.value + 1 };
    for (const Breakpoint& breakpoint : m_all.breakpoints) {
        if (!breakpoint.enabled || m_document.empty())
            continue;
        const Result<Condition> condition = Condition::parse(m_document.trace(), breakpoint.condition.toStdString());
        if (!condition) // of another version's ops
            continue;
        if (const auto at = condition->next(m_document.trace(), from, scope, until)) {
            first = at;
            until = at->position;
        }
    }
    return first;
}

std::optional<Moment> Places::nextStop(Position from, CtaId scope) const
{
    return m_document.empty() ? std::nullopt : stopIn(from, m_document.trace().end(), scope);
}

std::optional<Moment> Places::previousStop(Position from, CtaId scope) const
{
    std::optional<Moment> last;
    Position until { 0 };
    for (const Breakpoint& breakpoint : m_all.breakpoints) {
        if (!breakpoint.enabled || m_document.empty())
            continue;
        const Result<Condition> condition = Condition::parse(m_document.trace(), breakpoint.condition.toStdString());
        if (!condition)
            continue;
        if (const auto at = condition->previous(m_document.trace(), from, scope, until)) {
            last = at;
            until = at->position;
        }
    }
    return last;
}

} // namespace flashstep::ui
