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
    const Chunk& chunk = found->second;
    return chunk.states ? (*chunk.states)[page.value / page_size % pages_of_chunk] : chunk.uniform;
}

Pages::Chunk& Pages::chunk(std::uint64_t address) {
    const auto [found, is_new] = chunks_.try_emplace(address / large_page_size);
    Chunk& chunk = found->second;
    if (!is_new)
        return chunk;
    const std::uint64_t start = align_down(address, large_page_size);
    States states{};
    for (std::size_t i = 0; i < pages_of_chunk; ++i)
        states[i] = initial(start + i * page_size);
    chunk.uniform = states.front();
    for (const PageState state : states)
        ++chunk.counts[static_cast<std::size_t>(state)];
    if (chunk.counts[static_cast<std::size_t>(chunk.uniform)] != pages_of_chunk)
        chunk.states = std::make_unique<States>(states);
    return chunk;
}

void Pages::set_all(std::uint64_t chunk_start, PageState state) {
    Chunk& changed = chunk(chunk_start);
    changed.uniform = state;
    changed.is_large = false;
    changed.states.reset();
}

void Pages::set_one(std::uint64_t page, PageState state) {
    Chunk& changed = chunk(page);
    if (!changed.states) {
        changed.states = std::make_unique<States>();
        changed.states->fill(changed.uniform);
        changed.counts = {};
        changed.counts[static_cast<std::size_t>(changed.uniform)] = pages_of_chunk;
    }
    PageState& slot = (*changed.states)[page / page_size % pages_of_chunk];
    --changed.counts[static_cast<std::size_t>(slot)];
    slot = state;
    changed.is_large = false;
    if (++changed.counts[static_cast<std::size_t>(state)] == pages_of_chunk)
        set_all(align_down(page, large_page_size), state);
}

void Pages::set(const GpaRange& range, PageState state) {
    for (std::uint64_t at = range.start().value; at < range.end().value;) {
        const bool is_whole =
            is_aligned(at, large_page_size) && range.end().value - at >= large_page_size;
        is_whole ? set_all(at, state) : set_one(at, state);
        at += is_whole ? large_page_size : page_size;
    }
}

bool Pages::all(const GpaRange& range, PageState wanted) const {
    for (std::uint64_t at = range.start().value; at < range.end().value;) {
        const auto found = chunks_.find(at / large_page_size);
        const bool is_uniform = found != chunks_.end() && !found->second.states;
        if (state({at}) != wanted)
            return false;
        at = is_uniform ? align_down(at, large_page_size) + large_page_size : at + page_size;
    }
    return true;
}

bool Pages::is_large(Gpa page) const {
    const auto found = chunks_.find(page.value / large_page_size);
    return found != chunks_.end() && found->second.is_large;
}

void Pages::set_large(Gpa start) {
    set_all(start.value, PageState::accepted);
    chunk(start.value).is_large = true;
}

} // namespace tdshim::tdx_model
