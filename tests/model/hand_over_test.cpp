// SPDX-License-Identifier: Apache-2.0
//
// tools/td-emu: which other processors may be where when the payload begins.

#include <catch2/catch_test_macros.hpp>

#include "shim/memory/layout.hpp"
#include "tools/td-emu/hand_over_rules.hpp"
#include "tools/td-emu/settings.hpp"

namespace tdshim::td_emu { namespace {

constexpr std::uint64_t in_reset_vector = layout::reset_vector.start().value;
constexpr std::uint64_t reset = layout::image_end - 16;

TEST_CASE("a processor is parked in the reset vector, by its tables, or was never there",
          "[td-emu]") {
    CHECK(is_parked({}));
    CHECK(is_parked({.position = stub_address + 100}));
    CHECK(is_parked({.position = reset}));
    CHECK(is_parked({.position = in_reset_vector + 0x7100, .root = in_reset_vector + 0x4000}));
}

TEST_CASE("a processor is not parked in the shim or by the shim's tables", "[td-emu]") {
    for (const std::uint64_t elsewhere :
         {layout::shim_code.start().value, layout::shim_data.start().value, std::uint64_t{1},
          layout::image_end - layout::max_image_size, in_reset_vector - 1, layout::image_end})
        CHECK_FALSE(is_parked({.position = elsewhere}));
    CHECK_FALSE(is_parked({.position = reset, .root = layout::shim_data.start().value + 0x4000}));
}

}} // namespace tdshim::td_emu
