// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/x86/vectors.hpp"

#include <cstdint>

#include "shim/crypto/sha512.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::x86 {
namespace {

constexpr std::uint32_t ecx_xsave = 1 << 26; // of CPUID leaf 1
constexpr std::uint32_t ecx_avx = 1 << 28;
constexpr std::uint32_t ebx_bmi1 = 1 << 3; // of leaf 7
constexpr std::uint32_t ebx_avx2 = 1 << 5;
constexpr std::uint32_t ebx_bmi2 = 1 << 8;
constexpr std::uint32_t features_leaf = 7;
constexpr std::uint32_t state_leaf = 0xD; // EAX: what XCR0 may have

constexpr std::uint64_t cr4_osxsave = 1 << 18;
constexpr std::uint32_t xcr0_for_avx = 0b111; // x87, SSE, AVX

/// As they were before a run.
constinit std::uint64_t kept_cr4 = 0;
constinit std::uint64_t kept_xcr0 = 0;

constexpr bool has_all(std::uint32_t bits, std::uint32_t wanted) {
    return (bits & wanted) == wanted;
}

bool has_avx2() {
    return cpuid(0).eax >= state_leaf && has_all(cpuid(1).ecx, ecx_xsave | ecx_avx) &&
           has_all(cpuid(features_leaf).ebx, ebx_bmi1 | ebx_avx2 | ebx_bmi2) &&
           has_all(cpuid(state_leaf).eax, xcr0_for_avx);
}

bool begin() {
    kept_cr4 = read_cr4();
    write_cr4(kept_cr4 | cr4_osxsave);
    kept_xcr0 = read_xcr0();
    write_xcr0(kept_xcr0 | xcr0_for_avx);
    return true;
}

void end() {
    clear_vectors();
    write_xcr0(kept_xcr0);
    write_cr4(kept_cr4);
}

} // namespace

void hash_by_vectors() {
    if (has_avx2())
        crypto::use_vectors({.begin = begin, .end = end});
}

} // namespace tdshim::x86
