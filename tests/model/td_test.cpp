// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: leaves with their operands as the TDX module checks them.

#include <array>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/tdx/report.hpp"
#include "tests/model/fixture.hpp"

namespace tdshim::tdx_model { namespace {

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
    CHECK(fixture.call({{rax, 2}, {rcx, 2 * MiB}, {rdx, 9}}).finding->rule ==
          "access to memory that is pending");
    CHECK(fixture.status({{rax, 2}, {rcx, std::uint64_t{1} << 53}, {rdx, 0}}) == operand_rcx);
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
    CHECK(fixture.status({{rax, 4}, {rcx, 0x4000}, {rdx, 0x4080}}) == 0);
    const auto report = read_at<tdx::Report>(Bytes(fixture.memory.bytes).subspan(0x4000, 1024), 0);
    REQUIRE(report);
    CHECK(report->report_mac.type == 0x81);
    CHECK(report->report_mac.report_data[63] == std::byte{0x5A});
    CHECK(report->report_mac.tee_info_hash == crypto::sha384(bytes_of(report->td_info)));
    CHECK(std::memcmp(report->report_mac.mac.data(), "EMULATEDEMULATED", 16) == 0);
}

TEST_CASE("a report and the fields repeat what the VMM said of the TD", "[model]") {
    Configuration configuration = Fixture::defaults;
    configuration.td_info.attributes = 0x1000'0001;
    configuration.td_info.xfam = 0x6'00E7;
    configuration.td_info.mrtd.fill(std::byte{1});
    configuration.td_info.mr_config_id.fill(std::byte{2});
    configuration.td_info.mr_owner.fill(std::byte{3});
    configuration.td_info.mr_owner_config.fill(std::byte{4});
    Fixture fixture(configuration);
    const std::array<std::byte, 64> no_data{};
    const auto bytes = fixture.td.report(no_data);
    const auto report = read_at<tdx::Report>(Bytes(bytes), 0);
    REQUIRE(report);
    CHECK(report->td_info.attributes == 0x1000'0001);
    CHECK(report->td_info.xfam == 0x6'00E7);
    CHECK(report->td_info.mrtd == configuration.td_info.mrtd);
    CHECK(report->td_info.mr_config_id == configuration.td_info.mr_config_id);
    CHECK(report->td_info.mr_owner == configuration.td_info.mr_owner);
    CHECK(report->td_info.mr_owner_config == configuration.td_info.mr_owner_config);
    for (const auto& [field, word] :
         std::map<std::uint64_t, std::uint64_t>{{0x1310'0003'0000'0010, 0x0202'0202'0202'0202},
                                                {0x1310'0003'0000'001D, 0x0303'0303'0303'0303},
                                                {0x1310'0003'0000'0022, 0x0404'0404'0404'0404}}) {
        CHECK(fixture.status({{rax, 7}, {rdx, field}}) == 0);
        CHECK(fixture.registers[r8] == word);
    }
}

TEST_CASE("MR.REPORT checks both alignments, the data, the subtype and the place", "[model]") {
    Fixture fixture;
    const auto with = [](std::uint64_t place, std::uint64_t data, std::uint64_t subtype) {
        return std::map<Register, std::uint64_t>{
            {rax, 4}, {rcx, place}, {rdx, data}, {r8, subtype}};
    };
    constexpr std::uint64_t pending = 4 * MiB;
    constexpr std::uint64_t beyond = std::uint64_t{1} << 53;
    CHECK(fixture.status(with(pending + 0x200, 0x4081, 1)) == operand_rcx);
    CHECK(fixture.status(with(pending, 0x4081, 1)) == operand_rdx);
    CHECK(fixture.status(with(pending, beyond, 1)) == operand_rdx);
    CHECK(fixture.call(with(beyond, pending, 1)).finding->address == pending);
    CHECK(fixture.status(with(pending, 0x4080, 1)) == operand_r8);
    CHECK(fixture.status(with(pending, 0x4080, 1ULL << 32)) == operand_r8);
    CHECK(fixture.status(with(beyond, 0x4080, 0)) == operand_rcx);
    const auto finding = fixture.call(with(pending, 0x4080, 0)).finding;
    REQUIRE(finding);
    CHECK(finding->rule == "access to memory that is pending");
    CHECK(finding->address == pending);
}

TEST_CASE("operands of MR.REPORT may be shared, of RTMR.EXTEND they may not", "[model]") {
    Fixture fixture;
    fixture.td.pages().set(GpaRange::between({0x4000}, {0x5000}), PageState::shared);
    constexpr std::uint64_t shared = 0x4000 | shared_bit;
    CHECK(fixture.status({{rax, 4}, {rcx, shared}, {rdx, shared | 0x400}}) == 0);
    CHECK(fixture.memory.bytes[0x4000] == std::byte{0x81});
    CHECK(fixture.call({{rax, 4}, {rcx, 0x4000}, {rdx, 0}}).finding->rule ==
          "access to shared memory as private");
    CHECK(fixture.call({{rax, 4}, {rcx, shared_bit}, {rdx, 0}}).finding->rule ==
          "access to private memory as shared");
    CHECK(fixture.status({{rax, 2}, {rcx, shared}, {rdx, 0}}) == operand_rcx);
    CHECK(fixture.call({{rax, 2}, {rcx, 0x4000}, {rdx, 0}}).finding);
}

TEST_CASE("MR.VERIFYREPORT knows what this model made", "[model]") {
    Fixture fixture;
    constexpr std::uint64_t verify = 22;
    constexpr std::uint64_t invalid_cpu_svn = 0xC000'1000'0000'0000;
    constexpr std::uint64_t invalid_report = 0xC000'1001'0000'0000;
    CHECK(fixture.status({{rax, 4}, {rcx, 0x4000}, {rdx, 0x5000}}) == 0);
    CHECK(fixture.status({{rax, verify}, {rcx, 0x4000}}) == 0);
    CHECK(fixture.status({{rax, verify}, {rcx, 0x4080}}) == operand_rcx);
    CHECK(fixture.status({{rax, verify}, {rcx, 0x4000 | shared_bit}}) == operand_rcx);
    CHECK(fixture.status({{rax, verify}, {rcx, 0x4100}}) == invalid_report); // TEE_TCB_INFO
    const auto with_changed = [&](std::size_t offset) {
        fixture.memory.bytes[0x4000 + offset] ^= std::byte{1};
        const std::uint64_t status = fixture.status({{rax, verify}, {rcx, 0x4000}});
        fixture.memory.bytes[0x4000 + offset] ^= std::byte{1};
        return status;
    };
    for (const std::size_t offset : {0U, 1U, 15U, 192U, 224U, 255U})
        CHECK(with_changed(offset) == invalid_report);
    CHECK(with_changed(16) == invalid_cpu_svn);
}

TEST_CASE("what a TD has done can be asked while its vCPUs run", "[model]") {
    Fixture fixture;
    constexpr int rounds = 200;
    std::vector<std::thread> vcpus;
    for (unsigned vcpu = 0; vcpu < 3; ++vcpu)
        vcpus.emplace_back([&fixture, vcpu] {
            for (int i = 0; i < rounds; ++i) {
                Registers registers{};
                registers[rax] = 2;
                registers[rcx] = 0x1000;
                registers[rdx] = vcpu;
                static_cast<void>(fixture.td.tdcall(vcpu, registers));
            }
        });
    const std::array<std::byte, 64> no_data{};
    for (int i = 0; i < rounds; ++i) {
        static_cast<void>(fixture.td.report(no_data));
        static_cast<void>(fixture.td.registers());
        static_cast<void>(fixture.td.counts());
        static_cast<void>(fixture.td.check_access({0}, 8));
    }
    for (std::thread& vcpu : vcpus)
        vcpu.join();
    CHECK(fixture.td.counts().tdcalls.at(2) == 3 * rounds);
    CHECK(fixture.td.registers().value(0) == fixture.td.registers().value(2));
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

}} // namespace tdshim::tdx_model
