// SPDX-License-Identifier: Apache-2.0
//
// Configuration volumes for tests, put together byte by byte from the PI specification and
// td-shim's doc/secure_boot.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/unit/support.hpp"

namespace tdshim::test {

inline constexpr std::size_t cfv_size = 0x2000;
inline constexpr std::size_t first_file = 0x78;

/// A header as td-shim-enroll writes it, with its block map, pad file and extended header.
inline Blob volume_start(std::size_t size = cfv_size) {
    Blob blob = Blob()
                    .fill(16, 0)
                    .dump("7A C0 73 54 CB 3D CA 4D BD 6F 1E 96 89 E7 34 9A")
                    .u64(size)
                    .text("_FVH")
                    .u32(0x0004F6FF)
                    .u16(first_file)
                    .u16(0)
                    .u16(0x60)
                    .u8(0)
                    .u8(2);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < blob.size(); i += 2)
        sum += std::to_integer<unsigned>(blob.view()[i]) +
               256 * std::to_integer<unsigned>(blob.view()[i + 1]);
    blob.patch(50, 2, 0x10000 - sum % 0x10000);
    return blob.u32(static_cast<std::uint32_t>(size / 4096))
        .u32(4096)
        .u64(0)
        .fill(16, 0)
        .u16(0)
        .u8(0xF0)
        .u8(0)
        .dump("2C 00 00")
        .u8(7)
        .fill(16, 0)
        .u32(20)
        .u32(0);
}

/// Adds a file, padded to eight bytes.
inline Blob& add_file(Blob& volume, const Blob& name, const Blob& contents, unsigned type = 1,
                      unsigned attributes = 0) {
    const std::size_t length = 24 + contents.size();
    Blob head = Blob(name).u16(0).u8(type).u8(attributes);
    head.u8(length).u8(length >> 8).u8(length >> 16).u8(0);
    unsigned sum = 0;
    for (const std::byte byte : head.view())
        sum += std::to_integer<unsigned>(byte);
    head.patch(16, 1, 256 - sum % 256).patch(17, 1, 0xAA).patch(23, 1, 7);
    volume.bytes(head.view()).bytes(contents.view());
    return volume.fill((8 - length % 8) % 8, 0);
}

inline Blob anchor_name() {
    return Blob().dump("2E 74 A2 77 40 93 C9 4A 8F 85 B7 B9 78 58 00 21");
}

/// As td-shim-enroll writes it; `padding` is 0 in the form that its document describes.
inline Blob anchor(const Blob& hash, std::size_t padding = 8) {
    return Blob()
        .dump("A3 65 8F BE 3B A8 5C 41 A1 FB F7 8E 10 5E 82 4E")
        .u32(1)
        .u32(32 + padding + 48)
        .u32(1)
        .u32(0)
        .fill(padding, 0)
        .bytes(hash.view());
}

inline Blob policy_name() {
    return Blob().dump("3B 96 38 38 25 94 A2 4F AC E9 C5 79 C2 9A B4 BF");
}

inline Blob policy_header(std::uint32_t word, std::size_t keys, std::size_t revoked_keys = 0,
                          std::size_t revoked_payloads = 0, std::size_t pinned = 0,
                          std::size_t aml_tables = 0) {
    return policy_name()
        .u32(1)
        .u32(48 + 64 * keys + 48 * (revoked_keys + revoked_payloads + pinned + aml_tables))
        .u32(word)
        .u32(0)
        .u16(keys)
        .u16(revoked_keys)
        .u16(revoked_payloads)
        .u16(pinned)
        .u16(aml_tables)
        .fill(6, 0);
}

inline Blob key_entry(const Blob& hash, std::uint64_t svn = 0, std::uint32_t kinds = 3,
                      std::uint32_t algorithm = 1) {
    return Blob(hash).u64(svn).u32(kinds).u32(algorithm);
}

/// A hash that is told from others.
inline Blob hash_of(unsigned value) {
    return Blob().fill(48, value);
}

inline Blob finished(Blob volume) {
    volume.resize(cfv_size);
    return volume;
}

inline Blob volume_with(const Blob& policy) {
    Blob volume = volume_start();
    return finished(add_file(volume, policy_name(), policy));
}

} // namespace tdshim::test
