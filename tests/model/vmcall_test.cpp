// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: TDVMCALL, its mask, and what an honest VMM answers.

#include <catch2/catch_test_macros.hpp>

#include "tests/model/fixture.hpp"

namespace tdshim::tdx_model { namespace {

constexpr std::uint64_t with_text = 0xFFCC; // R8 to R15, RDI, RSI, RBX, RDX

TEST_CASE(
    "MapGPA shares and takes back, and what comes back is pending, and zero when it is accepted",
    "[model]") {
    Fixture fixture;
    const std::uint64_t page = 8 * MiB;
    static_cast<void>(fixture.vmcall(0x10001, {{r12, page | shared_bit}, {r13, 8192}}));
    CHECK(fixture.registers[r10] == 0);
    CHECK(fixture.state(page + 4096) == PageState::shared);
    CHECK_FALSE(fixture.td.check_access({page}, 8, true));
    CHECK(fixture.td.check_access({page}, 8)->rule == "access to shared memory as private");
    CHECK(fixture.td.check_access({0}, 8, true)->rule == "access to private memory as shared");

    fixture.memory.bytes[page] = std::byte{1};
    static_cast<void>(fixture.vmcall(0x10001, {{r12, page}, {r13, 8192}}));
    CHECK(fixture.state(page) == PageState::pending);
    CHECK(fixture.td.check_access({page}, 8)->rule == "access to memory that is pending");
    CHECK(fixture.status({{rax, 6}, {rcx, page}}) == 0);
    CHECK(fixture.memory.bytes[page] == std::byte{0});
}

TEST_CASE("MapGPA of a private page leaves it as it is", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.vmcall(0x10001, {{r12, 0}, {r13, 4096}}));
    CHECK(fixture.registers[r10] == 0);
    CHECK(fixture.state(0) == PageState::accepted);
}

TEST_CASE("bad ranges of MapGPA are refused", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.vmcall(0x10001, {{r12, 0x800}, {r13, 4096}}));
    CHECK(fixture.registers[r10] == 0x8000'0000'0000'0002);
    static_cast<void>(fixture.vmcall(0x10001, {{r12, shared_bit - 4096}, {r13, 8192}}));
    CHECK(fixture.registers[r10] == 0x8000'0000'0000'0000);
    static_cast<void>(fixture.vmcall(0x10001, {{r12, 0}, {r13, ~std::uint64_t{0}}}));
    CHECK(fixture.registers[r10] == 0x8000'0000'0000'0000);
}

TEST_CASE("MMIO reaches the VMM's devices with its size, by shared and by plain addresses",
          "[model]") {
    Fixture fixture;
    static_cast<void>(
        fixture.vmcall(48, {{r12, 1}, {r13, 1}, {r14, ram_size | shared_bit}, {r15, 65}}));
    CHECK(fixture.registers[r10] == 0);
    static_cast<void>(fixture.vmcall(48, {{r12, 2}, {r13, 0}, {r14, ram_size}}));
    CHECK(fixture.registers[r11] == 0x7788);
    static_cast<void>(fixture.vmcall(48, {{r12, 8}, {r13, 0}, {r14, ram_size}}));
    CHECK(fixture.registers[r11] == 0x1122'3344'5566'7788);
    CHECK(fixture.vmm.said == "store 67108864/1=65 load 67108864/2 load 67108864/8 ");
}

TEST_CASE("MMIO of another size or direction, or of memory, is refused", "[model]") {
    Fixture fixture;
    const std::map<Register, std::uint64_t> good{{r12, 4}, {r13, 0}, {r14, ram_size}};
    const auto refuses = [&](Register number, std::uint64_t value) {
        std::map<Register, std::uint64_t> bad = good;
        bad[number] = value;
        static_cast<void>(fixture.vmcall(48, bad));
        return fixture.registers[r10] == 0x8000'0000'0000'0000;
    };
    for (const std::uint64_t size : {0ULL, 3ULL, 16ULL})
        CHECK(refuses(r12, size));
    CHECK(refuses(r13, 2));
    CHECK(refuses(r14, 0));               // accepted
    CHECK(refuses(r14, 8 * MiB));         // pending
    CHECK(refuses(r14, shared_bit << 1)); // no address
    CHECK_FALSE(refuses(r14, ram_size + 16));
    CHECK(fixture.vmm.said == "load 67108880/4 ");
}

TEST_CASE("a VMM without devices reads ones", "[model]") {
    struct PortsOnly : Vmm {
        [[nodiscard]] std::uint32_t read_port(std::uint16_t, unsigned) override { return 0; }
        void write_port(std::uint16_t, unsigned, std::uint32_t) override {}
        void halt(unsigned) override {}
    } vmm;
    vmm.write_mmio({0}, 4, 1);
    CHECK(vmm.read_mmio({0}, 4) == ~std::uint64_t{0});
}

TEST_CASE("TDG.VP.VEINFO.GET tells both addresses of an EPT violation", "[model]") {
    Fixture fixture;
    REQUIRE(fixture.td.raise_ve(0, {.exit_reason = 48,
                                    .exit_qualification = 0x182,
                                    .linear_address = 0x1234,
                                    .gpa = 0x5678 | shared_bit}));
    CHECK(fixture.status({{rax, 3}}) == 0);
    CHECK(fixture.registers[rcx] == 48);
    CHECK(fixture.registers[rdx] == 0x182);
    CHECK(fixture.registers[r8] == 0x1234);
    CHECK(fixture.registers[r9] == (0x5678 | shared_bit));
}

TEST_CASE("port I/O reaches the VMM with its size", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.vmcall(30, {{r12, 1}, {r13, 1}, {r14, 0x3F8}, {r15, 65}}));
    static_cast<void>(fixture.vmcall(30, {{r12, 4}, {r13, 0}, {r14, 0xCFC}}));
    CHECK(fixture.registers[r11] == 0xABCD);
    CHECK(fixture.vmm.said == "out 1016/1=65 in 3324/4 ");
    for (const std::uint64_t size : {0ULL, 3ULL, 8ULL}) {
        static_cast<void>(fixture.vmcall(30, {{r12, size}, {r13, 1}}));
        CHECK(fixture.registers[r10] == 0x8000'0000'0000'0000);
    }
    CHECK(fixture.vmm.said == "out 1016/1=65 in 3324/4 ");
}

TEST_CASE("HLT, CPUID and a fatal error", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.vmcall(12, {}, 1));
    CHECK(fixture.vmm.said == "halt 1 ");
    static_cast<void>(fixture.vmcall(10, {{r12, 0xB}}, 2));
    CHECK(fixture.registers[r15] == 2);
    const Outcome outcome = fixture.vmcall(
        0x10003,
        {{rcx, with_text}, {r14, 0x6C6B'6A69'6867'6665}, {r15, 0x6D}, {rbx, 0x6F6E}, {rdx, 0x7A}});
    CHECK(outcome.fatal_error == "efghijklmnoz");
    CHECK(fixture.vmcall(0x10003, {{rcx, with_text}, {r12, 1}, {r14, 0x65}}).fatal_error ==
          "(invalid error code, text dropped)");
}

TEST_CASE("a mask that shows RAX, RCX or RSP, or has reserved bits, is invalid", "[model]") {
    Fixture fixture;
    for (const std::uint64_t mask : {0xFC01ULL, 0xFC02ULL, 0xFC10ULL, 0xFC20ULL, 0x1'0000'FC00ULL})
        CHECK(fixture.status({{rax, 0}, {rcx, mask}, {r11, 12}}) == operand_rcx);
    CHECK(fixture.vmm.said.empty());
    CHECK(fixture.status({{rax, 0}, {rcx, 0xFFFF'FC00}, {r11, 12}}) == 0); // XMM registers may be
}

TEST_CASE("a VMM that may change RBP is shown it", "[model]") {
    Fixture fixture({.preserves_rbp = false});
    CHECK(fixture.status({{rax, 0}, {rcx, 0xFC20}, {r11, 12}}) == 0);
}

TEST_CASE("a register that the mask does not select is zero to the VMM", "[model]") {
    Fixture fixture;
    const auto shown = [&](std::uint64_t mask) {
        Registers seen{};
        fixture.registers = {};
        fixture.registers.fill(0x77);
        fixture.registers[rax] = 0;
        fixture.registers[rcx] = mask;
        const Outcome outcome = fixture.td.vmcall(fixture.registers, [&](Registers& registers) {
            seen = registers;
            registers.fill(0x99);
            return Outcome{};
        });
        CHECK_FALSE(outcome.finding);
        return seen;
    };
    Registers expected{};
    expected[rdx] = expected[r10] = expected[r15] = 0x77;
    CHECK(shown(0x8404) == expected);
    // And keeps its value.
    Registers after{};
    after.fill(0x77);
    after[rax] = 0;
    after[rcx] = 0x8404;
    after[rdx] = after[r10] = after[r15] = 0x99;
    CHECK(fixture.registers == after);
    CHECK(shown(0) == Registers{});
}

TEST_CASE("a call whose mask leaves out an operand is made with zero for it", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.vmcall(30, {{rcx, 0xBC00}, {r12, 1}, {r13, 1}, {r14, 0x3F8}}));
    CHECK(fixture.vmm.said == "out 0/1=0 ");
    static_cast<void>(fixture.vmcall(30, {{rcx, 0xF400}, {r12, 1}, {r14, 0x3F8}}));
    CHECK(fixture.registers[r10] == 0x8000'0000'0000'0003); // no sub-function 0
    CHECK(fixture.registers[r11] == 30);
    CHECK(fixture.vmcall(0x10003, {{r14, 0x6665}, {rbx, 0x6F6E}}).fatal_error == "ef");
}

TEST_CASE("an interrupt for events has a vector from 32 to 255", "[model]") {
    Fixture fixture;
    for (const auto& [vector, status] : std::map<std::uint64_t, std::uint64_t>{
             {31, 0x8000'0000'0000'0000}, {32, 0}, {255, 0}, {256, 0x8000'0000'0000'0000}}) {
        static_cast<void>(fixture.vmcall(0x10004, {{r12, vector}}));
        CHECK(fixture.registers[r10] == status);
    }
}

TEST_CASE("GetTdVmCallInfo tells which calls there are beyond the base", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.vmcall(0x10000, {{r13, 7}, {r14, 7}}));
    CHECK(fixture.registers[r10] == 0);
    CHECK(fixture.registers[r11] == 0);
    static_cast<void>(fixture.vmcall(0x10000, {{r12, 1}, {r13, 7}, {r14, 7}}));
    CHECK(fixture.registers[r10] == 0);
    CHECK(fixture.registers[r11] == 2); // SetupEventNotifyInterrupt
    CHECK((fixture.registers[r12] | fixture.registers[r13] | fixture.registers[r14]) == 0);
    static_cast<void>(fixture.vmcall(0x10000, {{r12, 2}}));
    CHECK(fixture.registers[r10] == 0x8000'0000'0000'0000);
}

TEST_CASE("unknown calls are told from those of another maker", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.vmcall(0x77, {}));
    CHECK(fixture.registers[r10] == 0x8000'0000'0000'0003);
    static_cast<void>(fixture.call({{rax, 0}, {rcx, 0xFC00}, {r10, 1}, {r11, 12}}));
    CHECK(fixture.registers[r10] == ~std::uint64_t{0});
    CHECK(fixture.vmm.said.empty());
}

}} // namespace tdshim::tdx_model
