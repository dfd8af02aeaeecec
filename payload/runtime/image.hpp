// SPDX-License-Identifier: Apache-2.0
//
// The payload itself in memory: the symbols of payload.ld and the stacks at the start of its data.
#pragma once

#include <array>
#include <cstddef>

#include "shim/base/gpa.hpp"

extern "C" {
extern const std::byte payload_begin[], payload_end[];
extern const std::byte payload_text_begin[], payload_text_end[];
extern const std::byte payload_rodata_begin[], payload_rodata_end[];
extern const std::byte payload_relocated_begin[], payload_relocated_end[];
extern const std::byte payload_data_begin[], payload_data_end[];
}

namespace tdshim::runtime {

using Page = std::array<std::byte, page_size>;

/// With pages around them that stay unmapped: an overflow is a page fault.
struct alignas(page_size) Stacks {
    Page guard_below_main;
    std::array<Page, 16> main;
    Page guard_below_exceptions;
    std::array<Page, 4> exceptions;
    Page guard_above;
};
inline constexpr std::size_t main_stack_top = offsetof(Stacks, guard_below_exceptions);

extern "C" Stacks payload_stacks;

[[nodiscard]] inline Gpa gpa_of(const void* object) {
    return {reinterpret_cast<std::uint64_t>(object)};
}
[[nodiscard]] inline GpaRange range_of(const auto& object) {
    return GpaRange::between(gpa_of(&object), gpa_of(&object + 1));
}
[[nodiscard]] inline GpaRange image_range() {
    return GpaRange::between(gpa_of(payload_begin), gpa_of(payload_end));
}

} // namespace tdshim::runtime
