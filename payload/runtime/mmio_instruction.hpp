// SPDX-License-Identifier: Apache-2.0
//
// The instructions by which a program reads and writes a device's registers: MOV and MOVZX between
// a register or a constant and memory [Intel SDM 2A, 2.1 and 2B, 4.3]. A #VE tells the address;
// what was to be done with it stands in the instruction.
#pragma once

#include <cstdint>
#include <optional>

#include "shim/base/bytes.hpp"

namespace tdshim::runtime {

struct MmioInstruction {
    unsigned length = 0; ///< of the instruction, bytes
    unsigned size = 0;   ///< of the access: 1, 2, 4 or 8 bytes
    bool is_write = false;
    unsigned register_number = 0; ///< 0 RAX, 1 RCX, ... 15 R15; not looked at for a constant
    std::optional<std::uint64_t> constant{}; ///< that is written
    unsigned result_size = 0;                ///< of a read: bytes of the register that change
};

/// Nothing for any other instruction, AH to DH among them.
[[nodiscard]] std::optional<MmioInstruction> decode_mmio(Bytes code);

} // namespace tdshim::runtime
