// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/pages.hpp"

#include <algorithm>

namespace tdshim::tdx_model {

const char* name_of(PageState state) {
    switch (state) {
    case PageState::absent: return "absent";
    case PageState::pending: return "pending";
    case PageState::accepted: return "accepted";
    case PageState::shared: return "shared";
    }
    return "?";
}

PageState Pages::initial(std::uint64_t address) const {
    const bool is_ram = std::ranges::any_of(ram_, [&](const GpaRange& range) {
        return range.start().value <= address && address < range.end().value;
    });
    return is_ram ? PageState::pending : PageState::absent;
}

PageState Pages::state(Gpa page) const {
    const auto found = chunks_.find(page.value / large_page_size);
    if (found == chunks_.end())
        return initial(page.value);
    return found->second[page.value / page_size % pages_of_chunk];
}

Pages::Chunk& Pages::chunk(std::uint64_t address) {
    const auto [found, is_new] = chunks_.try_emplace(address / large_page_size);
    if (is_new)
        for (std::size_t i = 0; i < pages_of_chunk; ++i)
            found->second[i] = initial(align_down(address, large_page_size) + i * page_size);
    return found->second;
}

void Pages::set(const GpaRange& range, PageState state) {
    for (std::uint64_t at = range.start().value; at < range.end().value; at += page_size)
        chunk(at)[at / page_size % pages_of_chunk] = state;
}

bool Pages::all(const GpaRange& range, PageState wanted) const {
    for (std::uint64_t at = range.start().value; at < range.end().value; at += page_size)
        if (state({at}) != wanted)
            return false;
    return true;
}

} // namespace tdshim::tdx_model
