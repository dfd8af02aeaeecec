// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/page_walk.hpp"

#include <optional>

namespace tdshim::tdx_model {
namespace {

constexpr std::uint64_t present = 1 << 0;
constexpr std::uint64_t writable = 1 << 1;
constexpr std::uint64_t user = 1 << 2;
constexpr std::uint64_t large = 1 << 7;
constexpr std::uint64_t no_execute = std::uint64_t{1} << 63;
constexpr std::uint64_t address_mask = 0x000F'FFFF'FFFF'F000;
constexpr unsigned last_level_with_large_pages = 3; // 1 GiB

unsigned shift_of(unsigned level) {
    return 12 + 9 * (level - 1);
}

class Walk {
  public:
    Walk(unsigned levels, const ReadPageTable& read) : levels_(levels), read_(read) {}

    /// `above`: where the table begins to translate, and the rights of the levels above it.
    std::optional<Gpa> table(Gpa at, unsigned level, const Translation& above) {
        PageTable entries;
        if (++tables_ > max_walked_tables || !read_(at, entries))
            return at;
        for (std::uint64_t i = 0; i < entries.size(); ++i) {
            const std::uint64_t entry = entries[i];
            if ((entry & present) == 0)
                continue;
            Translation here = joined(above, entry);
            here.size = std::uint64_t{1} << shift_of(level);
            here.linear |= i << shift_of(level);
            if (level == 1 || (level <= last_level_with_large_pages && (entry & large) != 0)) {
                here.physical = entry & address_mask & ~(here.size - 1);
                add(here);
            } else if (const auto failed = table({entry & address_mask}, level - 1, here)) {
                return failed;
            }
        }
        return std::nullopt;
    }

    std::vector<Translation> found;

  private:
    static Translation joined(const Translation& above, std::uint64_t entry) {
        return {.linear = above.linear,
                .writable = above.writable && (entry & writable) != 0,
                .executable = above.executable && (entry & no_execute) == 0,
                .user = above.user && (entry & user) != 0};
    }

    void add(Translation page) {
        const unsigned unused = 64 - shift_of(levels_ + 1);
        page.linear =
            static_cast<std::uint64_t>(static_cast<std::int64_t>(page.linear << unused) >> unused);
        if (!found.empty()) {
            Translation& last = found.back();
            if (last.end() == page.linear && last.physical + last.size == page.physical &&
                last.writable == page.writable && last.executable == page.executable &&
                last.user == page.user) {
                last.size += page.size;
                return;
            }
        }
        found.push_back(page);
    }

    unsigned levels_;
    const ReadPageTable& read_;
    std::size_t tables_ = 0;
};

} // namespace

std::expected<std::vector<Translation>, Gpa> walk_page_tables(Gpa root, unsigned levels,
                                                              const ReadPageTable& read) {
    Walk walk(levels, read);
    const Translation everything{.writable = true, .executable = true, .user = true};
    if (const auto failed = walk.table({root.value & address_mask}, levels, everything))
        return std::unexpected(*failed);
    return std::move(walk.found);
}

} // namespace tdshim::tdx_model
