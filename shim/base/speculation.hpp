// SPDX-License-Identifier: Apache-2.0
//
// What stands between a check of a size or an offset that the VMM gave and its use: without it a
// processor may go on past the check before it knows the outcome, and touch what lies outside
// [Intel, Bounds Check Bypass; SDM 2A, LFENCE].
#pragma once

namespace tdshim {

/// Nothing behind it begins before everything in front of it is done. The host's tools and tests,
/// which hold no secrets, do without.
inline void speculation_barrier() {
    if constexpr (__STDC_HOSTED__ == 0)
        asm volatile("lfence" : : : "memory");
}

} // namespace tdshim
