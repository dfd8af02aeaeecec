// SPDX-License-Identifier: Apache-2.0
//
// A rule of a TD's that an instruction breaks, and what the TDX module does about it.
#pragma once

#include <cstdint>
#include <string_view>

namespace tdshim::td_emu {

enum class Exception : std::uint8_t {
    invalid_opcode = 6,
    general_protection = 13,
    virtualization = 20
};

struct BrokenRule {
    std::string_view text;
    Exception exception = Exception::virtualization;
};

} // namespace tdshim::td_emu
