// SPDX-License-Identifier: Apache-2.0
//
// Digests of files that may be larger than memory: read in pieces and hashed by OpenSSL's
// libcrypto, by what the processor has for it. On a terminal a large file shows how far it is.
#pragma once

#include <string>

#include "shim/measure/measurement.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// SHA-384 and size of `file`, which may be a pipe.
[[nodiscard]] Outcome<measure::FileDigest> digest_of_file(const std::string& file);

/// The same of `contents`, which were read from `file`, or are on their way to it.
[[nodiscard]] Outcome<measure::FileDigest> digest_of_contents(const std::string& file,
                                                              Bytes contents);

} // namespace tdshim::tools
