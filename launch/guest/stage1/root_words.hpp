// SPDX-License-Identifier: Apache-2.0
//
// The words of a kernel command line that say which root file system a guest has, and nothing else:
// stage 1 reads them, shim-guest writes them. They are measured with the command line, so that
// whatever a disk holds can only agree with them [specs/guests.md].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace tdshim::guest {

/// What is writable in the guest, and where that is kept.
enum class Storage {
    none,    ///< nothing but what init itself mounts
    ram,     ///< /var, in memory, above the root's
    overlay, ///< the whole root, in memory, above the one on the disk
};

[[nodiscard]] std::string_view word_of(Storage storage);

using Sha256 = std::array<std::byte, 32>;

/// A dm-verity tree of version 1, SHA-256 and blocks of 4096 bytes, behind its data on one device
/// [Linux, Documentation/admin-guide/device-mapper/verity.rst].
struct Verity {
    static constexpr std::uint64_t block_size = 4096;

    Sha256 root_hash{};
    Sha256 salt{};
    std::uint64_t data_blocks = 0;

    friend bool operator==(const Verity&, const Verity&) = default;
};

/// Blocks of the tree over `data_blocks`, 128 hashes in each [verity.rst, "Hash Tree"].
[[nodiscard]] std::uint64_t tree_blocks(std::uint64_t data_blocks);

/// An IPv4 address for the first network card, in place of one that a host would say.
struct Network {
    std::array<std::uint8_t, 4> address{};
    std::uint8_t prefix = 0; ///< bits of the network, 1 to 32
    std::optional<std::array<std::uint8_t, 4>> gateway{};

    friend bool operator==(const Network&, const Network&) = default;
};

/// "10.0.2.15/24,10.0.2.2", the gateway where there is one; nothing for any other text.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);

struct Root {
    Verity verity;
    Storage storage = Storage::none;
    std::string init = "/sbin/init";
    /// Each block is read before anything is started: a disk that was changed anywhere is none, in
    /// the place of a panic where a changed block is met.
    bool checks_all = false;
    std::uint32_t wait_seconds = 30; ///< for the disk
    /// In a TD, RTMR[2] is extended by measured_text() before anything is started.
    bool extends_rtmr2 = false;
    std::optional<Network> network{};
};

/// "roothash=... stage1.data_blocks=... stage1.salt=..." and what differs from Root{}.
[[nodiscard]] std::string words_of(const Root& root);

/// "stage1 VERSION" and the words of `root`: what the event in RTMR[2] has.
[[nodiscard]] std::string measured_text(const Root& root);

/// Reads the words of a whole command line. Each of ours at most once, none unknown; the sentence
/// of what is wrong else.
[[nodiscard]] std::expected<Root, std::string> root_of(std::string_view command_line);

/// dm-verity's table for the device `device` ("254:0"), and the size of its data in sectors of 512
/// bytes. `panics`: where a block is not what the root hash says, the kernel panics; else EIO.
struct Table {
    std::uint64_t sectors = 0;
    std::string parameters;
};
[[nodiscard]] Table table_of(const Verity& verity, std::string_view device, bool panics);

} // namespace tdshim::guest
