// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/scenario.h"
#include "ui/paint/text.h"

#include <QObject>
#include <QString>

#include <memory>
#include <optional>

namespace flashstep {
struct Run;
struct Program;
class Trace;
} // namespace flashstep

namespace flashstep::ui {

// What is open: a finished run, the words of its tokens, and the file it came from. Only whole runs are ever put in, so
// a failed or cancelled one leaves the old document as it was.
class Document : public QObject {
    Q_OBJECT
public:
    explicit Document(QObject* parent = nullptr);
    ~Document() override;

    [[nodiscard]] bool empty() const { return !m_run; }
    [[nodiscard]] const std::shared_ptr<const Run>& run() const { return m_run; }
    [[nodiscard]] const Trace& trace() const;
    [[nodiscard]] const Program& program() const;
    [[nodiscard]] const Labels& labels() const { return m_labels; }
    [[nodiscard]] const ScenarioFile& file() const { return m_file; } // as it was stated, sizes filled in
    // What the next change starts from: the scenario of the run under way, where there is one, else file().
    [[nodiscard]] const ScenarioFile& wanted() const { return m_wanted ? *m_wanted : m_file; }
    void setWanted(std::optional<ScenarioFile> file);
    [[nodiscard]] const paint::Tokens& tokens() const { return m_tokens; }

    [[nodiscard]] const QString& path() const { return m_path; } // empty: never saved
    [[nodiscard]] QString title() const;

    void set(std::shared_ptr<const Run> run, Labels labels, ScenarioFile file, const QString& path);
    void setPath(const QString& path);
    // As they stand in the scenario file; nothing else of the document changes.
    void setPlaces(std::string bookmarks, std::string breakpoints);

signals:
    void replaced(); // another run: position and selection, which are of the old one, begin anew before any view looks
    void changed(); // and now the views
    void renamed();
    void wantedChanged();

private:
    std::shared_ptr<const Run> m_run;
    Labels m_labels;
    ScenarioFile m_file;
    std::optional<ScenarioFile> m_wanted;
    paint::Tokens m_tokens; // the same words, along queries and keys
    QString m_path;
};

} // namespace flashstep::ui
