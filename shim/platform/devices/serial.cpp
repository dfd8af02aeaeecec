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
constexpr std::uint8_t transmitter_empty = 0x20;

// A console that does not drain is the VMM's affair; the boot goes on without it.
constexpr int patience = 100'000;

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
    for (int i = 0; i < patience && (in8(line_status) & transmitter_empty) == 0; ++i)
        ;
    out8(data, static_cast<std::uint8_t>(c));
}

} // namespace tdshim::devices
