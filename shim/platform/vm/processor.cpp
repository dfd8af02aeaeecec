// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/vm/vm.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::vm {
namespace {

constexpr std::uint64_t cr0_not_write_through = 1 << 29;
constexpr std::uint64_t cr0_cache_disable = 1 << 30;
constexpr std::uint32_t msr_mtrr_default_type = 0x2FF;
constexpr std::uint64_t mtrr_enable_write_back = 0x806;

constinit measure::RegisterBank bank{};

} // namespace

void prepare_processor() {
    x86::write_cr0(x86::read_cr0() & ~(cr0_not_write_through | cr0_cache_disable));
    x86::write_msr(msr_mtrr_default_type, mtrr_enable_write_back);
}

measure::RegisterBank& registers() {
    return bank;
}

} // namespace tdshim::vm
