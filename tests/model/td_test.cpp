// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: every leaf with its operands as the TDX module checks them, and TDVMCALL.

#include <cstring>
#include <map>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/tdx/report.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::tdx_model { namespace {

constexpr std::uint64_t ram_size = 64 * MiB;
constexpr std::uint64_t operand_rax = 0xC000'0100'0000'0000;
constexpr std::uint64_t operand_rcx = 0xC000'0100'0000'0001;
constexpr std::uint64_t operand_rdx = 0xC000'0100'0000'0002;
constexpr std::uint64_t operand_r8 = 0xC000'0100'0000'0008;
constexpr std::uint64_t shared_bit = std::uint64_t{1} << 51;

class ArrayMemory : public GuestMemory {
  public:
    [[nodiscard]] bool read(Gpa address, MutableBytes destination) override {
        if (address.value + destination.size() > bytes.size())
            return false;
        std::memcpy(destination.data(), bytes.data() + address.value, destination.size());
        return true;
    }
    [[nodiscard]] bool write(Gpa address, Bytes content) override {
        if (address.value + content.size() > bytes.size())
            return false;
        std::memcpy(bytes.data() + address.value, content.data(), content.size());
        return true;
    }
    std::vector<std::byte> bytes = std::vector<std::byte>(ram_size);
};

class RecordingVmm : public Vmm {
  public:
    [[nodiscard]] std::uint32_t read_port(std::uint16_t port, unsigned size) override {
        said += "in " + std::to_string(port) + "/" + std::to_string(size) + " ";
        return 0xABCD;
    }
    void write_port(std::uint16_t port, unsigned size, std::uint32_t value) override {
        said += "out " + std::to_string(port) + "/" + std::to_string(size) + "=" +
                std::to_string(value) + " ";
    }
    void halt(unsigned vcpu) override { said += "halt " + std::to_string(vcpu) + " "; }
    std::string said;
};

/// A TD of 64 MiB whose first MiB was added.
struct Fixture {
    explicit Fixture(bool grants_large_pages = true)
        : td({.gpa_width = 52, .vcpus = 3, .grants_large_pages = grants_large_pages}, memory, vmm) {
        td.pages().add_ram(GpaRange::between({0}, {ram_size}));
        td.pages().set(GpaRange::between({0}, {MiB}), PageState::accepted);
    }

    Outcome call(const std::map<Register, std::uint64_t>& in, unsigned vcpu = 0) {
        registers = {};
        for (const auto& [number, value] : in)
            registers[number] = value;
        return td.tdcall(vcpu, registers);
    }
    std::uint64_t status(const std::map<Register, std::uint64_t>& in) {
        static_cast<void>(call(in));
        return registers[rax];
    }
    Outcome vmcall(std::uint64_t function, std::map<Register, std::uint64_t> in,
                   unsigned vcpu = 0) {
        in[rax] = 0;
        in[rcx] = 0xFC00;
        in[r11] = function;
        return call(in, vcpu);
    }
    PageState state(std::uint64_t page) { return td.pages().state({page}); }

    ArrayMemory memory;
    RecordingVmm vmm;
    Td td;
    Registers registers{};
};

TEST_CASE("VP.INFO tells width, attributes, vCPUs and index", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.call({{rax, 1}}, 2));
    CHECK(fixture.registers[rax] == 0);
    CHECK(fixture.registers[rcx] == 52);
    CHECK(fixture.registers[rdx] == 1 << 28);
    CHECK(fixture.registers[r8] == (std::uint64_t{3} << 32 | 3));
    CHECK(fixture.registers[r9] == 2);
}

TEST_CASE("unknown leaves, versions and reserved bits are invalid", "[model]") {
    Fixture fixture;
    for (const std::uint64_t leaf : {99ULL, 0x1'0001ULL, 0x8000'0000'0000'0001ULL})
        CHECK(fixture.status({{rax, leaf}}) == operand_rax);
}

TEST_CASE("RTMR.EXTEND checks alignment, memory and index, in this order", "[model]") {
    Fixture fixture;
    CHECK(fixture.status({{rax, 2}, {rcx, 0x1020}, {rdx, 9}}) == operand_rcx);
    CHECK(fixture.status({{rax, 2}, {rcx, 2 * MiB}, {rdx, 9}}) == operand_rcx);
    CHECK(fixture.status({{rax, 2}, {rcx, 0x1000 | shared_bit}, {rdx, 0}}) == operand_rcx);
    CHECK(fixture.status({{rax, 2}, {rcx, 0x1000}, {rdx, 4}}) == operand_rdx);

    const crypto::Digest digest = crypto::sha384({});
    REQUIRE(fixture.memory.write({0x1000}, digest));
    CHECK(fixture.status({{rax, 2}, {rcx, 0x1000}, {rdx, 3}}) == 0);
    measure::RegisterBank expected;
    REQUIRE(expected.extend(3, digest));
    CHECK(fixture.td.registers().value(3) == expected.value(3));
    CHECK(fixture.td.registers().value(2) == crypto::Digest{});
}

