// SPDX-License-Identifier: Apache-2.0
//
// RTMR[0..3] in software: what a plain VM keeps in place of the TDX module's registers, and what
// the host tools replay an event log into [Intel TDX Module ABI, TDG.MR.RTMR.EXTEND].
#pragma once

#include <array>
#include <cstdint>

#include "shim/base/error.hpp"
#include "shim/crypto/sha384.hpp"

namespace tdshim::measure {

inline constexpr std::uint32_t rtmr_count = 4;

class RegisterBank {
  public:
    /// RTMR = SHA-384(RTMR || digest). Errors: log_rtmr_index.
    [[nodiscard]] Result<void> extend(std::uint32_t rtmr, const crypto::Digest& digest);

    [[nodiscard]] const crypto::Digest& value(std::uint32_t rtmr) const { return values_[rtmr]; }

  private:
    std::array<crypto::Digest, rtmr_count> values_{};
};

} // namespace tdshim::measure
