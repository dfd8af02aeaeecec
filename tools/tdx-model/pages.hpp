// SPDX-License-Identifier: Apache-2.0
//
// Who may use which page of a TD: the state that the TDX module and the VMM together keep for each
// 4 KiB of guest physical memory, and by which size of page it is mapped. A stretch of 2 MiB whose
// pages are all in one state costs one entry.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "shim/base/gpa.hpp"

namespace tdshim::tdx_model {

enum class PageState : std::uint8_t {
    absent,    ///< no RAM
    pending,   ///< RAM that the TD has not accepted
    accepted,  ///< private, and the TD's
    shared,    ///< the VMM sees it
    withdrawn, ///< was the TD's, until the VMM took it away
};
inline constexpr std::size_t page_state_count = 5;

/// "absent", "pending", ...
[[nodiscard]] const char* name_of(PageState state);

/// What the secure EPT holds for a stretch of 2 MiB.
enum class Mapping : std::uint8_t {
    none,  ///< nothing yet
    small, ///< a table of 4 KiB pages, which stays when its pages go
    large, ///< one page of 2 MiB, accepted
};

class Pages {
  public:
    /// RAM begins as pending memory, at no cost for what is never asked for.
    void add_ram(const GpaRange& range) { ram_.push_back(range); }

    [[nodiscard]] PageState state(Gpa page) const;
    /// Of the stretch of 2 MiB that `page` lies in.
    [[nodiscard]] Mapping mapping(Gpa page) const;
    /// The state that all pages of that stretch have; nothing when they differ.
    [[nodiscard]] std::optional<PageState> common_state(Gpa page) const;

    /// By pages of 4 KiB. A large page of which `range` is a part is split.
    void set(const GpaRange& range, PageState state);
    /// `page` is aligned to 2 MiB.
    void accept_large(Gpa page);

    /// Memory that the states take, in bytes; what the containers need for themselves is not in it.
    [[nodiscard]] std::size_t footprint() const;

  private:
    static constexpr std::size_t pages_of_chunk = large_page_size / page_size;
    using States = std::array<PageState, pages_of_chunk>;

    struct Chunk {
        PageState common{}; ///< while `states` is empty
        Mapping mapping{};
        std::array<std::uint16_t, page_state_count> counts{}; ///< of `states`
        std::unique_ptr<States> states;
    };

    [[nodiscard]] PageState initial(std::uint64_t address) const;
    [[nodiscard]] Chunk initial_chunk(std::uint64_t number) const;
    [[nodiscard]] const Chunk* find(Gpa page) const;
    [[nodiscard]] Chunk& chunk(std::uint64_t number);
    static void set_page(Chunk& chunk, std::size_t index, PageState state);
    static void set_all(Chunk& chunk, PageState state);

    std::vector<GpaRange> ram_;
    std::unordered_map<std::uint64_t, Chunk> chunks_; ///< by address / 2 MiB
};

} // namespace tdshim::tdx_model
