// SPDX-License-Identifier: Apache-2.0
//
// Whole files in, whole files out: an output appears complete under its name or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shim/base/bytes.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// More than any input of these tools has: an initrd of 4 GiB - 1, in a bundle, signed.
inline constexpr std::uint64_t max_file_size = (std::uint64_t{4} << 30) + (std::uint64_t{64} << 20);
/// The same of what is no regular file; a device that never ends is refused here.
inline constexpr std::uint64_t max_stream_size = std::uint64_t{1} << 30;

/// What a relying party takes from strangers: evidence, quotes, logs, collateral, policies.
inline constexpr std::uint64_t max_message_size = std::uint64_t{16} << 20;

/// All bytes of `file`, at most `most` of them: of a larger one nothing is read but its size.
[[nodiscard]] Outcome<std::vector<std::byte>> read_file(const std::string& file,
                                                        std::uint64_t most = max_file_size);

/// Writes beside `file` under a temporary name, then renames: on failure nothing is left behind and
/// an older `file` is untouched. A symlink stays, and what it leads to is written so; a device or a
/// FIFO is written where it is. A folder, a socket, a link to nothing, "-" and any file that this
/// command has read, or noted as an input, are refused.
[[nodiscard]] Outcome<> write_file(const std::string& file, Bytes bytes);

/// Whether write_file would write there, as far as that can be told before.
[[nodiscard]] Outcome<> check_output(const std::string& file);

/// That no two of these are one file; empty names and devices apart.
[[nodiscard]] Outcome<> check_outputs(const std::vector<std::string>& files);

/// Makes `file` for another program to open and write: empty, by the rules of write_file. A device
/// or a FIFO is not opened, for the reader of one would take that for all there is.
[[nodiscard]] Outcome<> make_file(const std::string& file);

} // namespace tdshim::tools
