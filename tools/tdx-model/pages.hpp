// SPDX-License-Identifier: Apache-2.0
//
// Who may use which page of a TD: the state that the TDX module and the VMM together keep for each
// 4 KiB of guest physical memory.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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
    [[nodiscard]] bool all(const GpaRange& range, PageState wanted) const;

    /// Whether `page` lies in 2 MiB that were accepted as one page.
    [[nodiscard]] bool is_large(Gpa page) const;
    /// The 2 MiB at `start` are accepted as one page.
    void set_large(Gpa start);

  private:
    static constexpr std::size_t pages_of_chunk = large_page_size / page_size;
    using States = std::array<PageState, pages_of_chunk>;
    /// 2 MiB. Where all pages have one state, that one stands for them.
    struct Chunk {
        PageState uniform{};
        bool is_large = false;
        std::unique_ptr<States> states;
        std::array<std::uint16_t, 4> counts{}; ///< of `states`, by state
    };

    [[nodiscard]] PageState initial(std::uint64_t address) const;
    [[nodiscard]] Chunk& chunk(std::uint64_t address);
    void set_all(std::uint64_t chunk_start, PageState state);
    void set_one(std::uint64_t page, PageState state);

    std::vector<GpaRange> ram_;
    std::unordered_map<std::uint64_t, Chunk> chunks_; ///< by address / 2 MiB
};

} // namespace tdshim::tdx_model
