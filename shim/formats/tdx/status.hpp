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

/// HOST_RECOVERABILITY_HINT: the VMM's word on a status of the module's, which it may set on any
/// that waiting can mend [TDX module, tdh_vp_enter.c; TDX_OPERAND_BUSY with HOST_PRIORITY].
inline constexpr std::uint64_t host_recoverability_hint = std::uint64_t{1} << 60;

struct Status {
    std::uint64_t value = 0;

    [[nodiscard]] constexpr StatusClass status_class() const {
        return static_cast<StatusClass>((value & ~host_recoverability_hint) >> 32);
    }
    bool operator==(const Status&) const = default;
};

/// What TDG.MEM.PAGE.ACCEPT takes in bits 2:0 of RCX.
enum class PageLevel : std::uint64_t { size_4k = 0, size_2m = 1 };

} // namespace tdshim::tdx
