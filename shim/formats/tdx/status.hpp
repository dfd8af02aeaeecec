// SPDX-License-Identifier: Apache-2.0
//
// The completion status of TDCALL [Intel TDX Module 1.5 ABI, interface function completion status].
// Its upper half says what happened; the lower half says to which operand, and must not be
// compared.
#pragma once

#include <cstdint>

namespace tdshim::tdx {

/// Bits 63:32 of a status.
enum class StatusClass : std::uint32_t {
    success = 0,
    operand_invalid = 0xC000'0100,
    operand_busy = 0x8000'0200,
    no_valid_ve_info = 0xC000'0704,
    page_already_accepted = 0x0000'0B0A, ///< not an error to the module, but not success either
    page_size_mismatch = 0xC000'0B0B,
};

struct Status {
    std::uint64_t value = 0;

    [[nodiscard]] constexpr StatusClass status_class() const {
        return static_cast<StatusClass>(value >> 32);
    }
    bool operator==(const Status&) const = default;
};

/// What TDG.MEM.PAGE.ACCEPT takes in bits 2:0 of RCX.
enum class PageLevel : std::uint64_t { size_4k = 0, size_2m = 1 };

} // namespace tdshim::tdx
