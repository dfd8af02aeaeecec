// SPDX-License-Identifier: Apache-2.0
//
// Digests of files that may be larger than memory: read in pieces and hashed by OpenSSL's
// libcrypto, by what the processor has for it. On a terminal a large file shows how far it is.
#pragma once

#include <string>

#include "shim/measure/measurement.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// Files from this size on show progress.
inline constexpr std::uint64_t progress_size = std::uint64_t{64} << 20;

/// SHA-384 and size of `file`, which may be a pipe.
[[nodiscard]] Outcome<measure::FileDigest> digest_of_file(const std::string& file);

} // namespace tdshim::tools
