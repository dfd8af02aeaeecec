// SPDX-License-Identifier: Apache-2.0
#include "shim/plan/initrd.hpp"

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

/// By content, and of more than Linux takes: what reads it differently must not get past.
bool is_table_at(Bytes initrd, std::size_t at) {
    return initrd[at] == std::byte{'0'} && begins_with(initrd.subspan(at), magic) &&
           begins_with(initrd.subspan(at + header_size), folder);
}

} // namespace

std::uint64_t place_of_supplied_initrd(std::uint64_t own_size) {
    constexpr std::uint64_t alignment = 4;
    return *align_up(own_size, alignment);
}

Result<void> check_initrd(Bytes initrd, std::size_t supplied_at, const Demands& demands) {
    const bool is_of_signer = demands.is_signed && supplied_at == initrd.size();
    if (!demands.keeps_tables_out || is_of_signer)
        return {};
    // Linux reads both as one: a header may begin in the first and its name end in the second.
    constexpr std::size_t overlap = header_size + folder.size();
    const std::size_t first = demands.is_signed ? supplied_at - std::min(supplied_at, overlap) : 0;
    for (std::size_t at = first; at + header_size < initrd.size(); ++at)
        if (is_table_at(initrd, at))
            return refuse(Fault::initrd_acpi_tables, at);
    return {};
}

} // namespace tdshim::plan
