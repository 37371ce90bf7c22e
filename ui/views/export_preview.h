// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/io/export_request.h"
#include "ui/export_choice.h"

#include <QImage>
#include <QTimer>
#include <QWidget>

#include <optional>
#include <thread>

namespace flashstep::ui {

class Appearance;

// What a picture will look like, small, or the first rows of a table. Made on a thread of its own a moment after the
// choices have settled; meanwhile what was there stays.
class ExportPreview : public QWidget {
    Q_OBJECT
public:
    ExportPreview(const ExportContext& context, QString scenarioName, const Appearance& appearance, QWidget* parent);
    ~ExportPreview() override;

    void preview(const ExportRequest& request, const QString& words); // of a table; empty: of a picture
    void showWords(const QString& words); // where there is none
    void setCaption(const QString& caption); // below: how much it will be
    [[nodiscard]] const QString& caption() const { return m_caption; }
    [[nodiscard]] const QImage& image() const { return m_made.image; }
    [[nodiscard]] QSize pictureSize() const { return m_made.size; }
    [[nodiscard]] const QStringList& rows() const { return m_made.rows; }
    [[nodiscard]] QSize sizeHint() const override;

signals:
    void drawn();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void drawNext();
    struct Made {
        QImage image;
        QSize size; // of the picture itself, logical pixels
        QStringList rows;
    };
    void take(const Made& made);
    void tell();
    [[nodiscard]] int captionHeight() const;
    [[nodiscard]] QSizeF room() const;

    const ExportContext m_context;
    const QString m_scenarioName;
    const Appearance& m_appearance;
    std::optional<ExportRequest> m_wanted, m_waiting; // on show or to be; not yet begun
    QString m_words, m_caption;
    Made m_made;
    QTimer m_settle;
    bool m_drawing = false;
    std::jthread m_worker; // last: joined first
};

} // namespace flashstep::ui
