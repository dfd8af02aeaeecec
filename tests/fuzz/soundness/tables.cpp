// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/tables.hpp"

#include "shim/formats/acpi/tables.hpp"
#include "tests/fuzz/soundness/pool.hpp"
#include "tests/native/inputs.hpp"

namespace tdshim::soundness {
namespace {

using native::overwrite;

constexpr std::size_t header_size = sizeof(acpi::TableHeader);
constexpr std::size_t checksum_at = offsetof(acpi::TableHeader, checksum);
constexpr std::size_t file_alignment = 64;
constexpr std::size_t rsdt_room = 128;

struct Kind {
    std::array<char, 4> signature{};
    std::size_t size = 0; ///< 0: no table
    bool has_mailbox = false;
};
constexpr Kind madt{.signature = {'A', 'P', 'I', 'C'}, .size = 68};
constexpr std::array kinds{
    Kind{},
    Kind{.signature = {'D', 'S', 'D', 'T'}, .size = 120},
    Kind{.signature = {'F', 'A', 'C', 'P'}, .size = sizeof(acpi::Fadt)},
    Kind{.signature = {'S', 'S', 'D', 'T'}, .size = 100},
    Kind{.signature = {'D', 'A', 'T', 'A'}, .size = 64},
    Kind{.signature = {'D', 'A', 'T', 'A'}, .size = 1200},
    madt,
    Kind{.signature = {'A', 'P', 'I', 'C'}, .size = 68, .has_mailbox = true},
    Kind{.signature = {'F', 'A', 'C', 'P'}, .size = 116}, // ACPI 1.0
    Kind{.signature = {'F', 'A', 'C', 'P'}, .size = 1200},
    Kind{.signature = {'A', 'P', 'I', 'C'}, .size = 1200},
    Kind{.signature = {'P', 'S', 'D', 'T'}, .size = 100},
};

bool is(const Blob& table, std::string_view signature) {
    return acpi::has_signature(table, signature);
}

/// Structures that fill a MADT of any size: one processor, maybe a mailbox, and unknown ones.
void fill_madt(Blob& table, bool has_mailbox, unsigned char variant) {
    overwrite(table, sizeof(acpi::MadtHeader),
              acpi::MadtLocalApic{.structure = {acpi::madt_local_apic_type, 8},
                                  .processor = 0,
                                  .apic_id = variant,
                                  .flags = 1U});
    std::size_t at = sizeof(acpi::MadtHeader) + sizeof(acpi::MadtLocalApic);
    if (has_mailbox) {
        overwrite(table, at,
                  acpi::MadtWakeup{.structure = {acpi::madt_wakeup_type, 16},
                                   .version = 0,
                                   .reserved = 0,
                                   .mailbox = 0x2000'0000});
        at += sizeof(acpi::MadtWakeup);
    }
    constexpr std::uint8_t of_an_oem = 0x80;
    constexpr std::size_t longest = 200;
    while (at < table.size()) {
        const std::size_t rest = table.size() - at;
        const std::size_t length = rest > longest + 2 ? longest : std::min(rest, longest);
        overwrite(table, at, acpi::MadtStructure{of_an_oem, static_cast<std::uint8_t>(length)});
        at += length;
    }
}

Blob table(const Kind& kind, unsigned char variant) {
    Blob bytes(kind.size);
    overwrite(bytes, 0, acpi::own_header(kind.signature, kind.size));
    if (is(bytes, "APIC"))
        fill_madt(bytes, kind.has_mailbox, variant);
    else if (is(bytes, "FACP")) // a field that leads nowhere
        overwrite(bytes, offsetof(acpi::Fadt, profile), variant);
    else
        // Anywhere in the table, so that no part of it is looked at alone.
        bytes[header_size + variant * 37U % (kind.size - header_size)] = std::byte{variant};
    return bytes;
}

/// Of a FADT, where there is room for them.
void point_to_dsdt(Blob& fadt, std::uint64_t address) {
    overwrite(fadt, offsetof(acpi::Fadt, dsdt), le32{static_cast<std::uint32_t>(address)});
    if (fadt.size() >= acpi::fadt_extended_dsdt + sizeof(le64))
        overwrite(fadt, acpi::fadt_extended_dsdt, le64{address});
}

/// 0: to a DSDT that the VMM brings, if there is one.
std::uint64_t chosen_dsdt(const Choices& choices) {
    constexpr std::array<std::uint64_t, 5> places{0, behind_hob.value, behind_parameter.value,
                                                  layout::td_hob.start().value + page_size,
                                                  24 * MiB};
    return choices.of(Choice::fadt_pointer, places);
}

void sum(Blob& bytes) {
    bytes[checksum_at] = std::byte{0};
    acpi::set_checksum(bytes);
}

/// Puts etc/acpi/tables together, and notes what the loader has to do about it.
class FileWriter {
  public:
    std::uint32_t add(const Blob& bytes) {
        const auto at = static_cast<std::uint32_t>(file_.size());
        file_.append_range(bytes);
        file_.resize(*align_up(file_.size(), file_alignment));
        return at;
    }
    void link(std::uint32_t at, std::uint32_t target, std::uint8_t size) {
        if (size == sizeof(le64))
            overwrite(file_, at, le64{target});
        else
            overwrite(file_, at, le32{target});
        put(native::add_pointer(name, name, at, size));
    }
    void sum(std::uint32_t at, std::size_t size) {
        put(native::add_checksum(name, at + static_cast<std::uint32_t>(checksum_at), at,
                                 static_cast<std::uint32_t>(size)));
    }
    void put(const acpi::LoaderCommand& command) { script_.append_range(bytes_of(command)); }

    static constexpr std::string_view name = "etc/acpi/tables";
    [[nodiscard]] Blob& file() { return file_; }
    [[nodiscard]] const Blob& script() const { return script_; }

  private:
    Blob file_;
    Blob script_;
};

void link_fadt(FileWriter& writer, std::uint32_t fadt, std::size_t size, std::uint32_t target) {
    writer.link(fadt + offsetof(acpi::Fadt, dsdt), target, sizeof(le32));
    if (size >= acpi::fadt_extended_dsdt + sizeof(le64))
        writer.link(fadt + acpi::fadt_extended_dsdt, target, sizeof(le64));
}

} // namespace

Blob dsdt(unsigned char variant) {
    Blob bytes = table(kinds[1], variant);
    sum(bytes);
    return bytes;
}

std::vector<Blob> tables_of(const Plan& plan) {
    std::vector<Blob> tables;
    for (std::size_t i = 0; i < table_count; ++i) {
        const std::size_t chosen =
            plan.choices.of(after(Choice::table_kind_0, 2 * i), kinds.size());
        // A TD wants a MADT by fw_cfg: it is what comes first by itself.
        const Kind& kind = i == 0 && chosen == 0 ? madt : kinds[chosen];
        if (kind.size == 0)
            continue;
        Blob bytes = table(kind, static_cast<unsigned char>(
                                     plan.choices.of(after(Choice::table_variant_0, 2 * i), 16)));
        if (is(bytes, "FACP"))
            point_to_dsdt(bytes, chosen_dsdt(plan.choices));
        apply(plan.patches, static_cast<Patched>(static_cast<std::size_t>(Patched::table_0) + i),
              bytes);
        sum(bytes);
        tables.push_back(std::move(bytes));
    }
    return tables;
}

AcpiFiles acpi_files(const Plan& plan, const std::vector<Blob>& tables) {
    FileWriter writer;
    writer.put(native::allocate(fw_cfg::acpi_rsdp, 16, 2));
    writer.put(native::allocate(FileWriter::name, file_alignment));
    const std::uint32_t rsdt = writer.add(Blob(rsdt_room));
    std::vector<std::uint32_t> places;
    std::uint32_t first_dsdt = 0;
    for (const Blob& bytes : tables) {
        places.push_back(writer.add(bytes));
        if (is(bytes, "DSDT") && first_dsdt == 0)
            first_dsdt = places.back();
    }
    std::uint32_t listed = 0;
    const auto entry = [&] { return rsdt + static_cast<std::uint32_t>(header_size) + 4 * listed; };
    for (std::size_t i = 0; i < tables.size(); ++i) {
        if (is(tables[i], "FACP") && first_dsdt != 0 && chosen_dsdt(plan.choices) == 0) {
            link_fadt(writer, places[i], tables[i].size(), first_dsdt);
            writer.sum(places[i], tables[i].size());
            writer.file()[places[i] + checksum_at] = std::byte{0};
        }
        if (is(tables[i], "DSDT"))
            continue;
        writer.link(entry(), places[i], sizeof(le32));
        ++listed;
    }
    const std::size_t rsdt_size = header_size + listed * sizeof(le32);
    auto header = acpi::own_header({'R', 'S', 'D', 'T'}, rsdt_size);
    overwrite(writer.file(), rsdt, header);
    writer.sum(rsdt, rsdt_size);
    acpi::Rsdp rsdp{};
    rsdp.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
    rsdp.rsdt = rsdt;
    writer.put(native::add_pointer(fw_cfg::acpi_rsdp, FileWriter::name, offsetof(acpi::Rsdp, rsdt),
                                   sizeof(le32)));
    writer.put(native::add_checksum(fw_cfg::acpi_rsdp, offsetof(acpi::Rsdp, checksum), 0,
                                    acpi::rsdp_size_revision_0));
    AcpiFiles files{
        .tables = writer.file(), .rsdp = native::wire_blob(rsdp), .script = writer.script()};
    files.rsdp.resize(acpi::rsdp_size_revision_0);
    apply(plan.patches, Patched::acpi_file, files.tables);
    apply(plan.patches, Patched::loader_script, files.script);
    return files;
}

} // namespace tdshim::soundness
