// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/hand_over_rules.hpp"

#include "shim/memory/layout.hpp"
#include "tools/td-emu/settings.hpp"

namespace tdshim::td_emu {
namespace {

bool is_in_reset_vector(std::uint64_t address) {
    return address >= layout::reset_vector.start().value &&
           address < layout::reset_vector.end().value;
}

} // namespace

bool is_parked(const Progress& vcpu) {
    const bool has_arrived =
        vcpu.position != 0 && align_down(vcpu.position, page_size) != stub_address;
    return (!has_arrived || is_in_reset_vector(vcpu.position)) &&
           (vcpu.root == 0 || is_in_reset_vector(vcpu.root));
}

} // namespace tdshim::td_emu
