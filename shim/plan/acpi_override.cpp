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
        for (const std::string_view name : {"acpi_rsdp", "initrdmem"})
            if (is_name_at(line.subspan(at), name))
                return refuse(Fault::command_line_acpi, at);
    return {};
}

} // namespace tdshim::plan
