// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/x86/protection.hpp"

#include <cstdint>

#include "shim/platform/x86/instructions.hpp"

namespace tdshim::x86 {
namespace {

constexpr std::uint32_t features_leaf = 7;
constexpr std::uint32_t ebx_smep = 1 << 7;
constexpr std::uint32_t ebx_smap = 1 << 20;
constexpr std::uint32_t ecx_umip = 1 << 2;

constexpr std::uint64_t cr4_umip = 1 << 11;
constexpr std::uint64_t cr4_smep = 1 << 20;
constexpr std::uint64_t cr4_smap = 1 << 21;

} // namespace

void protect_supervisor() {
    if (cpuid(0).eax < features_leaf)
        return;
    const CpuidResult features = cpuid(features_leaf);
    std::uint64_t wanted = 0;
    if ((features.ebx & ebx_smep) != 0)
        wanted |= cr4_smep;
    if ((features.ebx & ebx_smap) != 0)
        wanted |= cr4_smap;
    if ((features.ecx & ecx_umip) != 0)
        wanted |= cr4_umip;
    if (wanted != 0)
        write_cr4(read_cr4() | wanted);
}

} // namespace tdshim::x86
