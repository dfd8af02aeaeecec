// SPDX-License-Identifier: Apache-2.0
//
// FADTs that try to lead Linux around the policy for the VMM's AML.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "tests/native/aml_boot.hpp"
#include "tests/native/inputs.hpp"

using namespace tdshim;
using namespace tdshim::native;
using tdvf::AmlPolicy;

TEST_CASE("a FADT cannot lead around the policy", "[native][aml]") {
    const auto lead_to = [](Blob& fadt, std::uint32_t low, std::uint64_t high) {
        overwrite(fadt, offsetof(acpi::Fadt, dsdt), le32{low});
        overwrite(fadt, acpi::fadt_extended_dsdt, le64{high});
    };
    FileBoot boot{.volume = volume_of({vmm_ssdt(), vmm_dsdt()})};
    boot.files.leads_to_dsdt = false;
    for (const AmlPolicy policy : {AmlPolicy::measured, AmlPolicy::refuse, AmlPolicy::enrolled}) {
        boot.policy = policy;
        lead_to(boot.files.fadt, 64 * MiB, 0);
        CHECK(refusal_of(boot).starts_with(
            "etc/acpi/rsdp: ACPI table lies outside the loaded files (at 0x4000000"));
        lead_to(boot.files.fadt, 0, 3 * GiB);
        CHECK(refusal_of(boot).starts_with(
            "etc/acpi/rsdp: ACPI table lies outside the loaded files (at 0xc0000000"));
    }
    boot.policy = AmlPolicy::drop;
    Machine machine;
    prepare(machine, boot);
    const Outcome outcome = booted(machine);
    CHECK(std::ranges::equal(Handed(machine, outcome).dsdt, own_dsdt()));
}

TEST_CASE("a FADT that leads to another table is refused", "[native][aml]") {
    FileBoot boot{.policy = AmlPolicy::enrolled, .volume = volume_of({vmm_ssdt(), vmm_dsdt()})};
    overwrite(boot.files.fadt, offsetof(acpi::Fadt, dsdt), le32{Files::madt_at});
    overwrite(boot.files.fadt, acpi::fadt_extended_dsdt, le64{Files::madt_at});
    CHECK(refusal_of(boot).starts_with("etc/acpi/rsdp: ACPI table has a wrong signature"));
    // Where 32 and 64 bits differ Linux can be told to take either; it gets the admitted one only.
    overwrite(boot.files.fadt, acpi::fadt_extended_dsdt, le64{Files::dsdt_at});
    Machine machine;
    prepare(machine, boot);
    const Outcome outcome = booted(machine);
    CHECK(std::ranges::equal(Handed(machine, outcome).dsdt, vmm_dsdt()));
}

TEST_CASE("two FADTs are refused", "[native][aml]") {
    FileBoot boot;
    boot.files.lists_two_fadts = true;
    Launch launch;
    launch.extras.acpi_tables.push_back(launch.extras.acpi_tables[1]);
    for (const AmlPolicy policy : {AmlPolicy::measured, AmlPolicy::drop}) {
        boot.policy = policy;
        CHECK(refusal_of(boot) == "etc/acpi/rsdp: ACPI tables hold two FADTs");
        launch.options = option_of(policy);
        CHECK(refusal_of(launch).starts_with(
            "ACPI tables in the TD HOB: ACPI tables hold two FADTs (at 0x3"));
    }
}

TEST_CASE("a FADT of any length leads to the admitted DSDT or is refused", "[native][aml]") {
    for (const std::size_t size : {36UZ, 39UZ, 43UZ}) {
        FileBoot boot{.policy = AmlPolicy::drop};
        boot.files.leads_to_dsdt = false;
        boot.files.fadt = table({'F', 'A', 'C', 'P'}, size);
        CHECK(refusal_of(boot).starts_with("etc/acpi/rsdp: ACPI table has a wrong length"));
        boot.policy = AmlPolicy::enrolled;
        CHECK(refusal_of(boot).starts_with("etc/acpi/rsdp: input ends too early"));
    }
    for (const std::size_t size : {44UZ, 116UZ, 132UZ, 139UZ, 140UZ, 141UZ, 144UZ, 147UZ, 148UZ})
        for (const AmlPolicy policy : {AmlPolicy::drop, AmlPolicy::enrolled}) {
            FileBoot boot{.policy = policy, .volume = volume_of({vmm_ssdt(), vmm_dsdt()})};
            boot.files.fadt = table({'F', 'A', 'C', 'P'}, size);
            // Bytes of a field that the end cuts: Linux would take them for an address.
            for (std::size_t at = acpi::fadt_extended_dsdt; size < 148 && at < size; ++at)
                boot.files.fadt[at] = std::byte{0x5A};
            Machine machine;
            prepare(machine, boot);
            const Outcome outcome = booted(machine);
            const Handed handed(machine, outcome);
            CHECK(std::ranges::equal(handed.dsdt,
                                     policy == AmlPolicy::drop ? own_dsdt() : vmm_dsdt()));
            const Bytes fadt = handed.named("FACP");
            REQUIRE(fadt.size() == size);
            for (std::size_t at = acpi::fadt_extended_dsdt; size < 148 && at < size; ++at)
                CHECK(fadt[at] == std::byte{0});
        }
}

TEST_CASE("an admitted table does not change by the FADT that it lies in", "[native][aml]") {
    FileBoot boot{.policy = AmlPolicy::enrolled, .volume = volume_of({vmm_ssdt(), vmm_dsdt()})};
    boot.files.ssdt_at = Files::fadt_at + 100; // X_DSDT is the table's AML
    boot.files.leads_to_dsdt = false;
    boot.files.fadt = table({'F', 'A', 'C', 'P'}, sizeof(acpi::Fadt));
    Machine machine;
    prepare(machine, boot);
    Blob script = boot.files.script();
    // Leads to the DSDT by 32 bits, before the sum.
    const auto link = add_pointer("etc/acpi/tables", "etc/acpi/tables", Files::fadt_at + 40, 4);
    const Bytes command = bytes_of(link);
    script.insert(script.begin() + 2 * sizeof(link), command.begin(), command.end());
    machine.file("etc/table-loader") = script;
    const Outcome outcome = booted(machine);
    const Handed handed(machine, outcome);
    CHECK(std::ranges::equal(handed.named("SSDT"), vmm_ssdt()));
    CHECK(std::ranges::equal(handed.dsdt, vmm_dsdt()));
}
