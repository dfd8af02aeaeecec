// SPDX-License-Identifier: Apache-2.0
//
// Who may use which page of a TD: the state that the TDX module and the VMM together keep for each
// 4 KiB of guest physical memory.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "shim/base/gpa.hpp"

namespace tdshim::tdx_model {

enum class PageState : std::uint8_t {
    absent,   ///< no RAM
    pending,  ///< RAM that the TD has not accepted
    accepted, ///< private, and the TD's
    shared,   ///< the VMM sees it
};

/// "absent", "pending", ...
[[nodiscard]] const char* name_of(PageState state);

class Pages {
  public:
    /// RAM begins as pending memory, at no cost for what is never asked for.
    void add_ram(const GpaRange& range) { ram_.push_back(range); }

    [[nodiscard]] PageState state(Gpa page) const;
    void set(const GpaRange& range, PageState state);

    /// Whether all pages of `range` have this state.
    [[nodiscard]] bool all(const GpaRange& range, PageState state) const;

  private:
    static constexpr std::size_t pages_of_chunk = large_page_size / page_size;
    using Chunk = std::array<PageState, pages_of_chunk>;

    [[nodiscard]] PageState initial(std::uint64_t address) const;
    [[nodiscard]] Chunk& chunk(std::uint64_t address);

    std::vector<GpaRange> ram_;
    std::unordered_map<std::uint64_t, Chunk> chunks_; ///< by address / 2 MiB
};

} // namespace tdshim::tdx_model
