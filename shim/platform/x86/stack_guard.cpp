// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/x86/stack_guard.hpp"

#include <cstdint>

#include "shim/base/line.hpp"
#include "shim/platform/platform.hpp"
#include "shim/platform/x86/instructions.hpp"

// Both names are the compiler's.
extern "C" {
[[gnu::section(".kept")]] constinit std::uint64_t __stack_chk_guard = 0;

[[noreturn, gnu::used]] void __stack_chk_fail() {
    const auto place = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
    const tdshim::Line line = tdshim::Line()
                              << "tdshim: stack overwritten, found by the function at "
                              << tdshim::Hex{place}
                              << (tdshim::platform::is_td() ? ": halted" : ": reset");
    tdshim::platform::print_end(line.text());
    tdshim::platform::halt(line.text());
}
}

namespace tdshim::x86 {
namespace {

constexpr std::uint32_t ecx_rdrand = 1 << 30; // of CPUID leaf 1
constexpr int max_attempts = 10;              // [Intel SDM 1, 7.3.17.1]

// Spreads the few bits of the time stamp counter that differ from boot to boot.
constexpr std::uint64_t spread = 0x9E37'79B9'7F4A'7C15;

// A text that is copied too far ends at this byte.
constexpr std::uint64_t terminator_mask = ~std::uint64_t{0xFF};

} // namespace

// Every processor with TDX has RDRAND, and the VMM can neither see nor choose what it gives. A
// plain VM without it makes do with the time.
[[gnu::no_stack_protector]] bool choose_stack_guard() {
    std::uint64_t random = 0;
    bool is_random = false;
    if ((cpuid(1).ecx & ecx_rdrand) != 0)
        for (int i = 0; i < max_attempts && !is_random; ++i)
            is_random = read_random(random);
    __stack_chk_guard = (read_tsc() * spread ^ random) & terminator_mask;
    return is_random;
}

} // namespace tdshim::x86
