// SPDX-License-Identifier: Apache-2.0
//
// What must be so when the payload begins, whoever is scheduled how and whatever page went: no
// other processor is inside of the shim, whose memory is the payload's from now on, and none of the
// shim's pages waits for somebody to accept it. In tdshim's own images only.
#pragma once

#include <cstdint>

#include "tools/td-emu/plugin/qemu_api.hpp"

namespace tdshim::td_emu {

/// To be called for every block that is translated: from then on it is known which one a vCPU
/// executed last.
void watch_positions(qemu_plugin_tb* block);

/// Where the block begins that `vcpu` executed last, 0 before any.
[[nodiscard]] std::uint64_t last_block(unsigned vcpu);

/// `vcpu` is about to load CR3 with `root`.
void note_page_tables(unsigned vcpu, std::uint64_t root);

/// `vcpu` is at the payload's first instruction, `entry`. Does not return where a rule is broken.
void check_hand_over_by(unsigned vcpu, std::uint64_t entry);

} // namespace tdshim::td_emu
