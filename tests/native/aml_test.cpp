// SPDX-License-Identifier: Apache-2.0
//
// Whole boots of images with each policy for the VMM's AML, with tables by fw_cfg and in a TD HOB:
// what Linux gets, what was measured, what is refused.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "shim/base/line.hpp"
#include "shim/formats/cfv/enrolment.hpp"
#include "shim/measure/register_bank.hpp"
#include "tests/native/aml_boot.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/logged.hpp"

using namespace tdshim;
using namespace tdshim::native;
using tdvf::AmlPolicy;

namespace {

bool holds(const Outcome& outcome, std::string_view line) {
    return std::ranges::contains(outcome.console, line);
}

/// RTMR[0] of a boot whose digests are of these and that went on.
crypto::Digest register_of(const std::vector<Blob>& inputs) {
    measure::RegisterBank bank;
    for (const Blob& input : inputs)
        REQUIRE(bank.extend(0, crypto::sha384(input)));
    REQUIRE(bank.extend(0, crypto::sha384(Blob(4))));
    return bank.value(0);
}

std::vector<Blob> files_of(Machine& machine) {
    std::vector<Blob> files;
    for (const auto* name : {"etc/table-loader", "etc/acpi/rsdp", "etc/acpi/tables"})
        files.push_back(named_file(name, machine.file(name)));
    return files;
}

/// What is measured of the machine's memory, before its tables.
void add_memory(std::vector<Blob>& inputs, Machine& machine, bool is_td) {
    if (!is_td) {
        inputs.push_back(named_config("etc/e820", machine.file("etc/e820")));
        return;
    }
    inputs.push_back(good_td_hob());
    inputs.push_back(named_config("accept", bytes_of(std::string_view("lazy"))));
}

/// A TD's console has the first eight bytes of the digest.
std::string line_about(std::string_view name, const Blob& bytes, bool is_td) {
    const crypto::Digest digest = crypto::sha384(bytes);
    Line line;
    line << "tdshim: aml: " << name << ", " << std::uint64_t{bytes.size()} << " bytes, sha384 "
         << Bytes(digest).first(is_td ? 8 : digest.size()) << (is_td ? "..." : "");
    return std::string(line.text());
}

constexpr std::string_view not_enrolled = ": AML of the VMM's that is not enrolled";
constexpr std::string_view refused = ": AML of the VMM's, which the image refuses";

std::string about(std::string_view table, std::string_view reason) {
    return std::string(table) + " of the VMM" + std::string(reason);
}
} // namespace

TEST_CASE("AML is measured and handed on by default", "[native][aml]") {
    Machine machine;
    prepare(machine, {});
    const Outcome outcome = booted(machine);
    const Handed handed(machine, outcome);
    CHECK(std::ranges::equal(handed.dsdt, vmm_dsdt()));
    CHECK(std::ranges::equal(handed.named("SSDT"), vmm_ssdt()));
    std::vector<Blob> inputs;
    add_memory(inputs, machine, false);
    inputs.append_range(files_of(machine));
    CHECK(machine.registers().value(0) == register_of(inputs));
}

TEST_CASE("dropped AML: a DSDT and FACS of the shim's, all else of the VMM's", "[native][aml]") {
    for (const bool is_td : {false, true}) {
        Machine machine;
        prepare(machine, {.policy = AmlPolicy::drop, .is_td = is_td});
        const Outcome outcome = booted(machine);
        const Handed handed(machine, outcome);
        CHECK(handed.tables.size() == 3); // FADT, MADT, CCEL
        CHECK(std::ranges::equal(handed.dsdt, own_dsdt()));
        CHECK(std::string_view(reinterpret_cast<const char*>(handed.facs.data()), 4) == "FACS");
        CHECK(handed.fadt.facs != 0);
        CHECK(handed.named("SSDT").empty());
        CHECK(holds(outcome, "tdshim: policy: aml=drop"));
        CHECK(holds(outcome, "tdshim: aml: SSDT of the VMM, 100 bytes, dropped"));
        std::vector<Blob> inputs{named_config("aml", bytes_of(std::string_view("aml=drop")))};
        add_memory(inputs, machine, is_td);
        inputs.append_range(files_of(machine));
        CHECK(machine.registers().value(0) == register_of(inputs));
    }
}

