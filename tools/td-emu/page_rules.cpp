// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/page_rules.hpp"

#include <algorithm>
#include <ranges>

#include "shim/memory/layout.hpp"
#include "shim/platform/x86/stacks.hpp"

namespace tdshim::td_emu {
namespace {

using tdx_model::Translation;

constexpr std::string_view both = "page that is both writable and executable";

constexpr auto low_memory = GpaRange::of<0, 640 * KiB>(); // Linux's, from the hand-over on
constexpr auto parked_memory = GpaRange::of<0, 2 * MiB>();
constexpr auto null_page = GpaRange::of<0, page_size>();
constexpr auto image_window =
    GpaRange::of<layout::image_end - layout::max_image_size, layout::max_image_size>();

/// Memory for data that stays the firmware's.
constexpr std::array data_ranges{layout::shim_data, layout::event_log, layout::mailbox};

bool is_inside(const Translation& pages, const GpaRange& range) {
    return pages.linear >= range.start().value && pages.end() <= range.end().value;
}

std::optional<BrokenPageRule> check_everywhere(Translations pages) {
    for (const Translation& piece : pages) {
        if (piece.linear != piece.physical)
            return BrokenPageRule{"page that is not mapped at its own address", piece.linear};
        if (piece.user)
            return BrokenPageRule{"page of ring 3", piece.linear};
    }
    return std::nullopt;
}

std::optional<BrokenPageRule> check_data(Translations pages) {
    for (const Translation& piece : pages)
        for (const GpaRange& range : data_ranges)
            if (piece.overlaps(range) && (piece.executable || !piece.writable))
                return BrokenPageRule{
                    piece.executable
                        ? (piece.writable ? both : "page of the shim's data that is executable")
                        : "page of the shim's data that is read-only",
                    std::max(piece.linear, range.start().value)};
    for (const std::uint64_t guard : guard_pages())
        for (const Translation& piece : pages)
            if (piece.has(guard))
                return BrokenPageRule{"guard page of a stack that is present", guard};
    return std::nullopt;
}

std::optional<BrokenPageRule> check_image(Translations pages, const GpaRange& cleared) {
    for (const Translation& piece : pages) {
        if (!piece.overlaps(image_window))
            continue;
        if (piece.writable && (piece.executable || !is_inside(piece, cleared)))
            return BrokenPageRule{piece.executable ? both : "page of the image that is writable",
                                  piece.linear};
        if (piece.executable && !is_inside(piece, layout::reset_vector))
            return BrokenPageRule{"page of the image that is executable", piece.linear};
    }
    return std::nullopt;
}

GpaRange range_of(const Translation& piece) {
    return GpaRange::between({piece.linear}, {piece.end()});
}

/// Code from the start on, constants behind it, and nothing else.
std::expected<ShimPages, BrokenPageRule> find_code(Translations pages) {
    std::vector<Translation> pieces;
    for (const Translation& piece : pages)
        if (piece.overlaps(layout::shim_code))
            pieces.push_back(piece);
    for (const Translation& piece : pieces)
        if (piece.writable)
            return std::unexpected(BrokenPageRule{
                piece.executable ? both : "page of the shim's code or constants that is writable",
                piece.linear});
    const std::uint64_t start = layout::shim_code.start().value;
    const bool good = pieces.size() == 2 && pieces[0].linear == start && pieces[0].executable &&
                      !pieces[1].executable && pieces[0].end() == pieces[1].linear &&
                      is_inside(pieces[1], layout::shim_code);
    if (!good)
        return std::unexpected(
            BrokenPageRule{"pages of the shim that are not code and behind it constants", start});
    return ShimPages{range_of(pieces[0]), range_of(pieces[1])};
}

} // namespace

std::vector<std::uint64_t> guard_pages() {
    std::vector<std::uint64_t> pages;
    for (std::uint64_t offset = 0; offset < sizeof(x86::Stacks); offset += page_size)
        if (!x86::guarded_stack(offset).empty() || offset == offsetof(x86::Stacks, guard_above))
            pages.push_back(layout::shim_data.start().value + offset);
    return pages;
}

std::vector<Translation> writable_and_executable(Translations pages) {
    std::vector<Translation> found;
    std::ranges::copy_if(pages, std::back_inserter(found), [](const Translation& piece) {
        return piece.writable && piece.executable;
    });
    return found;
}

std::optional<BrokenPageRule> check_reset_tables(Translations pages, bool parked) {
    for (const Translation& piece : writable_and_executable(pages))
        if (!parked || !is_inside(piece, parked_memory))
            return BrokenPageRule{both, piece.linear};
    return std::nullopt;
}

std::expected<ShimPages, BrokenPageRule> check_shim_tables(Translations pages,
                                                           const GpaRange& cleared) {
    for (const auto& broken :
         {check_everywhere(pages), check_data(pages), check_image(pages, cleared)})
        if (broken)
            return std::unexpected(*broken);
    return find_code(pages);
}

std::optional<BrokenPageRule> check_null_page(Translations pages) {
    for (const Translation& piece : pages)
        if (piece.overlaps(null_page))
            return BrokenPageRule{"page 0 that is present", 0};
    return std::nullopt;
}

std::optional<BrokenPageRule> check_hand_over(Translations pages, std::uint64_t entry) {
    for (const Translation& piece : writable_and_executable(pages))
        if (!is_inside(piece, low_memory) && !piece.has(entry))
            return BrokenPageRule{"page that is both writable and executable and not the payload's",
                                  piece.linear};
    return std::nullopt;
}

} // namespace tdshim::td_emu
