// SPDX-License-Identifier: Apache-2.0
//
// The little chipset set-up that QEMU's q35 machine needs before Linux. Bus numbers, BARs and
// interrupts Linux assigns itself.
#include "shim/formats/q35/chipset.hpp"

#include "shim/platform/devices/devices.hpp"
#include "shim/platform/devices/ports.hpp"

namespace tdshim::devices {
namespace {

struct Ports {
    static std::uint32_t in32(std::uint16_t port) { return devices::in32(port); }
    static void out32(std::uint16_t port, std::uint32_t value) { devices::out32(port, value); }
};

} // namespace

void prepare_q35() {
    Ports ports;
    static_cast<void>(q35::set_up(ports));
}

} // namespace tdshim::devices