TEST_CASE("refused AML ends the boot in a line that names the table", "[native][aml]") {
    for (const bool is_td : {false, true})
        CHECK(refusal_of(FileBoot{.policy = AmlPolicy::refuse, .is_td = is_td}) ==
              about("DSDT", refused));
    for (const char* const name : {"DSDT", "SSDT", "PSDT", "OSDT"}) {
        FileBoot boot{.policy = AmlPolicy::refuse};
        boot.files.leads_to_dsdt = false;
        boot.files.ssdt = table({name[0], name[1], name[2], name[3]}, 80);
        CHECK(refusal_of(boot) == about(name, refused));
    }
}

TEST_CASE("without any AML a machine starts whatever the policy", "[native][aml]") {
    for (const AmlPolicy policy : {AmlPolicy::refuse, AmlPolicy::enrolled}) {
        FileBoot boot{.policy = policy};
        boot.files.leads_to_dsdt = false; // the FADT has to lead to one: the shim's
        boot.files.ssdt.clear();
        Machine machine;
        prepare(machine, boot);
        const Outcome outcome = booted(machine);
        CHECK(std::ranges::equal(Handed(machine, outcome).dsdt, own_dsdt()));
        const std::string policy_text = "aml=" + std::string(name_of(policy));
        std::vector<Blob> inputs{named_config("aml", bytes_of(std::string_view(policy_text)))};
        add_memory(inputs, machine, false);
        inputs.append_range(files_of(machine));
        CHECK(machine.registers().value(0) == register_of(inputs));
    }
}

TEST_CASE("enrolled AML is handed on byte for byte", "[native][aml]") {
    FileBoot boot{.policy = AmlPolicy::enrolled, .volume = volume_of({vmm_ssdt(), vmm_dsdt()})};
    for (const bool is_td : {false, true}) {
        boot.is_td = is_td;
        Machine machine;
        prepare(machine, boot);
        const Outcome outcome = booted(machine);
        const Handed handed(machine, outcome);
        CHECK(std::ranges::equal(handed.dsdt, vmm_dsdt()));
        CHECK(std::ranges::equal(handed.named("SSDT"), vmm_ssdt()));
        CHECK(handed.fadt.facs != 0);
        CHECK(holds(outcome, line_about("DSDT of the VMM", vmm_dsdt(), is_td)));
        CHECK(holds(outcome, line_about("SSDT of the VMM", vmm_ssdt(), is_td)));
        // Policy of the image, memory map or HOB, what is enrolled, files.
        const auto enrolment = cfv::parse(boot.volume);
        std::vector<Blob> inputs{named_config("aml", bytes_of(std::string_view("aml=enrolled")))};
        add_memory(inputs, machine, is_td);
        inputs.push_back(named_config("secure_policy_db", enrolment->policy_file));
        inputs.append_range(files_of(machine));
        CHECK(machine.registers().value(0) == register_of(inputs));
    }
}

