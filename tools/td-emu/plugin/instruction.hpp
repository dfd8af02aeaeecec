// SPDX-License-Identifier: Apache-2.0
//
// An instruction that the plugin watches, as its callbacks get it.
#pragma once

#include <cstdint>

#include "tools/td-emu/plugin/rules.hpp"

namespace tdshim::td_emu {

struct Instruction {
    std::uint64_t address;
    std::uint64_t next;
    Special special;
};

} // namespace tdshim::td_emu
