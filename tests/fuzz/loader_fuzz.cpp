// SPDX-License-Identifier: Apache-2.0
//
// The table-loader script and the tables behind it. The input is patches to a good script and its
// two files: which of the three, where, how many bytes, the bytes; a length of zero cuts it off
// there. Sanitizers see whether a command reaches outside the files; the checks here, whether it
// changed exactly what it should, and whether every table that is believed is one.

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "shim/formats/acpi/tables.hpp"

using namespace tdshim;

namespace {

using Content = std::vector<std::byte>;

constexpr Gpa rsdp_place{0x7FFE'0000};
constexpr Gpa tables_place{0x1'0000'1000};
constexpr Gpa low_tables_place{0x7FFF'0000};
constexpr std::uint8_t not_linked = 0x80; // in a patch's target: repair no checksums

struct Patch {
    std::uint8_t target;
    std::uint8_t offset_high;
    std::uint8_t offset_low;
    std::uint8_t length;
};

void require(bool condition) {
    if (!condition)
        std::abort();
}

std::uint8_t sum_of(Bytes bytes) {
    return std::accumulate(
        bytes.begin(), bytes.end(), std::uint8_t{0}, [](std::uint8_t sum, std::byte byte) {
            return static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
        });
}

acpi::LoaderFileName name(std::string_view text) {
    acpi::LoaderFileName field{};
    std::ranges::copy(text, field.begin());
    return field;
}

template <class Fill>
void append_command(Content& script, acpi::CommandKind kind, Fill fill) {
    acpi::LoaderCommand command{};
    command.command = static_cast<std::uint32_t>(kind);
    fill(command);
    script.append_range(bytes_of(command));
}

void append_pointer(Content& script, std::string_view file, std::uint32_t offset,
                    std::uint8_t size) {
    append_command(script, acpi::CommandKind::add_pointer, [&](acpi::LoaderCommand& command) {
        command.add_pointer = {name(file), name("tables"), offset, size};
    });
}

void append_checksum(Content& script, std::string_view file, std::uint32_t offset,
                     std::uint32_t start, std::uint32_t length) {
    append_command(script, acpi::CommandKind::add_checksum, [&](acpi::LoaderCommand& command) {
        command.add_checksum = {name(file), offset, start, length};
    });
}

// The tables file: RSDT, XSDT, FACP and APIC, each list of FACP and APIC.
constexpr std::uint32_t header_size = sizeof(acpi::TableHeader);
constexpr std::uint32_t rsdt_size = header_size + 8;
constexpr std::uint32_t xsdt = rsdt_size;
constexpr std::uint32_t xsdt_size = header_size + 16;
constexpr std::uint32_t facp = xsdt + xsdt_size;
constexpr std::uint32_t apic = facp + header_size;

void append_table(Content& tables, std::array<char, 4> signature, std::uint32_t length) {
    acpi::TableHeader header{};
    header.signature = signature;
    header.length = length;
    tables.append_range(bytes_of(header));
}

Content good_tables() {
    Content tables;
    append_table(tables, {'R', 'S', 'D', 'T'}, rsdt_size);
    tables.append_range(bytes_of(le32{facp}));
    tables.append_range(bytes_of(le32{apic}));
    append_table(tables, {'X', 'S', 'D', 'T'}, xsdt_size);
    tables.append_range(bytes_of(le64{facp}));
    tables.append_range(bytes_of(le64{apic}));
    append_table(tables, {'F', 'A', 'C', 'P'}, header_size);
    append_table(tables, {'A', 'P', 'I', 'C'}, header_size);
    return tables;
}

Content good_rsdp() {
    acpi::Rsdp rsdp{};
    rsdp.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
    rsdp.revision = 2;
    rsdp.length = sizeof(rsdp);
    rsdp.xsdt = xsdt;
    const Bytes bytes = bytes_of(rsdp);
    return {bytes.begin(), bytes.end()};
}

Content good_script() {
    Content script;
    for (const std::string_view file : {"rsdp", "tables"})
        append_command(script, acpi::CommandKind::allocate, [&](acpi::LoaderCommand& command) {
            command.allocate = {name(file), 64, 1};
        });
    append_pointer(script, "rsdp", 16, 4);
    append_pointer(script, "rsdp", 24, 8);
    for (const std::uint32_t offset : {header_size, header_size + 4})
        append_pointer(script, "tables", offset, 4);
    for (const std::uint32_t offset : {xsdt + header_size, xsdt + header_size + 8})
        append_pointer(script, "tables", offset, 8);
    append_checksum(script, "rsdp", 8, 0, 20);
    append_checksum(script, "rsdp", 32, 0, 36);
    append_checksum(script, "tables", 9, 0, rsdt_size);
    append_command(script, acpi::CommandKind::write_pointer, [](acpi::LoaderCommand& command) {
        command.write_pointer = {name("vmm"), name("tables"), 0, facp, 8};
    });
    return script;
}

void apply(Content& content, const Patch& patch, Bytes bytes) {
    const std::size_t offset = std::size_t{patch.offset_high} * 256 + patch.offset_low;
    if (offset > content.size())
        return;
    if (patch.length == 0)
        content.resize(offset);
    for (std::size_t i = 0; i < bytes.size() && offset + i < content.size(); ++i)
        content[offset + i] = bytes[i];
}

/// Runs add_pointer or add_checksum and compares the file with what it should be now.
void check_change(acpi::LoadedFiles& files, const acpi::Command& command) {
    const acpi::LoadedFile* const file = files.find(command.file);
    const Content before = file ? Content(file->content.begin(), file->content.end()) : Content();
    const bool is_pointer = command.kind == acpi::CommandKind::add_pointer;
    const auto outcome = is_pointer ? files.add_pointer(command) : files.add_checksum(command);
    if (file == nullptr)
        return require(!outcome);
    Content expected = before;
    if (outcome) {
        const std::size_t size = is_pointer ? command.pointer_size : 1;
        require(command.offset + size <= before.size());
        std::uint64_t value =
            is_pointer ? files.find(command.source)->place.value
                       : 0U - sum_of(Bytes(before).subspan(command.start, command.length));
        for (std::size_t i = 0; i < size; ++i, value >>= 8) {
            value += std::to_integer<std::uint64_t>(before[command.offset + i]);
            expected[command.offset + i] = static_cast<std::byte>(value);
        }
        require(!is_pointer || value == 0 || size == 8);
    }
    require(std::ranges::equal(file->content, expected));
}

/// Makes the sums of RSDP and tables good, so that what lies behind them is reached.
void repair(Content& content, std::size_t start, std::size_t checksum, std::size_t length) {
    if (start + checksum >= content.size() || length > content.size() - start || checksum >= length)
        return;
    content[start + checksum] = std::byte{0};
    content[start + checksum] =
        static_cast<std::byte>(0U - sum_of(Bytes(content).subspan(start, length)));
}

void repair_all(Content& rsdp, Content& tables) {
    for (const std::size_t start :
         {std::size_t{0}, std::size_t{xsdt}, std::size_t{facp}, std::size_t{apic}})
        if (const auto header = read_at<acpi::TableHeader>(tables, start))
            repair(tables, start, 9, header->length);
    repair(rsdp, 0, 8, 20);
    if (const auto wire = read_at<acpi::Rsdp>(rsdp, 0))
        repair(rsdp, 0, 32, wire->length);
}

/// The number of tables found.
std::size_t check_tables(Bytes rsdp, const acpi::LoadedFiles& files) {
    const auto tables = acpi::find_tables(rsdp, files);
    if (!tables)
        return 0;
    for (const Gpa table : *tables) {
        const Bytes rest = files.from(table);
        const auto header = read_at<acpi::TableHeader>(rest, 0);
        require(header && header->length >= header_size && header->length <= rest.size());
        require(sum_of(rest.first(header->length)) == 0);
        require(header->signature != std::array{'C', 'C', 'E', 'L'});
    }
    Content area(acpi::root_size);
    const Gpa root = acpi::write_root(area, {64 * KiB}, *tables, GpaRange::of<MiB, 64 * KiB>());
    require(root == Gpa{64 * KiB} && sum_of(Bytes(area).first(20)) == 0 &&
            sum_of(Bytes(area).first(36)) == 0);
    return tables->size();
}

std::size_t run(Bytes script_bytes, Content& rsdp, Content& tables, Gpa place, bool is_repaired) {
    const auto script = acpi::Script::open(script_bytes);
    if (!script)
        return 0;
    acpi::LoadedFiles files;
    std::size_t next = 0;
    for (std::size_t i = 0; i < script->size(); ++i) {
        const auto command = script->command(i);
        if (!command)
            return 0;
        switch (command->kind) {
        case acpi::CommandKind::padding: break;
        case acpi::CommandKind::allocate:
            if (next < 2 &&
                files.add(*command, next == 0 ? rsdp_place : place, next == 0 ? rsdp : tables))
                ++next;
            break;
        case acpi::CommandKind::add_pointer:
        case acpi::CommandKind::add_checksum: check_change(files, *command); break;
        case acpi::CommandKind::write_pointer:
            if (const auto value = files.pointer_value(*command))
                require(!files.from({*value}).empty());
            break;
        }
    }
    if (is_repaired)
        repair_all(rsdp, tables);
    return check_tables(rsdp, files);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader reader(std::as_bytes(std::span(data, size)));
    Content script = good_script();
    Content rsdp = good_rsdp();
    Content tables = good_tables();
    bool is_repaired = true;
    while (const auto patch = reader.take<Patch>()) {
        const auto bytes = reader.take_bytes(std::min<std::size_t>(patch->length, reader.left()));
        Content* const targets[]{&script, &rsdp, &tables};
        apply(*targets[patch->target % 3], *patch, *bytes);
        is_repaired = is_repaired && (patch->target & not_linked) == 0;
    }
    Content rsdp_again = rsdp;
    Content tables_again = tables;
    run(script, rsdp, tables, tables_place, is_repaired);
    const std::size_t found = run(script, rsdp_again, tables_again, low_tables_place, is_repaired);
    require(size != 0 || found == 2); // what nobody patched is good
    return 0;
}
