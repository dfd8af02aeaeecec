// SPDX-License-Identifier: Apache-2.0
//
// The instructions that C++ has no words for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shim/base/bytes.hpp"

namespace tdshim::x86 {

inline void out8(std::uint16_t port, std::uint8_t value) {
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
inline void out16(std::uint16_t port, std::uint16_t value) {
    asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
inline void out32(std::uint16_t port, std::uint32_t value) {
    asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
[[nodiscard]] inline std::uint8_t in8(std::uint16_t port) {
    std::uint8_t value = 0;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
[[nodiscard]] inline std::uint32_t in32(std::uint16_t port) {
    std::uint32_t value = 0;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
/// Reads `destination.size()` bytes from one port.
inline void in8_repeated(std::uint16_t port, MutableBytes destination) {
    void* to = destination.data();
    std::size_t count = destination.size();
    asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}

struct CpuidResult {
    std::uint32_t eax, ebx, ecx, edx;
};
[[nodiscard]] inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
    CpuidResult result{};
    asm volatile("cpuid"
                 : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx), "=d"(result.edx)
                 : "a"(leaf), "c"(subleaf));
    return result;
}

inline void write_msr(std::uint32_t index, std::uint64_t value) {
    asm volatile("wrmsr"
                 :
                 : "c"(index), "a"(static_cast<std::uint32_t>(value)),
                   "d"(static_cast<std::uint32_t>(value >> 32)));
}

[[nodiscard]] inline std::uint64_t read_tsc() {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return std::uint64_t{high} << 32 | low;
}

[[nodiscard]] inline std::uint64_t read_cr0() {
    std::uint64_t value = 0;
    asm volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}
inline void write_cr0(std::uint64_t value) {
    asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}
[[nodiscard]] inline std::uint64_t read_cr2() {
    std::uint64_t value = 0;
    asm volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}
inline void write_cr3(std::uint64_t value) {
    asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

[[nodiscard]] inline std::uint64_t read_cr4() {
    std::uint64_t value = 0;
    asm volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}
inline void write_cr4(std::uint64_t value) {
    asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/// XCR0, which CR4.OSXSAVE makes reachable, as are the next.
[[nodiscard]] inline std::uint64_t read_xcr0() {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return std::uint64_t{high} << 32 | low;
}
inline void write_xcr0(std::uint64_t value) {
    asm volatile("xsetbv"
                 :
                 : "c"(0), "a"(static_cast<std::uint32_t>(value)),
                   "d"(static_cast<std::uint32_t>(value >> 32))
                 : "memory");
}
/// Zeroes all 16 registers of AVX. XCR0 must have it.
inline void clear_vectors() {
    asm volatile("vzeroall");
}

/// RDRAND, which CPUID must offer. False when it has no number ready.
[[nodiscard]] inline bool read_random(std::uint64_t& value) {
    bool is_ready = false;
    asm volatile("rdrand %0" : "=r"(value), "=@ccc"(is_ready));
    return is_ready;
}

/// Tells the processor that this is a loop that waits.
inline void pause() {
    asm volatile("pause");
}

[[noreturn]] inline void halt_forever() {
    for (;;)
        asm volatile("cli; hlt");
}

/// Resets the machine: without an IDT an exception ends in a shutdown [Intel SDM 3A, 6.15, #DF],
/// for which every chipset and VMM has a reset. It takes no device, so that it works on all.
[[noreturn]] inline void reset() {
    const std::array<std::uint16_t, 5> no_table{}; // limit and base
    asm volatile("lidt %0\n\t"
                 "ud2"
                 :
                 : "m"(no_table));
    halt_forever();
}

} // namespace tdshim::x86
