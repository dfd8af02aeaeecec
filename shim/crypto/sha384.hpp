// SPDX-License-Identifier: Apache-2.0
//
// SHA-384 [FIPS 180-4], by mbedTLS: the only hash of measurement registers and of the event log.
#pragma once

#include <array>
#include <cstddef>

#include "mbedtls/sha512.h"
#include "shim/base/bytes.hpp"

namespace tdshim::crypto {

inline constexpr std::size_t sha384_size = 48;
using Digest = std::array<std::byte, sha384_size>;

/// A hash over bytes that arrive in pieces.
class Sha384 {
  public:
    Sha384();
    void update(Bytes bytes);
    /// The digest; the object must not be used afterwards.
    [[nodiscard]] Digest finish();

  private:
    mbedtls_sha512_context context_;
};

[[nodiscard]] Digest sha384(Bytes bytes);
/// Of `first` and `second`, one behind the other.
[[nodiscard]] Digest sha384(Bytes first, Bytes second);

} // namespace tdshim::crypto
