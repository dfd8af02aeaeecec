// SPDX-License-Identifier: Apache-2.0
#include "shim/plan/acpi_override.hpp"

#include <algorithm>
#include <string_view>

namespace tdshim::plan {
namespace {

// The name follows the header without a gap [Linux lib/earlycpio.c, find_cpio_data()].
constexpr std::string_view magic = "07070"; // then 1, or 2 with a checksum
constexpr std::size_t header_size = 110;
constexpr std::string_view folder = "kernel/firmware/acpi/";

bool begins_with(Bytes bytes, std::string_view text) {
    return bytes.size() >= text.size() &&
           std::ranges::equal(bytes.first(text.size()), bytes_of(text));
}

bool is_name_at(Bytes bytes, std::string_view name) {
    return bytes.size() >= name.size() &&
           std::ranges::equal(bytes.first(name.size()), bytes_of(name), [](auto a, auto b) {
               constexpr std::byte dash{'-'};
               constexpr std::byte low{'_'};
               return (a == dash ? low : a) == b;
           });
}

constexpr std::string_view initrd_parameter = "initrd=";

/// As "START,SIZE" does, and the name of a file, which boot loaders put there, does not.
bool begins_as_numbers(Bytes value) {
    if (!value.empty() && value.front() == std::byte{'"'})
        value = value.subspan(1);
    if (value.empty())
        return false;
    const auto first = std::to_integer<char>(value.front());
    return first == ',' || (first >= '0' && first <= '9');
}

} // namespace

Result<void> check_initrd_brings_no_tables(Bytes initrd) {
    for (std::size_t at = 0; at + header_size < initrd.size(); ++at)
        if (initrd[at] == std::byte{'0'} && begins_with(initrd.subspan(at), magic) &&
            begins_with(initrd.subspan(at + header_size), folder))
            return refuse(Fault::initrd_acpi_tables, at);
    return {};
}

Result<void> check_line_names_no_tables(Bytes line) {
    for (std::size_t at = 0; at < line.size(); ++at)
        if (is_name_at(line.subspan(at), "acpi_rsdp"))
            return refuse(Fault::command_line_acpi, at);
    return {};
}

Result<void> check_line_names_no_memory(Bytes line) {
    for (std::size_t at = 0; at < line.size(); ++at) {
        const Bytes rest = line.subspan(at);
        if (is_name_at(rest, "initrdmem=") ||
            (is_name_at(rest, initrd_parameter) &&
             begins_as_numbers(rest.subspan(initrd_parameter.size()))))
            return refuse(Fault::command_line_memory, at);
    }
    return {};
}

} // namespace tdshim::plan
