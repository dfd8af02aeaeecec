// SPDX-License-Identifier: Apache-2.0
//
// The general registers of a vCPU as TDCALL and TDVMCALL number them.
#pragma once

#include <array>
#include <cstdint>

namespace tdshim::tdx_model {

enum Register : std::size_t {
    rax,
    rcx,
    rdx,
    rbx,
    rsp,
    rbp,
    rsi,
    rdi,
    r8,
    r9,
    r10,
    r11,
    r12,
    r13,
    r14,
    r15
};
inline constexpr std::size_t register_count = 16;
using Registers = std::array<std::uint64_t, register_count>;

} // namespace tdshim::tdx_model
