// SPDX-License-Identifier: Apache-2.0
//
// tools/td-emu: what an instruction does in a TD, by its bytes, registers and the TD's build.

#include <array>
#include <initializer_list>

#include <catch2/catch_test_macros.hpp>

#include "tools/td-emu/plugin/rules.hpp"

namespace tdshim::td_emu { namespace {

using namespace tdx_model;

constexpr std::uint64_t perfmon = std::uint64_t{1} << 63;
constexpr std::uint64_t protection_keys = 1 << 9; // of XFAM
constexpr TdState usual{.attributes = 1 << 28, .xfam = 0xE7};

Special special_of(std::initializer_list<std::uint8_t> bytes) {
    const auto special = find_special(std::span(bytes.begin(), bytes.size()));
    REQUIRE(special);
    return *special;
}

std::optional<Exception> raised(std::initializer_list<std::uint8_t> bytes,
                                const Registers& registers = {}, const TdState& state = usual) {
    const auto rule = broken_rule(special_of(bytes), registers, state);
    return rule ? std::optional(rule->exception) : std::nullopt;
}

std::optional<Exception> cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0,
                               const VeControls& ve_controls = {}) {
    Registers registers{};
    registers[rax] = leaf;
    registers[rcx] = subleaf;
    return raised({0x0F, 0xA2}, registers,
                  {.attributes = usual.attributes, .xfam = usual.xfam, .ve_controls = ve_controls});
}

std::optional<Exception> xsetbv(std::uint64_t value, std::uint64_t index = 0,
                                std::uint64_t xfam = usual.xfam) {
    Registers registers{};
    registers[rcx] = index;
    registers[rax] = value & 0xFFFF'FFFF;
    registers[rdx] = value >> 32;
    return raised({0x0F, 0x01, 0xD1}, registers, {.attributes = usual.attributes, .xfam = xfam});
}

std::optional<Exception> cr4(std::uint64_t value, const TdState& state = usual) {
    Registers registers{};
    registers[rax] = value;
    return raised({0x0F, 0x22, 0xE0}, registers, state);
}

TEST_CASE("CPUID raises #VE by leaf and subleaf", "[td-emu]") {
    for (const std::uint32_t leaf : {0U, 1U, 4U, 7U, 0xDU, 0x21U, 0x8000'0008U})
        CHECK_FALSE(cpuid(leaf));
    for (const std::uint32_t leaf : {2U, 6U, 0xBU, 0x1AU, 0x1FU, 0x4000'0000U, 0x8000'0006U})
        CHECK(cpuid(leaf) == Exception::virtualization);
    CHECK_FALSE(cpuid(7, 2));
    CHECK(cpuid(7, 3) == Exception::virtualization);
    CHECK_FALSE(cpuid(0xD, 18));
    CHECK(cpuid(0xD, 19) == Exception::virtualization);
    CHECK(cpuid(0x21, 1) == Exception::virtualization);
    CHECK_FALSE(cpuid(1, 77));
}

TEST_CASE("CPUID of a leaf above the last is the last base leaf", "[td-emu]") {
    for (const std::uint32_t leaf : {0x24U, 0x3FFF'FFFFU, 0x5000'0000U, 0x8000'0009U, 0xFFFF'FFFFU})
        CHECK_FALSE(cpuid(leaf));
    CHECK(cpuid(0x24, 4) == Exception::virtualization);
}

TEST_CASE("a TD asks for fewer #VE by TD_CTLS, and for one at every CPUID", "[td-emu]") {
    using namespace controls;
    const VeControls topology{.td_ctls = enum_topology};
    CHECK_FALSE(cpuid(0xB, 2, topology));
    CHECK(cpuid(0xB, 3, topology) == Exception::virtualization);
    CHECK_FALSE(cpuid(0x1F, 5, topology));
    CHECK(cpuid(2, 0, topology) == Exception::virtualization);
    CHECK_FALSE(cpuid(2, 0, {.td_ctls = virt_cpuid2}));
    const VeControls reduced{.td_ctls = 0b1111};
    for (const std::uint32_t leaf : {2U, 6U, 0xBU, 0x16U, 0x1AU, 0x1FU, 0x8000'0006U})
        CHECK_FALSE(cpuid(leaf, 9, reduced));
    CHECK(cpuid(0x4000'0000, 0, reduced) == Exception::virtualization);
    for (const std::uint32_t leaf : {0U, 1U, 2U, 0x21U})
        CHECK(cpuid(leaf, 0, {.td_ctls = 0b1111, .cpuid = true}) == Exception::virtualization);

    const auto rdmsr = [](std::uint64_t index, std::uint64_t td_ctls) {
        Registers registers{};
        registers[rcx] = index;
        return raised({0x0F, 0x32}, registers, {.ve_controls = {.td_ctls = td_ctls}});
    };
    CHECK(rdmsr(0x802, 0) == Exception::virtualization);
    CHECK_FALSE(rdmsr(0x802, enum_topology));
    CHECK(rdmsr(0x2FF, 0) == Exception::virtualization);
    CHECK(rdmsr(0x2FF, 0b1111) == Exception::general_protection);
    CHECK(rdmsr(0x4000'0000, 0b1111) == Exception::virtualization); // no bit of the bitmap
}

TEST_CASE("XSETBV of what XFAM lacks raises #GP", "[td-emu]") {
    for (const std::uint64_t value : {1UL, 3UL, 7UL, 0xE7UL})
        CHECK_FALSE(xsetbv(value));
    for (const std::uint64_t value :
         {0UL, 2UL, 5UL, 0x27UL, 0xE3UL, 7UL | protection_keys, std::uint64_t{1} << 32 | 1})
        CHECK(xsetbv(value) == Exception::general_protection);
    CHECK(xsetbv(7, 0, 3) == Exception::general_protection);
    CHECK(xsetbv(1, 1) == Exception::general_protection);
    CHECK_FALSE(xsetbv(7 | protection_keys, 0, 0x2E7));
    CHECK(xsetbv(7 | 1 << 17, 0, 0x6'02E7) == Exception::general_protection);
    CHECK(xsetbv(7 | 1 << 11, 0, 0x18E7) == Exception::general_protection); // CET is XSS's
}

TEST_CASE("bits of CR4 come with XFAM and ATTRIBUTES", "[td-emu]") {
    constexpr std::uint64_t mce = 1 << 6;
    CHECK_FALSE(cr4(mce));
    CHECK(cr4(0) == Exception::virtualization);
    CHECK(cr4(mce | 1 << 13) == Exception::virtualization);
    for (const int bit : {15, 19, 22, 23, 24, 25, 26, 32})
        CHECK(cr4(mce | std::uint64_t{1} << bit) == Exception::general_protection);
    CHECK_FALSE(cr4(mce | 1 << 22, {.xfam = protection_keys}));
    CHECK(cr4(mce | 1 << 23, {.xfam = 1 << 11}) == Exception::general_protection);
    CHECK_FALSE(cr4(mce | 1 << 23, {.xfam = 1 << 11 | 1 << 12}));
    CHECK_FALSE(cr4(mce | 1 << 24, {.attributes = 1 << 30}));
    CHECK_FALSE(cr4(mce | 1 << 25, {.xfam = 1 << 14}));
    CHECK(cr4(mce | 1 << 19, {.attributes = ~std::uint64_t{0}, .xfam = ~std::uint64_t{0}}) ==
          Exception::general_protection);
    CHECK_FALSE(cr4(mce | 1 << 18)); // OSXSAVE
}

TEST_CASE("MONITOR, MWAIT and PCONFIG raise #VE, RDPMC #GP", "[td-emu]") {
    CHECK(raised({0x0F, 0x01, 0xC8}) == Exception::virtualization);
    CHECK(raised({0x0F, 0x01, 0xC9}) == Exception::virtualization);
    CHECK(raised({0x0F, 0x01, 0xC5}) == Exception::virtualization);
    CHECK(ve_info(special_of({0x0F, 0x01, 0xC9}), {}, 3).exit_reason == 36);
    CHECK(ve_info(special_of({0x0F, 0x01, 0xC8}), {}, 3).exit_reason == 39);
    CHECK(raised({0x0F, 0x33}) == Exception::general_protection);
    CHECK_FALSE(raised({0x0F, 0x33}, {}, {.attributes = perfmon}));
}

TEST_CASE("instructions of VMX, SMX, SGX and SMM raise #UD", "[td-emu]") {
    for (const auto bytes : {std::initializer_list<std::uint8_t>{0x0F, 0x37}, // GETSEC
                             {0x0F, 0x78, 0xC0},                              // VMREAD
                             {0x0F, 0x79, 0xC0},                              // VMWRITE
                             {0x0F, 0xAA},                                    // RSM
                             {0x0F, 0x01, 0xC2},                              // VMLAUNCH
                             {0x0F, 0x01, 0xC4},                              // VMXOFF
                             {0x0F, 0x01, 0xCF},                              // ENCLS
                             {0x66, 0x0F, 0x38, 0x80, 0x00},                  // INVEPT
                             {0xF3, 0x0F, 0xC7, 0x30},                        // VMXON
                             {0x0F, 0xC7, 0x30}})                             // VMPTRLD
        CHECK(raised(bytes) == Exception::invalid_opcode);
    constexpr auto rdrand = std::to_array<std::uint8_t>({0x48, 0x0F, 0xC7, 0xF0});
    constexpr auto compare_exchange = std::to_array<std::uint8_t>({0x0F, 0xC7, 0x08});
    CHECK_FALSE(find_special(rdrand));
    CHECK_FALSE(find_special(compare_exchange));
}

}} // namespace tdshim::td_emu
