// SPDX-License-Identifier: Apache-2.0
//
// TDG.MEM.PAGE.ACCEPT [TDX module, tdg_mem_page_accept.c]. The VMM behind it gives memory when it
// is asked for, by pages of 2 MiB where it grants them.
#include "tools/tdx-model/td.hpp"

#include <array>
#include <cstring>

#include "tools/tdx-model/status.hpp"

namespace tdshim::tdx_model {
namespace {

constexpr std::uint64_t level_mask = 0x7;
constexpr std::uint64_t small = 0; // levels
constexpr std::uint64_t large = 1;
constexpr std::uint64_t page_info_reserved = 0xFF8 | ~std::uint64_t{0} << 52;

/// The VMM is asked for memory, and has none to give.
Outcome denied(PageState state, std::uint64_t address) {
    return {.finding = Finding{state == PageState::shared
                                   ? "acceptance of memory that is shared"
                                   : "acceptance of memory that the VMM does not have",
                               address},
            .fatal_error = {}};
}

bool is_private_memory(Vmm& vmm, const GpaRange& pages) {
    for (std::uint64_t at = pages.start().value; at < pages.end().value; at += page_size)
        if (!vmm.has_private_memory({at}))
            return false;
    return true;
}

} // namespace

bool GuestMemory::clear(const GpaRange& pages) {
    constexpr std::array<std::byte, page_size> zeros{};
    std::array<std::byte, page_size> content{};
    for (std::uint64_t at = pages.start().value; at < pages.end().value; at += page_size)
        if (!read({at}, content) ||
            (std::memcmp(content.data(), zeros.data(), page_size) != 0 && !write({at}, zeros)))
            return false;
    return true;
}

Outcome Td::accept_page(Registers& registers) {
    const std::uint64_t level = registers[rcx] & level_mask;
    const std::uint64_t address = registers[rcx] & ~level_mask;
    const std::uint64_t size = level == small ? page_size : large_page_size;
    if (level > large || (registers[rcx] & page_info_reserved) != 0 || !is_aligned(address, size) ||
        (address & ~(shared_bit() - 1)) != 0) {
        registers[rax] = operand_invalid | rcx;
        return {};
    }
    return level == small ? accept_small({address}, registers[rax])
                          : accept_large({address}, registers[rax]);
}

Outcome Td::accept_small(Gpa page, std::uint64_t& status) {
    const PageState state = pages_.state(page);
    if (state == PageState::accepted) {
        status = page_already_accepted | (pages_.mapping(page) == Mapping::large ? large : small);
        return {};
    }
    if (state != PageState::pending)
        return denied(state, page.value);
    if (lost_.contains(page.value)) // the module zeroes it and says SUCCESS
        return {.finding = Finding{"a page is accepted twice", page.value}, .fatal_error = {}};
    const GpaRange range = GpaRange::between(page, {page.value + page_size});
    if (!is_private_memory(vmm_, range))
        return denied(PageState::absent, page.value);
    static_cast<void>(memory_.clear(range));
    pages_.set(range, PageState::accepted);
    ++counts_.small_pages;
    status = success;
    return {};
}

// No page of a stretch that is accepted whole is lost: it was in a table of small pages.
Outcome Td::accept_large(Gpa page, std::uint64_t& status) {
    const Mapping mapping = pages_.mapping(page);
    const PageState first = pages_.state(page);
    if (mapping == Mapping::large) {
        status = page_already_accepted | large;
        return {};
    }
    if (mapping == Mapping::none && first != PageState::pending)
        return denied(first, page.value);
    // A stretch that is not all of one kind has small pages, if only from now on.
    const GpaRange stretch = GpaRange::between(page, {page.value + large_page_size});
    if (mapping == Mapping::small || !pages_.common_state(page) ||
        !configuration_.grants_large_pages || !is_private_memory(vmm_, stretch)) {
        status = page_size_mismatch | large;
        return {};
    }
    static_cast<void>(memory_.clear(stretch));
    pages_.accept_large(page);
    ++counts_.large_pages;
    status = success;
    return {};
}

} // namespace tdshim::tdx_model