TEST_CASE("MR.REPORT takes its data from inside the output, as Linux has it", "[model]") {
    Fixture fixture;
    const std::vector<std::byte> data(64, std::byte{0x5A});
    REQUIRE(fixture.memory.write({0x4000 + 128}, data));
    CHECK(fixture.status({{rax, 4}, {rcx, 0x4200}, {rdx, 0x4080}}) == operand_rcx);
    CHECK(fixture.status({{rax, 4}, {rcx, 0x4000}, {rdx, 0x4081}}) == operand_rdx);
    CHECK(fixture.status({{rax, 4}, {rcx, 0x4000}, {rdx, 0x4080}, {r8, 1}}) == operand_r8);
    CHECK(fixture.status({{rax, 4}, {rcx, 4 * MiB}, {rdx, 0x4080}}) == operand_rcx);
    CHECK(fixture.status({{rax, 4}, {rcx, 0x4000}, {rdx, 0x4080}}) == 0);
    const auto report = read_at<tdx::Report>(Bytes(fixture.memory.bytes).subspan(0x4000, 1024), 0);
    REQUIRE(report);
    CHECK(report->report_mac.type == 0x81);
    CHECK(report->report_mac.report_data[63] == std::byte{0x5A});
    CHECK(report->report_mac.tee_info_hash == crypto::sha384(bytes_of(report->td_info)));
    CHECK(std::memcmp(report->report_mac.mac.data(), "EMULATEDEMULATED", 16) == 0);
}

TEST_CASE("a pending page is accepted once, at either size", "[model]") {
    Fixture fixture;
    CHECK(fixture.status({{rax, 6}, {rcx, MiB}}) == 0);
    CHECK(fixture.state(MiB) == PageState::accepted);
    CHECK(fixture.status({{rax, 6}, {rcx, MiB}}) == 0x0000'0B0A'0000'0000);
    CHECK(fixture.status({{rax, 6}, {rcx, 2 * MiB | 1}}) == 0);
    CHECK(fixture.status({{rax, 6}, {rcx, 2 * MiB + 4096}}) == 0x0000'0B0A'0000'0001);
    CHECK(fixture.status({{rax, 6}, {rcx, 2 * MiB | 1}}) == 0x0000'0B0A'0000'0001);
    CHECK(fixture.td.counts().small_pages == 1);
    CHECK(fixture.td.counts().large_pages == 1);
}

TEST_CASE("a large page with a page of another state mismatches in size", "[model]") {
    Fixture fixture;
    CHECK(fixture.status({{rax, 6}, {rcx, 0 | 1}}) == 0xC000'0B0B'0000'0001);
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB + 8192}}) == 0);
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
    Fixture small(false);
    CHECK(small.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
}

TEST_CASE("pages that were accepted one by one are no large page", "[model]") {
    Fixture fixture;
    for (std::uint64_t page = 4 * MiB; page < 6 * MiB; page += 4096)
        CHECK(fixture.status({{rax, 6}, {rcx, page}}) == 0);
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB}}) == 0x0000'0B0A'0000'0000);
}

TEST_CASE("an accepted page is zero, whatever the VMM left there", "[model]") {
    Fixture fixture;
    for (const std::uint64_t at : {8 * MiB, 10 * MiB + 123, 12 * MiB - 1})
        fixture.memory.bytes[at] = std::byte{1};
    CHECK(fixture.status({{rax, 6}, {rcx, 8 * MiB}}) == 0);
    CHECK(fixture.status({{rax, 6}, {rcx, 10 * MiB | 1}}) == 0);
    for (const std::uint64_t at : {8 * MiB, 10 * MiB + 123, 12 * MiB - 1})
        CHECK(fixture.memory.bytes[at] == std::byte{0});
}

