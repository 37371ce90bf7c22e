// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAccessible>
#include <QJsonObject>
#include <QString>

#include <vector>

class QWidget;

namespace flashstep::ui {

// What a screen reader is told about one thing inside a view that Qt cannot look into.
struct AccessibleNode {
    QAccessible::Role role = QAccessible::StaticText;
    QString name, value;
    std::vector<AccessibleNode> children;
};

// A view that speaks for what it draws. The nodes are made from the document whenever they are asked for.
class AccessibleView {
public:
    virtual ~AccessibleView() = default;
    [[nodiscard]] virtual std::vector<AccessibleNode> accessibleNodes() const = 0;
};

// Once per program: every AccessibleView gets an interface of its own.
void installAccessibility();

// Tells assistive tools that what a view shows has changed.
void announceChange(QWidget* view);

// A widget's live accessible tree, as `--read` prints it.
[[nodiscard]] QJsonObject accessibleTree(QAccessibleInterface* root);
[[nodiscard]] QString accessibleText(const QJsonObject& tree, int depth = 0);

} // namespace flashstep::ui
