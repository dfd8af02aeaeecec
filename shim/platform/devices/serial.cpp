// SPDX-License-Identifier: Apache-2.0
//
// The console: a 16550 at 0x3F8.
#include "shim/platform/devices/devices.hpp"
#include "shim/platform/devices/ports.hpp"

namespace tdshim::devices {
namespace {

constexpr std::uint16_t data = 0x3F8;
constexpr std::uint16_t interrupt_enable = data + 1;
constexpr std::uint16_t fifo_control = data + 2;
constexpr std::uint16_t line_control = data + 3;
constexpr std::uint16_t modem_control = data + 4;
constexpr std::uint16_t line_status = data + 5;

constexpr std::uint8_t divisor_latch = 0x80;
constexpr std::uint8_t eight_bits_no_parity = 0x03;
constexpr std::uint8_t takes_character = 0x20;
constexpr std::uint8_t all_sent = 0x40;

// A console that does not drain is the VMM's affair; the boot goes on without it.
constexpr int patience = 100'000;

void wait_for_status(std::uint8_t bit) {
    for (int i = 0; i < patience && (in8(line_status) & bit) == 0; ++i)
        ;
}

} // namespace

void open_console() {
    out8(interrupt_enable, 0);
    out8(line_control, divisor_latch);
    out8(data, 1); // divisor 1: 115200 baud
    out8(interrupt_enable, 0);
    out8(line_control, eight_bits_no_parity);
    out8(fifo_control, 0x07);  // on, both queues cleared
    out8(modem_control, 0x03); // DTR, RTS
}

void print_character(char c) {
    wait_for_status(takes_character);
    out8(data, static_cast<std::uint8_t>(c));
}

void drain_console() {
    wait_for_status(all_sent);
}

} // namespace tdshim::devices
