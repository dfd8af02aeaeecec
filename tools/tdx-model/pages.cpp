// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/pages.hpp"

#include <algorithm>

namespace tdshim::tdx_model {
namespace {

std::size_t index_of(PageState state) {
    return static_cast<std::size_t>(state);
}

} // namespace

const char* name_of(PageState state) {
    switch (state) {
    case PageState::absent: return "absent";
    case PageState::pending: return "pending";
    case PageState::accepted: return "accepted";
    case PageState::shared: return "shared";
    case PageState::withdrawn: return "withdrawn";
    }
    return "?";
}

PageState Pages::initial(std::uint64_t address) const {
    const bool is_ram = std::ranges::any_of(ram_, [&](const GpaRange& range) {
        return range.start().value <= address && address < range.end().value;
    });
    return is_ram ? PageState::pending : PageState::absent;
}

Pages::Chunk Pages::initial_chunk(std::uint64_t number) const {
    const std::uint64_t address = number * large_page_size;
    Chunk made{.common = initial(address), .mapping = {}, .counts = {}, .states = {}};
    for (std::size_t i = 1; i < pages_of_chunk; ++i)
        set_page(made, i, initial(address + i * page_size));
    return made;
}

const Pages::Chunk* Pages::find(Gpa page) const {
    const auto found = chunks_.find(page.value / large_page_size);
    return found == chunks_.end() ? nullptr : &found->second;
}

Pages::Chunk& Pages::chunk(std::uint64_t number) {
    const auto found = chunks_.find(number);
    return found != chunks_.end() ? found->second
                                  : chunks_.emplace(number, initial_chunk(number)).first->second;
}

PageState Pages::state(Gpa page) const {
    const Chunk* const chunk = find(page);
    if (chunk == nullptr)
        return initial(page.value);
    return chunk->states ? (*chunk->states)[page.value / page_size % pages_of_chunk]
                         : chunk->common;
}

Mapping Pages::mapping(Gpa page) const {
    const Chunk* const chunk = find(page);
    return chunk == nullptr ? Mapping::none : chunk->mapping;
}

std::optional<PageState> Pages::common_state(Gpa page) const {
    const Chunk* const found = find(page);
    const Chunk made = found == nullptr ? initial_chunk(page.value / large_page_size) : Chunk{};
    const Chunk& chunk = found == nullptr ? made : *found;
    return chunk.states ? std::nullopt : std::optional(chunk.common);
}

void Pages::set_page(Chunk& chunk, std::size_t index, PageState state) {
    if (!chunk.states) {
        if (chunk.common == state)
            return;
        chunk.states = std::make_unique<States>();
        chunk.states->fill(chunk.common);
        chunk.counts = {};
        chunk.counts[index_of(chunk.common)] = pages_of_chunk;
    }
    PageState& page = (*chunk.states)[index];
    --chunk.counts[index_of(page)];
    page = state;
    if (++chunk.counts[index_of(state)] == pages_of_chunk)
        set_all(chunk, state);
}

void Pages::set_all(Chunk& chunk, PageState state) {
    chunk.states.reset();
    chunk.common = state;
}

void Pages::set(const GpaRange& range, PageState state) {
    for (std::uint64_t at = range.start().value; at < range.end().value;) {
        Chunk& changed = chunk(at / large_page_size);
        if (is_aligned(at, large_page_size) && range.end().value - at >= large_page_size) {
            set_all(changed, state);
            at += large_page_size;
        } else {
            set_page(changed, at / page_size % pages_of_chunk, state);
            at += page_size;
        }
        if (state == PageState::accepted || changed.mapping == Mapping::large)
            changed.mapping = Mapping::small;
    }
}

void Pages::accept_large(Gpa page) {
    Chunk& accepted = chunk(page.value / large_page_size);
    set_all(accepted, PageState::accepted);
    accepted.mapping = Mapping::large;
}

std::size_t Pages::footprint() const {
    std::size_t size = 0;
    for (const auto& [number, chunk] : chunks_)
        size += sizeof(number) + sizeof(chunk) + (chunk.states ? sizeof(States) : 0);
    return size;
}

} // namespace tdshim::tdx_model
