// SPDX-License-Identifier: Apache-2.0
//
// The console: a 16550A at 0x3F8 [National Semiconductor PC16550D, June 1995].
#include "shim/platform/devices/devices.hpp"
#include "shim/platform/devices/ports.hpp"

namespace tdshim::devices {
namespace {

constexpr std::uint16_t data = 0x3F8;
constexpr std::uint16_t interrupt_enable = data + 1;
constexpr std::uint16_t fifo_control = data + 2;   // written
constexpr std::uint16_t identification = data + 2; // read
constexpr std::uint16_t line_control = data + 3;
constexpr std::uint16_t modem_control = data + 4;
constexpr std::uint16_t line_status = data + 5;

constexpr std::uint8_t divisor_latch = 0x80;
constexpr std::uint8_t eight_bits_no_parity = 0x03;
constexpr std::uint8_t takes_characters = 0x20; // the queue is empty
constexpr std::uint8_t all_sent = 0x40;

// A console that does not drain is the VMM's affair; the boot goes on without it.
constexpr int patience = 100'000;

// Where there are queues, identification says so. One has room for so many characters when it is
// empty, so that the line is asked once for all of them: in a TD every access is a call of the VMM.
constexpr std::uint8_t has_queues = 0xC0;
constexpr unsigned queue_size = 16;

constinit bool is_open = false;
constinit unsigned size_of_queue = 1;
constinit unsigned room = 0;

void wait_for_status(std::uint8_t bit) {
    for (int i = 0; i < patience && (in8(line_status) & bit) == 0; ++i)
        ;
}

void open() {
    out8(interrupt_enable, 0);
    out8(line_control, divisor_latch);
    out8(data, 1); // divisor 1: 115200 baud
    out8(interrupt_enable, 0);
    out8(line_control, eight_bits_no_parity);
    out8(fifo_control, 0x07);  // on, both queues cleared
    out8(modem_control, 0x03); // DTR, RTS
    if ((in8(identification) & has_queues) == has_queues)
        size_of_queue = queue_size;
    is_open = true;
}

} // namespace

void print_character(char c) {
    if (!is_open)
        open();
    if (room == 0) {
        wait_for_status(takes_characters);
        room = size_of_queue;
    }
    out8(data, static_cast<std::uint8_t>(c));
    --room;
}

void drain_console() {
    if (is_open)
        wait_for_status(all_sent);
}

} // namespace tdshim::devices
