// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document.h"

#include "core/emulation/run.h"

#include <QFileInfo>

namespace flashstep::ui {

Document::Document(QObject* parent)
    : QObject(parent)
{
}

Document::~Document() = default;

const Trace& Document::trace() const
{
    Q_ASSERT(m_run);
    return *m_run->trace;
}

const Program& Document::program() const
{
    Q_ASSERT(m_run);
    return *m_run->program;
}

QString Document::title() const
{
    return m_path.isEmpty() ? tr("Untitled scenario") : QFileInfo(m_path).fileName();
}

void Document::set(std::shared_ptr<const Run> run, Labels labels, ScenarioFile file, const QString& path)
{
    m_run = std::move(run);
    m_labels = std::move(labels);
    m_file = std::move(file);
    m_path = path;
    m_tokens = {};
    for (const std::string& label : m_labels.tokens)
        m_tokens.queries.append(QString::fromStdString(label));
    if (m_tokens.queries.size() == m_run->program->problem.seqlenK)
        m_tokens.keys = m_tokens.queries;
    emit replaced();
    emit changed();
}

void Document::setWanted(std::optional<ScenarioFile> file)
{
    m_wanted = std::move(file);
    emit wantedChanged();
}

void Document::setPath(const QString& path)
{
    m_path = path;
    emit renamed();
}

void Document::setPlaces(std::string bookmarks, std::string breakpoints)
{
    m_file.bookmarks = std::move(bookmarks);
    m_file.breakpoints = std::move(breakpoints);
}

} // namespace flashstep::ui
