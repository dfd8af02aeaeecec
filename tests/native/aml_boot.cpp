// SPDX-License-Identifier: Apache-2.0
#include "tests/native/aml_boot.hpp"

#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/acpi/static_tables.hpp"
#include "shim/formats/cfv/builder.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/linux_params.hpp"
#include "tests/native/logged.hpp"

namespace tdshim::native {
namespace {

constexpr std::size_t summed_at = offsetof(acpi::TableHeader, checksum);

std::string refusal_of(Machine& machine) {
    const Outcome outcome = machine.boot();
    CHECK_FALSE(outcome.linux);
    CHECK(outcome.findings.empty());
    CHECK(log_leads_to_registers(machine));
    CHECK(count_separators(events_of(machine).value()) == 2);
    return outcome.refusal();
}

Bytes whole_table(Machine& machine, std::uint64_t address) {
    const auto header = read_at<acpi::TableHeader>(machine.memory({address}, 4096), 0);
    return machine.memory({address}, header->length);
}

} // namespace

Blob aml(std::array<char, 4> signature, std::size_t size, unsigned char content) {
    Blob bytes = table(signature, size);
    std::fill(bytes.begin() + sizeof(acpi::TableHeader), bytes.end(), std::byte{content});
    bytes[summed_at] = std::byte{0};
    acpi::set_checksum(bytes);
    return bytes;
}

const Blob& vmm_dsdt() {
    static const Blob bytes = aml({'D', 'S', 'D', 'T'}, 120, 0xA3);
    return bytes;
}
const Blob& vmm_ssdt() {
    static const Blob bytes = aml({'S', 'S', 'D', 'T'}, 100, 0);
    return bytes;
}

Blob own_dsdt() {
    Blob bytes(acpi::own_dsdt_size());
    acpi::write_dsdt(bytes);
    return bytes;
}

Blob volume_of(std::initializer_list<Blob> tables) {
    std::vector<crypto::Digest> digests;
    for (const Blob& listed : tables)
        digests.push_back(crypto::sha384(listed));
    Blob volume(layout::cfv_size);
    REQUIRE(
        cfv::write(volume, std::nullopt,
                   cfv::PolicyContents{.policy = cfv::Policy::measured, .aml_tables = digests}));
    return volume;
}

std::vector<std::uint32_t> Files::listed() const {
    std::vector<std::uint32_t> at{fadt_at, madt_at};
    if (!ssdt.empty())
        at.push_back(ssdt_at);
    if (lists_two_fadts)
        at.push_back(fadt_at);
    return at;
}

std::uint32_t Files::rsdt_size() const {
    return static_cast<std::uint32_t>(sizeof(acpi::TableHeader) + listed().size() * sizeof(le32));
}

Blob Files::content() const {
    Blob file(4096);
    const auto put = [&](std::uint32_t at, const Blob& part) {
        std::ranges::copy(part, file.begin() + at);
    };
    put(dsdt_at, dsdt);
    put(fadt_at, fadt);
    put(ssdt_at, ssdt);
    put(madt_at, table({'A', 'P', 'I', 'C'}, sizeof(acpi::MadtHeader)));
    put(rsdt_at, table({'R', 'S', 'D', 'T'}, rsdt_size()));
    std::uint32_t at = rsdt_at + sizeof(acpi::TableHeader);
    for (const std::uint32_t offset : listed()) {
        overwrite(file, at, le32{offset});
        at += sizeof(le32);
    }
    return file;
}

Blob Files::script() const {
    constexpr std::string_view tables = "etc/acpi/tables";
    std::vector commands{allocate("etc/acpi/rsdp", 16, 2), allocate(tables, 64)};
    if (leads_to_dsdt) {
        commands.push_back(add_pointer(tables, tables, fadt_at + offsetof(acpi::Fadt, dsdt), 4));
        if (fadt.size() >= acpi::fadt_extended_dsdt + sizeof(le64))
            commands.push_back(add_pointer(tables, tables, fadt_at + acpi::fadt_extended_dsdt, 8));
    }
    commands.push_back(add_checksum(tables, fadt_at + summed_at, fadt_at,
                                    static_cast<std::uint32_t>(fadt.size())));
    for (std::uint32_t i = 0; i < listed().size(); ++i)
        commands.push_back(add_pointer(
            tables, tables, rsdt_at + static_cast<std::uint32_t>(sizeof(acpi::TableHeader)) + 4 * i,
            4));
    commands.push_back(add_checksum(tables, rsdt_at + summed_at, rsdt_at, rsdt_size()));
    commands.push_back(add_pointer("etc/acpi/rsdp", tables, offsetof(acpi::Rsdp, rsdt), 4));
    commands.push_back(add_checksum("etc/acpi/rsdp", offsetof(acpi::Rsdp, checksum), 0,
                                    acpi::rsdp_size_revision_0));
    Blob bytes;
    for (const acpi::LoaderCommand& command : commands)
        bytes.append_range(bytes_of(command));
    return bytes;
}

void prepare(Machine& machine, const FileBoot& boot) {
    add_good_inputs(machine);
    Blob rsdt_pointer = machine.file("etc/acpi/rsdp");
    overwrite(rsdt_pointer, offsetof(acpi::Rsdp, rsdt), le32{Files::rsdt_at});
    machine.file("etc/acpi/rsdp") = rsdt_pointer;
    machine.file("etc/acpi/tables") = boot.files.content();
    machine.file("etc/table-loader") = boot.files.script();
    machine.set_image_tail(image_of({.profile = linker::Profile::qemu,
                                     .options = option_of(boot.policy),
                                     .volume = boot.volume}));
    if (boot.is_td)
        machine.make_td(good_td_hob());
}

std::string refusal_of(const FileBoot& boot) {
    Machine machine;
    prepare(machine, boot);
    return refusal_of(machine);
}

std::string refusal_of(const Launch& launch) {
    Machine machine;
    start(machine, launch);
    return refusal_of(machine);
}

Outcome booted(Machine& machine) {
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    CHECK(outcome.findings.empty());
    CHECK(log_leads_to_registers(machine));
    REQUIRE(outcome.linux);
    return outcome;
}

Handed::Handed(Machine& machine, const Outcome& outcome)
    : tables(listed_tables(machine, params_of(machine, outcome).acpi_rsdp_addr)) {
    for (const Bytes listed : tables) {
        const bool is_ccel = acpi::has_signature(listed, "CCEL");
        CHECK((is_ccel || acpi::check_table(listed, 0)));
    }
    const Bytes found = named("FACP");
    if (found.empty())
        return;
    fadt = read_at<acpi::Fadt>(found, 0).value_or(acpi::Fadt{});
    const std::uint32_t pointer = read_at<le32>(found, offsetof(acpi::Fadt, dsdt)).value();
    const auto extended = read_at<le64>(found, acpi::fadt_extended_dsdt);
    CHECK((!extended || *extended == pointer));
    const std::uint32_t facs_at = read_at<le32>(found, offsetof(acpi::Fadt, facs)).value();
    facs = machine.memory({facs_at}, sizeof(acpi::Facs));
    dsdt = whole_table(machine, pointer);
}

Bytes Handed::named(std::string_view signature) const {
    const auto found = std::ranges::find_if(
        tables, [&](Bytes bytes) { return acpi::has_signature(bytes, signature); });
    return found == tables.end() ? Bytes{} : *found;
}

} // namespace tdshim::native
