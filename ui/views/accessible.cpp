// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/accessible.h"

#include <QAccessibleWidget>
#include <QJsonArray>
#include <QMetaEnum>
#include <QWidget>

namespace flashstep::ui {

namespace {

// A node and, through it, the nodes below. Registered with Qt, which owns it from then on.
class NodeInterface : public QAccessibleInterface {
public:
    NodeInterface(AccessibleNode node, QAccessibleInterface* parent)
        : m_node(std::move(node))
        , m_parent(parent)
    {
        for (AccessibleNode& child : m_node.children)
            m_children.push_back(QAccessible::registerAccessibleInterface(new NodeInterface(std::move(child), this)));
    }
    ~NodeInterface() override
    {
        for (const QAccessible::Id child : m_children)
            QAccessible::deleteAccessibleInterface(child);
    }
    NodeInterface(const NodeInterface&) = delete;
    NodeInterface& operator=(const NodeInterface&) = delete;

    [[nodiscard]] bool isValid() const override { return m_parent->isValid(); }
    [[nodiscard]] QObject* object() const override { return nullptr; }
    [[nodiscard]] QAccessibleInterface* childAt(int /*x*/, int /*y*/) const override { return nullptr; }
    [[nodiscard]] QAccessibleInterface* parent() const override { return m_parent; }
    [[nodiscard]] QAccessibleInterface* child(int index) const override
    {
        return index >= 0 && index < childCount()
            ? QAccessible::accessibleInterface(m_children[static_cast<std::size_t>(index)])
            : nullptr;
    }
    [[nodiscard]] int childCount() const override { return static_cast<int>(m_children.size()); }
    [[nodiscard]] int indexOfChild(const QAccessibleInterface* other) const override
    {
        for (int k = 0; k < childCount(); ++k)
            if (child(k) == other)
                return k;
        return -1;
    }
    [[nodiscard]] QString text(QAccessible::Text kind) const override
    {
        return kind == QAccessible::Name ? m_node.name : kind == QAccessible::Value ? m_node.value : QString();
    }
    void setText(QAccessible::Text /*kind*/, const QString& /*text*/) override { }
    [[nodiscard]] QRect rect() const override { return m_parent->rect(); }
    [[nodiscard]] QAccessible::Role role() const override { return m_node.role; }
    [[nodiscard]] QAccessible::State state() const override
    {
        QAccessible::State state;
        state.readOnly = true;
        return state;
    }

private:
    AccessibleNode m_node;
    QAccessibleInterface* m_parent;
    std::vector<QAccessible::Id> m_children;
};

class ViewInterface : public QAccessibleWidget {
public:
    ViewInterface(QWidget* widget, const AccessibleView* view)
        : QAccessibleWidget(widget, QAccessible::Pane, widget->accessibleName())
        , m_view(view)
    {
    }
    ~ViewInterface() override { drop(); }
    ViewInterface(const ViewInterface&) = delete;
    ViewInterface& operator=(const ViewInterface&) = delete;

    // Asking for the count starts a new reading: the nodes are made again from what is true now.
    [[nodiscard]] int childCount() const override
    {
        drop();
        std::vector<AccessibleNode> nodes = m_view->accessibleNodes();
        if (nodes.empty()) // silence would leave open whether there is anything
            nodes.push_back({ QAccessible::StaticText, QObject::tr("nothing to show yet"), {}, {} });
        for (AccessibleNode& node : nodes)
            m_children.push_back(QAccessible::registerAccessibleInterface(new NodeInterface(
                std::move(node), const_cast<ViewInterface*>(this)))); // NOLINT: Qt's tree is not const
        return static_cast<int>(m_children.size());
    }
    [[nodiscard]] QAccessibleInterface* child(int index) const override
    {
        const auto at = static_cast<std::size_t>(index);
        return index >= 0 && at < m_children.size() ? QAccessible::accessibleInterface(m_children[at]) : nullptr;
    }
    [[nodiscard]] int indexOfChild(const QAccessibleInterface* other) const override
    {
        for (std::size_t k = 0; k < m_children.size(); ++k)
            if (QAccessible::accessibleInterface(m_children[k]) == other)
                return static_cast<int>(k);
        return -1;
    }

private:
    void drop() const
    {
        for (const QAccessible::Id id : m_children)
            QAccessible::deleteAccessibleInterface(id);
        m_children.clear();
    }

    const AccessibleView* m_view;
    mutable std::vector<QAccessible::Id> m_children;
};

QAccessibleInterface* makeInterface(const QString& /*className*/, QObject* object)
{
    auto* view = dynamic_cast<AccessibleView*>(object);
    auto* widget = qobject_cast<QWidget*>(object);
    return view && widget ? new ViewInterface(widget, view) : nullptr;
}

QString roleName(QAccessible::Role role)
{
    const char* key = QMetaEnum::fromType<QAccessible::Role>().valueToKey(role);
    return key ? QString::fromLatin1(key) : QString::number(role);
}

} // namespace

void installAccessibility()
{
    static bool installed = false;
    if (!installed)
        QAccessible::installFactory(makeInterface);
    installed = true;
}

void announceChange(QWidget* view)
{
    if (!QAccessible::isActive())
        return;
    QAccessibleEvent event(view, QAccessible::VisibleDataChanged);
    QAccessible::updateAccessibility(&event);
}

QJsonObject accessibleTree(QAccessibleInterface* root)
{
    QJsonObject node {
        { QStringLiteral("role"), roleName(root->role()) },
        { QStringLiteral("name"), root->text(QAccessible::Name) },
        { QStringLiteral("value"), root->text(QAccessible::Value) },
    };
    QJsonArray children;
    const int count = root->childCount();
    for (int k = 0; k < count; ++k)
        if (QAccessibleInterface* child = root->child(k); child && !child->state().invisible)
            children.append(accessibleTree(child));
    node.insert(QStringLiteral("children"), children);
    return node;
}

QString accessibleText(const QJsonObject& tree, int depth)
{
    const QString name = tree.value(QStringLiteral("name")).toString();
    const QString value = tree.value(QStringLiteral("value")).toString();
    QString text;
    if (!name.isEmpty() || !value.isEmpty())
        text = QString(2 * depth, QLatin1Char(' ')) + name
            + (name.isEmpty() || value.isEmpty() ? QString() : QStringLiteral(": ")) + value + QLatin1Char('\n');
    const QJsonArray children = tree.value(QStringLiteral("children")).toArray();
    for (const QJsonValue& child : children)
        text += accessibleText(child.toObject(), text.isEmpty() ? depth : depth + 1);
    return text;
}

} // namespace flashstep::ui
