// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/instruction_emulation.hpp"

#include "shim/platform/td/tdvmcall.hpp"

namespace tdshim::td {
namespace {

// Exit reasons [Intel SDM 3D, appendix C].
enum Reason : std::uint32_t { cpuid = 10, hlt = 12, port_io = 30, rdmsr = 31, wrmsr = 32 };

constexpr std::uint64_t rflags_interrupts_enabled = 1 << 9;

/// A 32-bit result clears the upper half of its register.
void give(std::uint64_t& target, std::uint32_t value) {
    target = value;
}

Result<void> emulate_cpuid(GeneralRegisters& registers) {
    const auto values = TRY(read_cpuid(static_cast<std::uint32_t>(registers.rax),
                                       static_cast<std::uint32_t>(registers.rcx)));
    give(registers.rax, values.eax);
    give(registers.rbx, values.ebx);
    give(registers.rcx, values.ecx);
    give(registers.rdx, values.edx);
    return {};
}

/// The exit qualification of an I/O instruction [Intel SDM 3C, table 28-5].
struct IoAccess {
    unsigned size; ///< in bytes
    bool is_read;
    bool is_string;
    std::uint16_t port;

    explicit IoAccess(std::uint64_t qualification)
        : size((qualification & 7) + 1), is_read((qualification >> 3 & 1) != 0),
          is_string((qualification >> 4 & 1) != 0),
          port(static_cast<std::uint16_t>(qualification >> 16)) {}
};

Result<void> emulate_port_io(GeneralRegisters& registers, const VeInfo& info) {
    const IoAccess access(info.exit_qualification);
    if (access.is_string || (access.size != 1 && access.size != 2 && access.size != 4))
        return refuse(Fault::ve_not_emulated, 0, 0, info.exit_qualification);
    if (!access.is_read) {
        write_port(access.port, access.size, static_cast<std::uint32_t>(registers.rax));
        return {};
    }
    const std::uint32_t value = read_port(access.port, access.size);
    if (access.size == 4) {
        give(registers.rax, value);
        return {};
    }
    const std::uint64_t kept = ~std::uint64_t{0} << (8 * access.size);
    registers.rax = (registers.rax & kept) | value;
    return {};
}

Result<void> emulate_rdmsr(GeneralRegisters& registers) {
    const std::uint64_t value = TRY(read_msr(static_cast<std::uint32_t>(registers.rcx)));
    give(registers.rax, static_cast<std::uint32_t>(value));
    give(registers.rdx, static_cast<std::uint32_t>(value >> 32));
    return {};
}

} // namespace

Result<void> emulate(GeneralRegisters& registers, std::uint64_t rflags, const VeInfo& info) {
    switch (info.exit_reason) {
    case cpuid: return emulate_cpuid(registers);
    case hlt: return wait_for_interrupt((rflags & rflags_interrupts_enabled) == 0);
    case port_io: return emulate_port_io(registers, info);
    case rdmsr: return emulate_rdmsr(registers);
    case wrmsr:
        return write_msr(static_cast<std::uint32_t>(registers.rcx),
                         registers.rdx << 32 | static_cast<std::uint32_t>(registers.rax));
    default: return refuse(Fault::ve_not_emulated, 0, 0, info.exit_reason);
    }
}

} // namespace tdshim::td
