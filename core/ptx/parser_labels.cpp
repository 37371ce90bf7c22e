// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_labels.h"

namespace flashstep::ptx {

void Labels::open()
{
    m_names.open();
    m_marks.push_back(m_waiting.size());
}

void Labels::close(Function& function)
{
    std::size_t kept = m_marks.back();
    for (std::size_t k = kept; k < m_waiting.size(); ++k) {
        const Reference& reference = m_waiting[k];
        const auto label = m_names.find(reference.name);
        if (!label || label->depth != m_names.depth()) {
            m_waiting[kept++] = reference;
            continue;
        }
        Operand& operand = reference.statement == none
            ? function.elements[reference.operand]
            : function.statements[reference.statement].operands[reference.operand];
        operand.index = *label->value;
    }
    m_waiting.resize(kept);
    m_marks.pop_back();
    m_names.close();
}

bool Labels::declare(std::string_view name, std::uint32_t statement)
{
    return m_names.declare(name, statement);
}

bool Labels::settled(Cursor& cursor) const
{
    if (m_waiting.empty())
        return true;
    const Reference& first = m_waiting.front();
    return cursor.fail(
        first.line, "there is no label " + quoted(first.name) + " here", "a label of this block or of one around it");
}

} // namespace flashstep::ptx
