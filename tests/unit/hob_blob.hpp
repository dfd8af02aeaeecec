// SPDX-License-Identifier: Apache-2.0
//
// A TD HOB for the tests, put together from the numbers of the specification.
#pragma once

#include <optional>
#include <vector>

#include "tests/unit/support.hpp"

namespace tdshim::test {

inline constexpr std::uint64_t hob_base = 0xB00000;
inline constexpr std::size_t hob_phit_size = 56;
inline constexpr std::size_t hob_resource_size = 48;

struct HobResource {
    std::uint64_t type, start, length;
};

[[nodiscard]] inline Blob hob_phit(std::uint64_t end) {
    return Blob().u16(1).u16(56).u32(0).u32(9).u32(0).u64(0).u64(0).u64(0).u64(0).u64(end);
}

[[nodiscard]] inline Blob hob_resource(const HobResource& resource) {
    return Blob()
        .u16(3)
        .u16(48)
        .u32(0)
        .fill(16, 0)
        .u32(resource.type)
        .u32(7)
        .u64(resource.start)
        .u64(resource.length);
}

/// PHIT, the resources, `more` HOBs, end of list; the PHIT's end as QEMU writes it.
[[nodiscard]] inline Blob hob_list(const std::vector<HobResource>& resources,
                                   const Blob& more = {}) {
    const std::uint64_t size =
        hob_phit_size + hob_resource_size * resources.size() + more.size() + 8;
    Blob list = hob_phit(hob_base + size);
    for (const HobResource& resource : resources)
        list.bytes(hob_resource(resource).view());
    return list.bytes(more.view()).u16(0xFFFF).u16(8).u32(0);
}

} // namespace tdshim::test