TEST_CASE("the VMM sees and sets the registers of the mask alone", "[model]") {
    Fixture fixture;
    // Port output with R15, the value, hidden.
    static_cast<void>(fixture.call(
        {{rax, 0}, {rcx, 0x7C00}, {r11, 30}, {r12, 1}, {r13, 1}, {r14, 0x3F8}, {r15, 65}}));
    CHECK(fixture.vmm.said == "out 1016/1=0 ");
    CHECK(fixture.registers[r15] == 65);
    // Port input with R11, which is the function and the answer, hidden: another function.
    static_cast<void>(
        fixture.call({{rax, 0}, {rcx, 0xF400}, {r11, 30}, {r12, 1}, {r13, 0}, {r14, 0x3F8}}));
    CHECK(fixture.vmm.said == "out 1016/1=0 ");
    CHECK(fixture.registers[r10] == 0x8000'0000'0000'0003);
    CHECK(fixture.registers[r11] == 30);
    // With R10 hidden there is no status: it stays what the TD put there.
    static_cast<void>(fixture.call({{rax, 0}, {rcx, 0xF800}, {r11, 0x77}}));
    CHECK(fixture.registers[r10] == 0);
}

TEST_CASE("bad operands of PAGE.ACCEPT are invalid", "[model]") {
    Fixture fixture;
    for (const std::uint64_t operand :
         {4 * MiB | 2, 4 * MiB | 8, 4 * MiB | shared_bit, 4 * MiB | std::uint64_t{1} << 52,
          (4 * MiB + 4096) | 1, 2 * ram_size})
        CHECK(fixture.status({{rax, 6}, {rcx, operand}}) == operand_rcx);
}

TEST_CASE("there is no #VE to ask about", "[model]") {
    Fixture fixture;
    CHECK(fixture.status({{rax, 3}}) == 0xC000'0704'0000'0000);
}

TEST_CASE("a #VE is told of once, to the vCPU that got it", "[model]") {
    Fixture fixture;
    CHECK(fixture.td.raise_ve(
        1, {.exit_reason = 30, .exit_qualification = 0x3F8'0008, .instruction_length = 2}));
    CHECK_FALSE(fixture.td.raise_ve(1, {.exit_reason = 10}));
    CHECK(fixture.td.raise_ve(2, {.exit_reason = 12}));
    static_cast<void>(fixture.call({{rax, 3}}, 1));
    CHECK(fixture.registers[rax] == 0);
    CHECK(fixture.registers[rcx] == 30);
    CHECK(fixture.registers[rdx] == 0x3F8'0008);
    CHECK(fixture.registers[r10] == 2);
    static_cast<void>(fixture.call({{rax, 3}, {rcx, 7}}, 1));
    CHECK(fixture.registers[rax] == 0xC000'0704'0000'0000);
    CHECK(fixture.registers[rcx] == 0);
    CHECK(fixture.td.raise_ve(1, {.exit_reason = 10}));
}

TEST_CASE("MapGPA shares and takes back, and what comes back is zero and pending", "[model]") {
    Fixture fixture;
    const std::uint64_t page = 8 * MiB;
    static_cast<void>(fixture.vmcall(0x10001, {{r12, page | shared_bit}, {r13, 8192}}));
    CHECK(fixture.registers[r10] == 0);
    CHECK(fixture.state(page + 4096) == PageState::shared);
    CHECK(fixture.status({{rax, 6}, {rcx, page}}) == operand_rcx);
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
    const std::map<Register, std::uint64_t> text{
        {rax, 0},    {rcx, 0xFFCC}, {r11, 0x10003}, {r14, 0x6C6B'6A69'6867'6665},
        {r15, 0x6D}, {rbx, 0x6F6E}, {rdx, 0x7A}};
    CHECK(fixture.call(text).fatal_error == "efghijklmnoz");
    auto hidden = text;
    hidden[rcx] = 0xFC00;
    CHECK(fixture.call(hidden).fatal_error == "efghijklm");
}

TEST_CASE("a mask that shows RAX, RCX or RSP, or has reserved bits, is invalid", "[model]") {
    Fixture fixture;
    for (const std::uint64_t mask : {0xFC01ULL, 0xFC02ULL, 0xFC10ULL, 0x1'0000'FC00ULL})
        CHECK(fixture.status({{rax, 0}, {rcx, mask}, {r11, 12}}) == operand_rcx);
    CHECK(fixture.vmm.said.empty());
}

TEST_CASE("unknown calls are told from those of another maker", "[model]") {
    Fixture fixture;
    static_cast<void>(fixture.vmcall(0x77, {}));
    CHECK(fixture.registers[r10] == 0x8000'0000'0000'0003);
    static_cast<void>(fixture.call({{rax, 0}, {rcx, 0xFC00}, {r10, 1}, {r11, 12}}));
    CHECK(fixture.registers[r10] == ~std::uint64_t{0});
    CHECK(fixture.vmm.said.empty());
}

TEST_CASE("an access is judged by both its ends", "[model]") {
    Fixture fixture;
    CHECK_FALSE(fixture.td.check_access({MiB - 8}, 8));
    CHECK(fixture.td.check_access({MiB - 4}, 8)->address == MiB + 3);
    CHECK(fixture.td.check_access({ram_size}, 1)->rule == "access to memory that is absent");
}

}} // namespace tdshim::tdx_model
