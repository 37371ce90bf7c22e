// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/samples.h"

#include "resources/embedded/resources.h"
#include "ui/text.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <QStandardPaths>
#include <QTemporaryDir>

#include <algorithm>

namespace flashstep::ui {

namespace {

QString title(const QString& name)
{
    if (name == QStringLiteral("licence-causal"))
        return QCoreApplication::translate("Sample", "Licence text, causal");
    if (name == QStringLiteral("licence-256"))
        return QCoreApplication::translate("Sample", "Licence text, 256 words");
    return name;
}

// Only what differs is written, so a second start touches nothing.
bool place(const QString& path, std::string_view bytes)
{
    QFile old(path);
    const QByteArray wanted = QByteArray::fromRawData(bytes.data(), static_cast<int>(bytes.size()));
    if (old.open(QIODevice::ReadOnly) && old.size() == wanted.size() && old.readAll() == wanted)
        return true;
    if (!QDir().mkpath(QFileInfo(path).path()))
        return false;
    QSaveFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(wanted) == wanted.size() && file.commit();
}

bool placeAll(const QString& folder)
{
    for (const std::string_view name : resourceNames("samples/"))
        if (!place(folder + QLatin1Char('/') + fromView(name), *resource(name)))
            return false;
    return true;
}

} // namespace

QList<Sample> samples()
{
    QList<Sample> list;
    for (const std::string_view name : resourceNames("samples/")) {
        const QString path = fromView(name);
        if (path.count(QLatin1Char('/')) == 1 && path.endsWith(QStringLiteral(".json")))
            list.append({ path, title(QFileInfo(path).completeBaseName()) });
    }
    std::sort(
        list.begin(), list.end(), [](const Sample& a, const Sample& b) { return a.title.size() < b.title.size(); });
    return list;
}

Result<QString> unpackSample(const QString& name)
{
    if (!resource(name.toStdString()))
        return Error { "there is no such sample", name.toStdString(), "one of the list" };
    const QString data = QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation);
    QString folder = data + QStringLiteral("/flashstep");
    if (data.isEmpty() || !placeAll(folder)) {
        static QTemporaryDir temporary;
        folder = temporary.path();
        if (!temporary.isValid() || !placeAll(folder))
            return Error { "the samples cannot be laid out", folder.toStdString(), "a folder that can be written" };
    }
    return folder + QLatin1Char('/') + name;
}

} // namespace flashstep::ui