TEST_CASE("AML that is not enrolled ends the boot, with its digest on the console",
          "[native][aml]") {
    FileBoot boot{.policy = AmlPolicy::enrolled};
    CHECK(refusal_of(boot) == about("DSDT", not_enrolled)); // no volume at all
    boot.volume = volume_of({vmm_dsdt()});
    CHECK(refusal_of(boot) == about("SSDT", not_enrolled));
    boot.volume = volume_of({vmm_ssdt()});
    Machine machine;
    prepare(machine, boot);
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == about("DSDT", not_enrolled));
    CHECK(holds(outcome, line_about("DSDT of the VMM", vmm_dsdt(), boot.is_td)));
    boot.volume = volume_of({vmm_ssdt(), vmm_dsdt()});
    for (const std::size_t size : {119UZ, 121UZ}) {
        boot.files.dsdt = aml({'D', 'S', 'D', 'T'}, size, 0xA3);
        CHECK(refusal_of(boot) == about("DSDT", not_enrolled));
    }
    boot.files.dsdt = vmm_dsdt();
    std::swap(boot.files.dsdt[50],
              boot.files.dsdt[offsetof(acpi::TableHeader, checksum)]); // keeps the sum
    CHECK(refusal_of(boot) == about("DSDT", not_enrolled));
}

TEST_CASE("AML in a TD HOB is dropped, refused or enrolled as well", "[native][aml]") {
    Launch launch;
    launch.extras.acpi_tables[0] = vmm_dsdt();
    launch.extras.acpi_tables.push_back(vmm_ssdt());
    launch.options = option_of(AmlPolicy::refuse);
    CHECK(refusal_of(launch) == about("DSDT", refused));
    launch.options = option_of(AmlPolicy::enrolled);
    launch.volume = volume_of({vmm_dsdt()});
    CHECK(refusal_of(launch) == about("SSDT", not_enrolled));
    launch.volume = volume_of({vmm_dsdt(), vmm_ssdt()});
    for (const AmlPolicy policy : {AmlPolicy::measured, AmlPolicy::drop, AmlPolicy::enrolled}) {
        launch.options = option_of(policy);
        Machine machine;
        start(machine, launch);
        const Outcome outcome = booted(machine);
        const Handed handed(machine, outcome);
        const bool drops = policy == AmlPolicy::drop;
        CHECK(handed.tables.size() == (drops ? 3U : 4U));
        CHECK(handed.named("SSDT").empty() == drops);
        CHECK(std::ranges::equal(handed.dsdt, drops ? own_dsdt() : vmm_dsdt()));
    }
}

TEST_CASE("a FADT in a TD HOB without a DSDT leads to the shim's", "[native][aml]") {
    Launch launch;
    launch.extras.acpi_tables = {table({'F', 'A', 'C', 'P'}, sizeof(acpi::Fadt))};
    for (const AmlPolicy policy : {AmlPolicy::measured, AmlPolicy::refuse, AmlPolicy::enrolled}) {
        launch.options = option_of(policy);
        Machine machine;
        start(machine, launch);
        const Outcome outcome = booted(machine);
        CHECK(std::ranges::equal(Handed(machine, outcome).dsdt, own_dsdt()));
    }
}

TEST_CASE("a dropped table of a portable image is measured as it arrived", "[native][aml]") {
    Launch launch;
    launch.extras.acpi_tables[0] = vmm_dsdt();
    launch.options = tdvf::option_portable | option_of(AmlPolicy::drop);
    Machine machine;
    start(machine, launch);
    const Outcome outcome = booted(machine);
    CHECK(std::ranges::equal(Handed(machine, outcome).dsdt, own_dsdt()));
    std::vector<Blob> inputs{
        named_config("portable", bytes_of(std::string_view("hob=validated acpi=measured"))),
        named_config("aml", bytes_of(std::string_view("aml=drop")))};
    for (const Blob& arrived : launch.extras.acpi_tables)
        inputs.push_back(named_file({reinterpret_cast<const char*>(arrived.data()), 4}, arrived));
    CHECK(machine.registers().value(0) == register_of(inputs));
}

TEST_CASE("dropped AML without a FADT leaves none", "[native][aml]") {
    Launch launch;
    launch.extras.acpi_tables = {vmm_dsdt(), vmm_ssdt()};
    launch.options = option_of(AmlPolicy::drop);
    Machine machine;
    start(machine, launch);
    const Outcome outcome = booted(machine);
    CHECK(Handed(machine, outcome).tables.size() == 2); // MADT of the shim's, CCEL
}
