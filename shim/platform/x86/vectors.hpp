// SPDX-License-Identifier: Apache-2.0
//
// The vector registers, which the shim itself is compiled without, for hashing.
#pragma once

namespace tdshim::x86 {

/// Lets crypto::Sha384 hash by AVX2 where the processor has it. The registers are turned on for a
/// run of blocks alone: CR4 and XCR0 are put back, so that a payload finds them as at reset, and
/// what was hashed does not stay in the registers. CPUID's leaves 1, 7 and 0xD are answered by the
/// TDX module itself, from what XFAM gives [Intel TDX Module 1.5 ABI, CPUID virtualization], and
/// XSETBV within that is the processor's [Intel SDM 1, 13.3]; a plain VM's host that promises more
/// than it has gets an exception.
void hash_by_vectors();

} // namespace tdshim::x86
