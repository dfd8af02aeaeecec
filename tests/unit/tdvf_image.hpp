// SPDX-License-Identifier: Apache-2.0
//
// A firmware image with TDX metadata for the tests of shim/formats/tdvf, put together from the
// numbers of the specification, not by the builder.
#pragma once

#include <string_view>
#include <vector>

#include "tests/unit/support.hpp"

namespace tdshim::test {

inline constexpr std::string_view footer_bytes = "DE 82 B5 96 B2 1F F7 45 BA EA A3 66 C5 5A 08 2D";
inline constexpr std::string_view entry_bytes = "35 65 7A E4 4A 98 98 47 86 5E 46 85 A7 BF 8E C2";
inline constexpr std::string_view metadata_bytes =
    "F3 F9 EA E9 8E 16 D5 44 A8 EB 7F 4D 87 38 F6 AE";
inline constexpr std::string_view image_info_bytes =
    "1C 3B 1D 6F 0E 5A 53 4C 9F 63 6B 2F 5D 0C 7A 91";
inline constexpr std::string_view other_bytes = "00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF";

struct Row {
    std::uint64_t offset, raw, address, size, type, attributes;
};

// An image of 0x10000 bytes: descriptor at 0x4010, its sections from 0x4020 on, footer table at the
// end. The footer's length stands at 0xFFCE, its GUID at 0xFFD0, the metadata entry's data (the
// distance from the end) at 0xFFB8, its length at 0xFFBC.
inline constexpr std::size_t image_size = 0x10000;
inline constexpr std::size_t descriptor_at = 0x4010;
inline constexpr std::size_t sections_at = 0x4020;
inline constexpr std::size_t footer_length_at = 0xFFCE;
inline constexpr std::size_t entry_data_at = 0xFFB8;
inline constexpr std::size_t entry_length_at = 0xFFBC;
inline constexpr std::size_t pointer_at = 0xFFE0;

[[nodiscard]] inline std::vector<Row> good_rows() {
    return {
        {0x1000, 0xF000, 0xFFFF1000, 0xF000, 0, 1},
        {0, 0x1000, 0xFFFF0000, 0x1000, 1, 0},
        {0, 0, 0x810000, 0x10000, 3, 0},
        {0, 0, 0x820000, 0x2000, 2, 0},
    };
}

[[nodiscard]] inline Blob image_of(const std::vector<Row>& rows) {
    Blob image;
    image.fill(image_size, 0x5A);
    Blob metadata;
    metadata.dump(metadata_bytes).text("TDVF").u32(16 + 32 * rows.size()).u32(1).u32(rows.size());
    for (const Row& row : rows)
        metadata.u32(row.offset)
            .u32(row.raw)
            .u64(row.address)
            .u64(row.size)
            .u32(row.type)
            .u32(row.attributes);
    image.patch(descriptor_at - 16, metadata);
    Blob table;
    table.u32(image_size - descriptor_at).u16(22).dump(entry_bytes);
    table.u16(22 + 18).dump(footer_bytes);
    image.patch(entry_data_at, table);
    return image.patch(pointer_at, 4, 0);
}

[[nodiscard]] inline Blob good_image() {
    return image_of(good_rows());
}

} // namespace tdshim::test
