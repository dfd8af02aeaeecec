// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: fields of the TD, of a vCPU and of the module, by TDG.VM.RD, VM.WR, VP.RD, VP.WR
// and SYS.RD.

#include <set>

#include <catch2/catch_test_macros.hpp>

#include "tests/model/fixture.hpp"

namespace tdshim::tdx_model { namespace {

constexpr std::uint64_t version_1 = 1 << 16;
constexpr std::uint64_t vm_rd = 7;
constexpr std::uint64_t vm_wr = 8;
constexpr std::uint64_t vp_rd = 9;
constexpr std::uint64_t vp_wr = 10;
constexpr std::uint64_t sys_rd = 11;

constexpr std::uint64_t id_incorrect = 0xC000'0C00'0000'0000;
constexpr std::uint64_t not_writable = 0xC000'0C01'0000'0000;
constexpr std::uint64_t not_readable = 0xC000'0C02'0000'0000;
constexpr std::uint64_t value_not_valid = 0xC000'0C03'0000'0000;
constexpr std::uint64_t first_in_context = 0x0000'0C0B'0000'0000;

constexpr std::uint64_t none = ~std::uint64_t{0};

// As Linux writes them [arch/x86/include/asm/shared/tdx.h].
constexpr std::uint64_t config_flags = 0x1110'0003'0000'0016;
constexpr std::uint64_t td_ctls = 0x1110'0003'0000'0017;
constexpr std::uint64_t notify_enables = 0x9100'0000'0000'0010;
constexpr std::uint64_t topology_enum_configured = 0x9100'0000'0000'0019;

struct Fields : Fixture {
    using Fixture::Fixture;

