// SPDX-License-Identifier: Apache-2.0
//
// Writes the numbers of shim/memory/layout.hpp for NASM and for the linker script, so that they
// stand in one place.
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "shim/memory/layout.hpp"

namespace {

namespace layout = tdshim::layout;

struct Number {
    std::string_view name;
    std::uint64_t value;
};

constexpr auto numbers = std::to_array<Number>({
    {"layout_reset_vector", layout::reset_vector.start().value},
    {"layout_reset_vector_size", layout::reset_vector_size},
    {"layout_wakeup_reset", layout::wakeup_reset.value},
    {"layout_shim_rom", layout::shim_rom.start().value},
    {"layout_shim_rom_size", layout::shim_rom_size},
    {"layout_shim_code", layout::shim_code.start().value},
    {"layout_shim_code_size", layout::shim_code.size()},
    {"layout_shim_code_alias", layout::shim_code_alias},
    {"layout_shim_data", layout::shim_data.start().value},
    {"layout_shim_data_size", layout::shim_data.size()},
    {"layout_mailbox", layout::mailbox.start().value},
    {"layout_mailbox_state", layout::mailbox.start().value + layout::mailbox_state},
    {"layout_mailbox_worker", layout::mailbox.start().value + layout::mailbox_worker},
    {"layout_mailbox_claims_lock", layout::mailbox.start().value + layout::mailbox_claims_lock},
    {"layout_mailbox_claims", layout::mailbox.start().value + layout::mailbox_claims},
    {"layout_max_claims", layout::max_claims},
    {"layout_max_apic_id", layout::max_apic_id},
    {"layout_phase_park", layout::phase_park},
    {"layout_joined_one", layout::joined_one},
    {"layout_max_image_size", layout::max_image_size},
    {"layout_link_room_from_end", layout::link_room_from_end},
    {"layout_code_size_slot", layout::image_end - layout::code_size_slot_from_end},
    {"layout_entry_slot", layout::image_end - layout::entry_slot_from_end},
});

bool write(const char* path, std::string_view prefix, std::string_view between,
           std::string_view suffix) {
    std::ofstream file(path);
    for (const Number& number : numbers)
        file << prefix << number.name << between << number.value << suffix << '\n';
    return static_cast<bool>(file.flush());
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: layout_numbers NASM-FILE LINKER-SCRIPT-FILE\n", stderr);
        return 2;
    }
    return write(argv[1], "%define ", " ", "") && write(argv[2], "", " = ", ";") ? 0 : 1;
}
