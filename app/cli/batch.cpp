// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/export.h"
#include "app/cli/status.h"
#include "app/cli/workers.h"
#include "core/io/batch_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <thread>

#include <unistd.h>

namespace flashstep::cli {

namespace {

struct Options {
    std::string file;
    unsigned jobs = 0; // 0: one for each hardware thread
    bool json = false, quiet = false;
};

enum class Outcome { NotBegun, Made, LeftAlone, Failed };

constexpr const char* nameOf(Outcome outcome)
{
    switch (outcome) {
    case Outcome::Made:
        return "made";
    case Outcome::LeftAlone:
        return "left alone";
    case Outcome::Failed:
        return "failed";
    case Outcome::NotBegun:
        break;
    }
    return "not begun";
}

ExportJob jobOf(const BatchEntry& entry, bool quiet)
{
    return { { entry.scenario, entry.given, quiet }, entry.written };
}

// Entries of one scenario, cut into as many parts as keep all processes busy: the scenario runs once for each part.
std::vector<WorkerTask> tasksOf(
    const std::vector<BatchEntry>& entries, const std::vector<std::size_t>& open, unsigned jobs)
{
    std::map<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>, WorkerTask> groups;
    std::vector<const WorkerTask*> order;
    std::vector<WorkerTask> tasks;
    for (const std::size_t k : open) {
        if (isOfWidgets(entries[k].written)) { // another program runs the scenario
            tasks.push_back({ k });
            continue;
        }
        WorkerTask& group = groups[{ entries[k].scenario, entries[k].given }];
        if (group.empty())
            order.push_back(&group);
        group.push_back(k);
    }
    for (const WorkerTask* group : order) {
        const std::size_t parts
            = std::clamp<std::size_t>((jobs * group->size() + open.size() - 1) / open.size(), 1, group->size());
        for (std::size_t part = 0; part < parts; ++part) {
            const auto at = [&](std::size_t p) {
                return group->begin() + static_cast<std::ptrdiff_t>(p * group->size() / parts);
            };
            tasks.emplace_back(at(part), at(part + 1));
        }
    }
    // As the file has them, as far as that goes: what stands first is there first.
    std::ranges::stable_sort(tasks, {}, [](const WorkerTask& task) { return task.front(); });
    return tasks;
}

// In a process of its own: one run, and every export of it that the task names.
void work(const std::vector<BatchEntry>& entries, bool quiet, const WorkerTask& task,
    const std::function<void(std::size_t, int)>& ended)
{
    std::optional<Result<Session>> session;
    for (const std::size_t k : task) {
        const ExportJob job = jobOf(entries[k], quiet);
        int status = stopRequested() ? interrupted : checkJob(job);
        if (status == success && isOfWidgets(job.written)) {
            status = performOfWidgets(job);
        } else if (status == success) {
            if (!session)
                session.emplace(emulate(job.problem));
            status = *session ? performOn(**session, job) : fail(session->error());
        }
        ended(k, status);
    }
}

// What the export itself said, not the libraries below it; where it failed without a word, what they said.
std::vector<std::string> ownLines(const std::vector<std::string>& lines, bool made)
{
    const std::string own = "flashstep-cli: ";
    std::vector<std::string> found;
    for (const std::string& line : lines)
        if (line.starts_with(own))
            found.push_back(line.substr(own.size()));
    if (made || !found.empty())
        return found;
    return { lines.empty() ? std::string("it failed without a word") : lines.back() };
}

class Batch {
public:
    Batch(std::vector<BatchEntry> entries, const Options& options)
        : m_entries(std::move(entries))
        , m_options(options)
        , m_record(recordPathOf(options.file))
        , m_outcomes(m_entries.size(), Outcome::NotBegun)
        , m_madeFrom(m_entries.size())
        , m_errors(m_entries.size())
    {
    }

