// SPDX-License-Identifier: Apache-2.0
//
// #VE: instructions that a TD's processor does not execute are provoked one by one; the handler
// notes why each came and asks the VMM for what it wants. In a plain VM the same instructions are
// executed.
#include <optional>

#include "payload/runtime/acpi.hpp"
#include "payload/runtime/exceptions.hpp"
#include "payload/selftest/checks.hpp"
#include "shim/platform/devices/ports.hpp"
#include "shim/platform/td/tdcall.hpp"
#include "shim/platform/x86/address_space.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::selftest {
namespace {

// Exit reasons [Intel SDM 3D, appendix C].
constexpr std::uint32_t cpuid_reason = 10;
constexpr std::uint32_t port_reason = 30;
constexpr std::uint32_t rdmsr_reason = 31;
constexpr std::uint32_t wrmsr_reason = 32;
constexpr std::uint32_t memory_reason = 48;

constinit std::uint64_t ve_count = 0;
constinit td::VeInfo last_ve{};

bool note_ve(runtime::Frame& frame) {
    const auto info = td::read_ve_info();
    if (!info)
        return false;
    ++ve_count;
    last_ve = *info;
    return runtime::emulate_ve(frame, *info).has_value();
}

/// What went on since it was made.
class Watch {
  public:
    /// Exactly one #VE for that reason in a TD, none in a plain VM.
    [[nodiscard]] bool saw(std::uint32_t reason) const {
        const std::uint64_t count = ve_count - before_;
        return runtime::is_td() ? count == 1 && last_ve.exit_reason == reason : count == 0;
    }
    [[nodiscard]] bool saw_nothing() const { return ve_count == before_; }

  private:
    std::uint64_t before_ = ve_count;
};

Line found(std::uint64_t value) {
    return Line() << "found " << Hex{value} << ", last #VE " << std::uint64_t{last_ve.exit_reason};
}

std::uint64_t read_msr(std::uint32_t index) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return std::uint64_t{high} << 32 | low;
}

void check_cpuid(Checks& checks) {
    constexpr std::uint32_t module_signature_leaf = 0x21;
    constexpr std::uint32_t cache_leaf = 2; // the VMM's to answer
    const Watch native;
    static_cast<void>(x86::cpuid(module_signature_leaf));
    checks.check("#VE: CPUID of a leaf that is the module's raises none", native.saw_nothing());
    const Watch watch;
    const x86::CpuidResult result = x86::cpuid(cache_leaf);
    checks.check("#VE: CPUID of a leaf that is the VMM's", watch.saw(cpuid_reason),
                 found(result.eax));
}

void check_ports(Checks& checks) {
    constexpr std::uint16_t scratch = 0x3FF; // of the serial port
    constexpr std::uint8_t written = 0x5A;
    const Watch out;
    x86::out8(scratch, written);
    checks.check("#VE: output to a port", out.saw(port_reason));
    const Watch in;
    const std::uint8_t read = x86::in8(scratch);
    checks.check("#VE: input from a port", in.saw(port_reason) && read == written, found(read));
}

void check_msrs(Checks& checks) {
    constexpr std::uint32_t apic_base = 0x1B;
    const Watch read;
    const std::uint64_t value = read_msr(apic_base);
    checks.check("#VE: RDMSR", read.saw(rdmsr_reason), found(value));
    const Watch write;
    x86::write_msr(apic_base, value);
    checks.check("#VE: WRMSR", write.saw(wrmsr_reason));
    const Watch native;
    constexpr std::uint32_t pat = 0x277;
    const std::uint64_t kept = read_msr(pat);
    x86::write_msr(pat, kept);
    checks.check("#VE: RDMSR and WRMSR of PAT raise none", native.saw_nothing());
}

/// Identity of the host bridge, by the ports that every PC has for it.
std::uint32_t bridge_by_ports() {
    constexpr std::uint32_t first_device = 0x8000'0000;
    devices::out32(0xCF8, first_device);
    return devices::in32(0xCFC);
}

/// A register that keeps what is written: the interrupt line [PCI Local Bus 3.0, 6.2.4].
void check_mmio_write(Checks& checks, std::uint64_t base) {
    constexpr std::uint64_t interrupt_line = 0x3C;
    constexpr std::uint8_t written = 0x0B;
    std::uint8_t read = 0;
    const std::uint64_t at = base + interrupt_line;
    const Watch store;
    asm volatile("movb %0, (%1)" : : "q"(written), "r"(at) : "memory");
    checks.check("#VE: MMIO write", store.saw(memory_reason));
    const Watch load;
    asm volatile("movb (%1), %0" : "=q"(read) : "r"(at) : "memory");
    checks.check("#VE: MMIO read of what was written", load.saw(memory_reason) && read == written,
                 found(read));
}

void check_mmio(Checks& checks, const runtime::HobList& machine) {
    const auto base = runtime::read_mcfg(machine.find_table("MCFG").value_or(Bytes{}));
    if (!base) {
        checks.skip("#VE: MMIO", "there is no MCFG");
        return;
    }
    const GpaRange registers = GpaRange::between(*base, {base->value + page_size});
    const auto mapped = runtime::map_device(registers);
    checks.check("MMIO: a device's registers can be mapped", mapped);
    if (!mapped)
        return;
    std::uint32_t identity = 0;
    const Watch watch;
    asm volatile("movl (%1), %0" : "=r"(identity) : "r"(base->value) : "memory");
    checks.check("#VE: MMIO read", watch.saw(memory_reason) && identity == bridge_by_ports(),
                 found(identity));
    check_mmio_write(checks, base->value);
}

} // namespace

void check_exceptions(Checks& checks, const runtime::HobList& machine) {
    runtime::set_handler(runtime::virtualization_exception, note_ve);
    check_cpuid(checks);
    check_ports(checks);
    check_msrs(checks);
    check_mmio(checks, machine);
    runtime::set_handler(runtime::virtualization_exception, runtime::handle_ve);
}

} // namespace tdshim::selftest
