// SPDX-License-Identifier: Apache-2.0
//
// The completion statuses that the model gives [Intel TDX Module 1.5 ABI, interface function
// completion status]. To those that name an operand its number is added: a register's, or a level
// of mapping.
#pragma once

#include <cstdint>

namespace tdshim::tdx_model {

inline constexpr std::uint64_t success = 0;
inline constexpr std::uint64_t operand_invalid = 0xC000'0100'0000'0000; // with the operand's number
inline constexpr std::uint64_t operand_busy = 0x8000'0200'0000'0000;    // with the operand's number
// HOST_RECOVERABILITY_HINT: the VMM's, beside any status of a call that it was told of before the
// TD goes on [TDX module, tdh_vp_enter.c, tdx_api_defs.h].
inline constexpr std::uint64_t host_recoverability_hint = std::uint64_t{1} << 60;
inline constexpr std::uint64_t no_valid_ve_info = 0xC000'0704'0000'0000;
inline constexpr std::uint64_t page_already_accepted = 0x0000'0B0A'0000'0000; // with the level
inline constexpr std::uint64_t page_size_mismatch = 0xC000'0B0B'0000'0000;    // with the level
inline constexpr std::uint64_t field_id_incorrect = 0xC000'0C00'0000'0000;
inline constexpr std::uint64_t field_not_writable = 0xC000'0C01'0000'0000;
inline constexpr std::uint64_t field_not_readable = 0xC000'0C02'0000'0000;
inline constexpr std::uint64_t field_value_not_valid = 0xC000'0C03'0000'0000;
inline constexpr std::uint64_t first_field_in_context = 0x0000'0C0B'0000'0000; // not an error
inline constexpr std::uint64_t invalid_cpu_svn = 0xC000'1000'0000'0000;
inline constexpr std::uint64_t invalid_report = 0xC000'1001'0000'0000; // INVALID_REPORTMACSTRUCT

} // namespace tdshim::tdx_model
