// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/views/controls.h"

namespace flashstep::ui {

class SourceView;

// The texts of the source view, side by side in its dock's title; what else stands there gives way where it is narrow.
class SourceTabs : public Segments {
    Q_OBJECT
public:
    SourceTabs(SourceView& view, DockTitle* title);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void refresh();
    void fit();

    SourceView& m_view;
    DockTitle* m_title;
};

} // namespace flashstep::ui
