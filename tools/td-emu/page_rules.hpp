// SPDX-License-Identifier: Apache-2.0
//
// What tdshim's page tables may say, by what is where in its memory (shim/memory/layout.hpp,
// shim/platform/x86/stacks.hpp). Pure: a walk in, the first broken rule out.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "shim/base/gpa.hpp"
#include "tools/tdx-model/page_walk.hpp"

namespace tdshim::td_emu {

struct BrokenPageRule {
    std::string_view text;
    std::uint64_t address = 0;
};

using Translations = std::span<const tdx_model::Translation>;

/// What the tables of the reset vector may do: nothing writable and executable, but for `parked`
/// processors the first 2 MiB, which are Linux's (resetvector/page_tables.asm).
[[nodiscard]] std::optional<BrokenPageRule> check_reset_tables(Translations pages, bool parked);

/// How the shim's own memory is mapped.
struct ShimPages {
    GpaRange code;      ///< read, execute
    GpaRange constants; ///< read
    bool operator==(const ShimPages&) const = default;
};

/// The rules for the shim's own tables at all times: every page at its own address and none for
/// ring 3; code and constants as ShimPages has them and nothing else around them; data, stacks,
/// mailbox, event log neither executable nor, where they are present, read-only; guard pages
/// absent; the image not writable, but for `cleared`, a payload in it that MRTD does not tell and
/// that the shim clears, and not executable, but for the reset vector.
[[nodiscard]] std::expected<ShimPages, BrokenPageRule>
check_shim_tables(Translations pages, const GpaRange& cleared = {});

/// Pages that are both writable and executable. There are none before the hand-over.
[[nodiscard]] std::vector<tdx_model::Translation> writable_and_executable(Translations pages);

/// Page 0 is absent before the hand-over.
[[nodiscard]] std::optional<BrokenPageRule> check_null_page(Translations pages);

/// What a payload that begins at `entry` may find both writable and executable: the memory below
/// 640 KiB, and the pages around its first instruction, which are its own.
[[nodiscard]] std::optional<BrokenPageRule> check_hand_over(Translations pages,
                                                            std::uint64_t entry);

/// Guard pages between the stacks.
[[nodiscard]] std::vector<std::uint64_t> guard_pages();

} // namespace tdshim::td_emu
