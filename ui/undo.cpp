// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/undo.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QObject>
#include <QStringList>

namespace flashstep::ui {

namespace {

void compare(const QJsonObject& a, const QJsonObject& b, QStringList& keys)
{
    QStringList all = a.keys();
    for (const QString& key : b.keys())
        if (!all.contains(key))
            all.append(key);
    for (const QString& key : all) {
        const QJsonValue left = a.value(key);
        const QJsonValue right = b.value(key);
        if (left == right || key == QStringLiteral("bookmarks") || key == QStringLiteral("breakpoints"))
            continue;
        if (left.isObject() || right.isObject())
            compare(left.toObject(), right.toObject(), keys);
        else
            keys.append(QString(key).replace(QLatin1Char('_'), QLatin1Char('-')));
    }
}

QJsonObject jsonOf(const ScenarioFile& file)
{
    return QJsonDocument::fromJson(QByteArray::fromStdString(scenarioText(file, ""))).object();
}

} // namespace

ScenarioChange::ScenarioChange(ScenarioFile before, ScenarioFile after, Start start)
    : QUndoCommand(QObject::tr("change of %1").arg(difference(before, after)))
    , m_before(std::move(before))
    , m_after(std::move(after))
    , m_start(std::move(start))
{
}

void ScenarioChange::redo()
{
    if (!m_done)
        m_start(m_after);
    m_done = false;
}

QString ScenarioChange::difference(const ScenarioFile& before, const ScenarioFile& after)
{
    QStringList keys;
    compare(jsonOf(before), jsonOf(after), keys);
    if (keys.isEmpty())
        return QObject::tr("the scenario");
    const QString more = keys.size() > 3 ? QStringLiteral(" …") : QString();
    return QStringList(keys.mid(0, 3)).join(QStringLiteral(", ")) + more;
}

PlacesChange::PlacesChange(Places& places, Places::All before, const QString& what)
    : QUndoCommand(what)
    , m_places(places)
    , m_before(std::move(before))
    , m_after(places.all())
{
}

} // namespace flashstep::ui
