// SPDX-License-Identifier: Apache-2.0
#include "shim/plan/command_line.hpp"

#include <algorithm>
#include <string_view>

namespace tdshim::plan {
namespace {

/// Linux takes a dash in the name of a parameter for an underscore [kernel/params.c].
bool begins_with(Bytes bytes, std::string_view name) {
    return bytes.size() >= name.size() &&
           std::ranges::equal(bytes.first(name.size()), bytes_of(name), [](auto a, auto b) {
               constexpr std::byte dash{'-'};
               constexpr std::byte low{'_'};
               return (a == dash ? low : a) == b;
           });
}

/// Another RSDP than the firmware's [Documentation/admin-guide/kernel-parameters.txt].
bool names_tables(Bytes rest) {
    return begins_with(rest, "acpi_rsdp");
}

/// As "START,SIZE" does, and the name of a file, which boot loaders put there, does not.
bool begins_as_numbers(Bytes value) {
    if (!value.empty() && value.front() == std::byte{'"'})
        value = value.subspan(1);
    if (value.empty())
        return false;
    const auto first = std::to_integer<char>(value.front());
    return first == ',' || (first >= '0' && first <= '9');
}

/// Linux is to take for its initrd whatever stands in memory there [init/do_mounts_initrd.c], of
/// which no event says so.
bool names_memory(Bytes rest) {
    constexpr std::string_view initrd = "initrd=";
    return begins_with(rest, "initrdmem=") ||
           (begins_with(rest, initrd) && begins_as_numbers(rest.subspan(initrd.size())));
}

} // namespace

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

Result<void> check_line(Bytes line, bool is_supplied, std::uint64_t limit, const Demands& demands) {
    if (line.size() > limit)
        return refuse(Fault::command_line_too_long, 0, limit, line.size());
    if (const auto nul = std::ranges::find(line, std::byte{0}); nul != line.end())
        return refuse(Fault::command_line_nul, static_cast<std::uint64_t>(nul - line.begin()));
    if (demands.is_signed && !is_supplied)
        return {};
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (names_memory(line.subspan(at)))
            return refuse(Fault::command_line_memory, at);
        if (demands.keeps_tables_out && names_tables(line.subspan(at)))
            return refuse(Fault::command_line_acpi, at);
    }
    return {};
}

} // namespace tdshim::plan