    /// Reads with garbage in R8, which an answer must replace.
    std::uint64_t read(std::uint64_t leaf, std::uint64_t id, unsigned vcpu = 0) {
        static_cast<void>(call({{rax, leaf}, {rdx, id}, {r8, 0x77}}, vcpu));
        return registers[rax];
    }
    std::uint64_t value(std::uint64_t leaf, std::uint64_t id, unsigned vcpu = 0) {
        CHECK(read(leaf, id, vcpu) == 0);
        return registers[r8];
    }
    std::uint64_t write(std::uint64_t leaf, std::uint64_t id, std::uint64_t to, std::uint64_t mask,
                        unsigned vcpu = 0) {
        static_cast<void>(call({{rax, leaf}, {rdx, id}, {r8, to}, {r9, mask}}, vcpu));
        return registers[rax];
    }
    /// All identifiers that a leaf tells of, each of which can be read.
    std::set<std::uint64_t> walk(std::uint64_t leaf) {
        std::set<std::uint64_t> ids;
        CHECK(read(leaf, none) == first_in_context);
        CHECK(registers[r8] == 0);
        for (std::uint64_t id = registers[rdx]; id != none; id = registers[rdx]) {
            CHECK(ids.insert(id).second);
            REQUIRE(read(leaf, id) == 0);
        }
        return ids;
    }
};

TEST_CASE("fields of the TD are read", "[model]") {
    Configuration configuration = Fixture::defaults;
    configuration.td_info.mrtd = crypto::sha384({});
    configuration.td_info.xfam = 0x6'00E7;
    Fields fields(configuration);
    CHECK(fields.value(vm_rd, 0x1110'0003'0000'0000) == 1 << 28); // ATTRIBUTES
    CHECK(fields.value(vm_rd, 0x1110'0003'0000'0001) == 0x6'00E7);
    CHECK(fields.value(vm_rd, 0x9010'0002'0000'0001) == 3); // NUM_VCPUS
    CHECK(fields.value(vm_rd, config_flags) == 0b101);      // GPAW, NO_RBP_MOD
    CHECK(fields.value(vm_rd, td_ctls) == 1);
    const std::vector<std::byte> mrtd(configuration.td_info.mrtd.begin(),
                                      configuration.td_info.mrtd.end());
    for (std::uint32_t i = 0; i < 6; ++i)
        CHECK(fields.value(vm_rd, 0x1310'0003'0000'0000 + i) ==
              read_at<le64>(Bytes(mrtd), 8 * i).value());
    Configuration with_little{.gpa_width = 48, .preserves_rbp = false};
    with_little.td_info.attributes = 0;
    Fields narrow(with_little);
    CHECK(narrow.value(vm_rd, config_flags) == 0);
    CHECK(narrow.value(vm_rd, td_ctls) == 0);
}

TEST_CASE("RTMRs are fields as well", "[model]") {
    Fields fields;
    const crypto::Digest digest = crypto::sha384({});
    REQUIRE(fields.memory.write({0x1000}, digest));
    CHECK(fields.status({{rax, 2}, {rcx, 0x1000}, {rdx, 2}}) == 0);
    measure::RegisterBank expected;
    REQUIRE(expected.extend(2, digest));
    const crypto::Digest rtmr = expected.value(2);
    CHECK(fields.value(vm_rd, 0x1310'0003'0000'0040 + 2 * 6 + 5) ==
          read_at<le64>(Bytes(rtmr), 40).value());
}

TEST_CASE("only class and code name a field", "[model]") {
    Fields fields;
    for (const std::uint64_t id : {td_ctls, 0x9100'0000'0000'0017UL, 0x1174'0002'0000'0017UL})
        CHECK(fields.value(vm_rd, id) == 1);
    for (const int reserved : {24, 31, 34, 37, 38, 46, 47, 49, 55, 62}) {
        CHECK(fields.read(vm_rd, td_ctls | std::uint64_t{1} << reserved) == id_incorrect);
        CHECK(fields.registers[r8] == 0);
    }
    CHECK(fields.read(vm_rd, 0x3F10'0003'0000'0000) == id_incorrect);
    CHECK(fields.read(vm_rd, none) == id_incorrect); // version 0 tells of no first field
    CHECK(fields.registers[rdx] == none);
}

TEST_CASE("what a guest may not read is told from what there is not", "[model]") {
    Fields fields;
    constexpr std::uint64_t eptp = 0x1110'0003'0000'0004;
    CHECK(fields.read(vm_rd, eptp) == not_readable);
    CHECK(fields.write(vm_wr, eptp, 0, none) == not_writable);
    CHECK(fields.write(vm_wr, 0x1110'0003'0000'0000, 1 << 28, none) == not_writable);
    CHECK(fields.write(vm_wr, topology_enum_configured, 0, none) == not_writable);
    CHECK(fields.read(sys_rd, 0x9000'0001'0000'0000) == not_readable); // NUM_CMRS
}

TEST_CASE("Linux writes NOTIFY_ENABLES, and TD_CTLS as far as it may", "[model]") {
    Fields fields;
    CHECK(fields.write(vm_wr, notify_enables, 0, none) == 0);
    CHECK(fields.registers[r8] == 0);
    CHECK(fields.write(vm_wr, notify_enables, 1, 1) == 0);
    CHECK(fields.value(vm_rd, notify_enables) == 1);
    CHECK(fields.write(vm_wr, notify_enables, 0, none) == 0);
    CHECK(fields.registers[r8] == 1);
    CHECK(fields.write(vm_wr, notify_enables, 2, none) == value_not_valid);
    CHECK(fields.registers[r8] == 0);
    CHECK(fields.write(vm_wr, notify_enables, 1, 0) == not_writable);

    CHECK(fields.write(vm_wr, td_ctls, 0, 1) == value_not_valid);
    CHECK(fields.write(vm_wr, td_ctls, 1, 1) == 0);
    CHECK(fields.registers[r8] == 1);
    CHECK(fields.write(vm_wr, td_ctls, 16, 16) == not_writable);
}

TEST_CASE("whether a pending page raises #VE is the TD's choice where the VMM says so", "[model]") {
    Configuration configuration = Fixture::defaults;
    configuration.flexible_pending_ve = true;
    configuration.td_info.attributes = 0;
    Fields fields(configuration);
    CHECK(fields.value(vm_rd, config_flags) == 0b111);
    CHECK(fields.value(vm_rd, td_ctls) == 0);
    CHECK(fields.write(vm_wr, td_ctls, 1, 1) == 0);
    CHECK(fields.value(vm_rd, td_ctls) == 1);
    CHECK(fields.write(vm_wr, td_ctls, 0, 1) == 0);
    CHECK(fields.value(vm_rd, td_ctls) == 0);
}

TEST_CASE("modules differ in what a guest may ask for about #VE", "[model]") {
    using namespace controls;
    const auto fields_of = [](ModuleVersion version) {
        Configuration configuration = Fixture::defaults;
        configuration.module_version = version;
        return configuration;
    };
    constexpr std::uint64_t features = 0x0A00'0003'0000'0008;

    Fields first(fields_of(ModuleVersion::v1_5_01));
    CHECK(first.read(vm_rd, topology_enum_configured) == id_incorrect);
    CHECK(first.write(vm_wr, topology_enum_configured, 0, none) == id_incorrect);
    CHECK(first.write(vm_wr, td_ctls, reduce_ve, reduce_ve) == not_writable);
    CHECK(first.write(vm_wr, td_ctls, enum_topology, enum_topology) == not_writable);
    CHECK(first.value(sys_rd, features) == (1 << 3 | 1 << 5 | 1 << 8 | 1 << 18));

    // Linux asks for REDUCE_VE first, and for ENUM_TOPOLOGY where it does not get that.
    Fields second(fields_of(ModuleVersion::v1_5_05));
    CHECK(second.write(vm_wr, td_ctls, reduce_ve, reduce_ve) == not_writable);
    CHECK(second.value(vm_rd, topology_enum_configured) == 1);
    CHECK(second.write(vm_wr, td_ctls, enum_topology, enum_topology) == 0);
    CHECK(second.value(vm_rd, td_ctls) == (pending_ve_disable | enum_topology));
    CHECK(second.td.ve_controls(0).td_ctls == (pending_ve_disable | enum_topology));
    CHECK((second.value(sys_rd, features) & 1 << 20) != 0);

    Fields third(fields_of(ModuleVersion::v2_0));
    CHECK(third.td.ve_controls(0).td_ctls == 0);
    CHECK(third.write(vm_wr, td_ctls, reduce_ve, reduce_ve) == 0);
    CHECK(third.registers[r8] == pending_ve_disable);
    CHECK(third.value(vm_rd, td_ctls) == 0b1111);
}

TEST_CASE("versions of VM.RD, and of other leaves", "[model]") {
    Fields fields;
    static_cast<void>(fields.call({{rax, vm_rd}, {rcx, 1}, {rdx, td_ctls}}));
    CHECK(fields.registers[rax] == operand_rcx);
    CHECK(fields.registers[rdx] == td_ctls);
    static_cast<void>(fields.call({{rax, vm_rd | version_1}, {rcx, 1}, {rdx, td_ctls}}));
    CHECK(fields.registers[rax] == operand_rcx);
    CHECK(fields.registers[rdx] == none);
    CHECK(fields.read(vm_rd | 2 * version_1, td_ctls) == operand_rax);
    CHECK(fields.read(vm_rd | 1 << 24, td_ctls) == operand_rax);
    for (const std::uint64_t leaf : {vm_wr, vp_rd, vp_wr, sys_rd})
        CHECK(fields.read(leaf | version_1, td_ctls) == operand_rax);
    for (const std::uint64_t leaf : {vm_wr, vp_rd, vp_wr})
        CHECK(fields.status({{rax, leaf}, {rcx, 1}, {rdx, td_ctls}}) == operand_rcx);
    // Version 0 leaves RDX alone; version 1 tells what comes next.
    CHECK(fields.value(vm_rd, config_flags) == 0b101);
    CHECK(fields.registers[rdx] == config_flags);
    CHECK(fields.value(vm_rd | version_1, config_flags) == 0b101);
    CHECK(fields.registers[rdx] == td_ctls);
}

TEST_CASE("fields are told one after the other", "[model]") {
    Fields fields;
    const auto of_td = fields.walk(vm_rd | version_1);
    CHECK(of_td.size() == 4 + 11 + 4 * 6 + 24 + 4 + 6 + 1 + 16);
    CHECK(of_td.contains(td_ctls));
    CHECK(of_td.contains(0x9110'0000'0000'0019)); // TOPOLOGY_ENUM_CONFIGURED
    CHECK(fields.walk(vp_rd).size() == 3 + 4 + 4 + 128);
    CHECK(fields.walk(sys_rd).contains(0x0A00'0003'0000'0008)); // TDX_FEATURES0
}

TEST_CASE("a vCPU has fields of its own", "[model]") {
    Fields fields;
    constexpr std::uint64_t vcpu_index = 0xA020'0002'0000'0002;
    constexpr std::uint64_t supervisor = 0xA020'0000'0000'0007;
    constexpr std::uint64_t user = 0xA020'0000'0000'0008;
    CHECK(fields.value(vp_rd, vcpu_index, 2) == 2);
    CHECK(fields.write(vp_wr, vcpu_index, 1, none, 2) == not_writable);
    CHECK(fields.write(vp_wr, user, 1, 0xFF, 2) == 0);
    CHECK(fields.value(vp_rd, user, 2) == 1);
    CHECK(fields.value(vp_rd, user, 1) == 0);
    CHECK(fields.read(vp_rd, 0x9010'0003'0000'0000) == not_readable); // RAX
    // CPUIDVE.SET sets two of them.
    CHECK(fields.status({{rax, 5}, {rcx, 4}}) == operand_rcx);
    static_cast<void>(fields.call({{rax, 5}, {rcx, 1}}, 2));
    CHECK(fields.registers[rax] == 0);
    CHECK(fields.value(vp_rd, supervisor, 2) == 1);
    CHECK(fields.td.ve_controls(2).cpuid);
    CHECK_FALSE(fields.td.ve_controls(1).cpuid);
    CHECK(fields.value(vp_rd, user, 2) == 0);
}

TEST_CASE("VP.INFO says that SYS.RD is there, and SYS.RD which module this is", "[model]") {
    Fields fields;
    CHECK(fields.status({{rax, 1}}) == 0);
    CHECK((fields.registers[r10] & 1) == 1);
    CHECK(fields.value(sys_rd, 0x0800'0002'0000'0000) == 0x8086);
    CHECK(fields.value(sys_rd, 0x0800'0001'0000'0004) == 2);
    CHECK(fields.value(sys_rd, 0x0800'0001'0000'0003) == 0);
    Configuration configuration = Fixture::defaults;
    configuration.module_version = ModuleVersion::v1_5_05;
    Fields older(configuration);
    CHECK(older.value(sys_rd, 0x0800'0001'0000'0004) == 1);
    CHECK(older.value(sys_rd, 0x0800'0001'0000'0003) == 5);
}

}} // namespace tdshim::tdx_model
