// SPDX-License-Identifier: Apache-2.0
#include "shim/plan/command_line.hpp"

#include <algorithm>

namespace tdshim::plan {

Bytes text_of_item(Bytes item) {
    return !item.empty() && item.back() == std::byte{0} ? item.first(item.size() - 1) : item;
}

std::size_t place_of_supplied(const Own& own) {
    return own.bytes.empty() ? 0 : own.bytes.size() + 1;
}

Result<Bytes> join(const Own& own, Bytes supplied, MutableBytes memory) {
    TRY(check_beside(own, !supplied.empty()));
    if (own.bytes.empty())
        return memory.first(supplied.size());
    std::ranges::copy(own.bytes, memory.begin());
    if (supplied.empty())
        return memory.first(own.bytes.size());
    memory[own.bytes.size()] = std::byte{' '};
    return memory.first(place_of_supplied(own) + supplied.size());
}

Result<void> check_line(Bytes line, std::uint64_t limit) {
    if (line.size() > limit)
        return refuse(Fault::command_line_too_long, 0, limit, line.size());
    if (const auto nul = std::ranges::find(line, std::byte{0}); nul != line.end())
        return refuse(Fault::command_line_nul, static_cast<std::uint64_t>(nul - line.begin()));
    return {};
}

} // namespace tdshim::plan