    int run()
    {
        std::vector<std::size_t> open;
        for (std::size_t k = 0; k < m_entries.size(); ++k) {
            // Where an input cannot be read, the export itself says so.
            if (const Result<std::string> madeFrom = m_record.madeFrom(m_entries[k]))
                m_madeFrom[k] = *madeFrom;
            if (!m_madeFrom[k].empty() && m_record.isFinished(m_entries[k], m_madeFrom[k]))
                end(k, Outcome::LeftAlone);
            else
                open.push_back(k);
        }
        const unsigned jobs = m_options.jobs > 0 ? m_options.jobs : std::max(1U, std::thread::hardware_concurrency());
        workInProcesses(
            tasksOf(m_entries, open, jobs), jobs,
            [&](const WorkerTask& task, const auto& ended) { work(m_entries, m_options.quiet, task, ended); },
            [&](const WorkerResult& result) { take(result); });
        if (stopRequested())
            m_status = fail(Error {});
        const int printed = print(m_options.json ? json() : summary());
        return printed == success ? m_status : printed;
    }

private:
    void take(const WorkerResult& result)
    {
        const std::size_t k = result.item;
        if (k >= m_entries.size() || (result.status != success && stopRequested()))
            return;
        const bool made = result.status == success;
        for (const std::string& line : ownLines(result.lines, made)) {
            const std::string text = fmt::format("exports[{}] ({}): {}", k, m_entries[k].out, line);
            if (made) {
                note(text, m_options.quiet);
            } else {
                fail(Error { text, "", "" }, result.status);
                m_errors[k] = text;
            }
        }
        m_status = std::max(m_status, result.status);
        end(k, made ? Outcome::Made : Outcome::Failed);
        if (made && !m_madeFrom[k].empty())
            if (const Status status = m_record.finish(m_entries[k], m_madeFrom[k]); !status)
                note(status.error().line(), m_options.quiet);
    }

    void end(std::size_t k, Outcome outcome)
    {
        m_outcomes[k] = outcome;
        ++m_ended;
        if (!m_options.quiet && isatty(STDERR_FILENO) != 0)
            note(fmt::format("{} of {}: {}, {}", m_ended, m_entries.size(), m_entries[k].out, nameOf(outcome)), false);
    }

    [[nodiscard]] std::size_t count(Outcome outcome) const
    {
        return static_cast<std::size_t>(std::ranges::count(m_outcomes, outcome));
    }

    [[nodiscard]] std::string summary() const
    {
        if (m_options.quiet)
            return {};
        std::string text = fmt::format(
            "{} exports: {} made, {} left alone", m_entries.size(), count(Outcome::Made), count(Outcome::LeftAlone));
        for (const Outcome outcome : { Outcome::Failed, Outcome::NotBegun })
            if (count(outcome) > 0)
                text += fmt::format(", {} {}", count(outcome), nameOf(outcome));
        return text + "\n";
    }

    [[nodiscard]] std::string json() const
    {
        Json out;
        for (const Outcome outcome : { Outcome::Made, Outcome::LeftAlone, Outcome::Failed, Outcome::NotBegun }) {
            std::string key = nameOf(outcome);
            std::ranges::replace(key, ' ', '_');
            out[key] = count(outcome);
        }
        out["exports"] = Json::array();
        for (std::size_t k = 0; k < m_entries.size(); ++k)
            out["exports"].push_back({ { "out", m_entries[k].out }, { "outcome", nameOf(m_outcomes[k]) },
                { "error", m_errors[k].empty() ? Json() : Json(m_errors[k]) } });
        return jsonText(out);
    }

    std::vector<BatchEntry> m_entries;
    const Options& m_options;
    BatchRecord m_record;
    std::vector<Outcome> m_outcomes;
    std::vector<std::string> m_madeFrom, m_errors;
    std::size_t m_ended = 0;
    int m_status = success;
};

int perform(const Options& options)
{
    Result<std::vector<BatchEntry>> entries = readBatch(options.file);
    return entries ? Batch(std::move(*entries), options).run() : fail(entries.error());
}

} // namespace

Command addBatch(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("batch", "many exports, over all cores; what is finished is left alone");
    const auto o = std::make_shared<Options>();
    parser->add_option("file", o->file, R"({"flashstep": 1, "exports": [{"scenario": …, "format": …, "out": …}]})")
        ->required()
        ->type_name("F.json");
    parser->add_option("--jobs", o->jobs, "exports at a time (default: one for each hardware thread)")
        ->type_name("N")
        ->check(CLI::Range(1U, 1024U));
    parser->add_flag("--json", o->json, "what became of each, as JSON");
    parser->add_flag("--quiet", o->quiet, "errors only");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
