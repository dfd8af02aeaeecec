// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/acpi_tables.hpp"

#include <algorithm>
#include <format>
#include <list>
#include <utility>

#include "shim/formats/acpi/loader.hpp"
#include "shim/formats/acpi/tables.hpp"
#include "shim/formats/fw_cfg/wire.hpp"
#include "shim/formats/hob/list_writer.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"
#include "shim/memory/layout.hpp"
#include "shim/memory/memory_map.hpp"

namespace tdshim::tools {
namespace {

using vmm::ConfigFile;

/// Of a TD of 53 bits, which td-emu's have; how wide a TD's addresses are its launch decides.
constexpr Gpa widest_private_end{std::uint64_t{1} << 52};

/// [shim/boot/td_memory.cpp]
constexpr auto place_of_image =
    GpaRange::of<layout::image_end - layout::max_image_size, layout::max_image_size>();

ConfigFile named_by_signature(Bytes table) {
    constexpr std::size_t signature_size = 4;
    const auto* const name = reinterpret_cast<const char*>(table.data());
    return {std::string(name, signature_size), {table.begin(), table.end()}};
}

/// Places as the firmware gives them out where a table is compared with one that is enrolled,
/// lowest first: what an address comes to decides nothing else.
memory::MemoryMap places_for_tables() {
    e820::Table table;
    static_cast<void>(table.push({GpaRange::of<1 * MiB, 7 * MiB>(), e820::Type::memory}));
    static_cast<void>(
        table.push({GpaRange::between(layout::shim_memory.end(), {3 * GiB}), e820::Type::memory}));
    return memory::MemoryMap(table);
}

class ScriptRunner {
  public:
    ScriptRunner(const std::vector<ConfigFile>& files, const ScriptRun& run)
        : sources_(files), run_(run), places_(places_for_tables()) {}

    Outcome<std::vector<ConfigFile>> tables() {
        const std::string loader(fw_cfg::table_loader);
        const acpi::LoadedFile script_file = TRY(load(loader, page_size));
        const acpi::Script script = TRY(named(loader, acpi::Script::open(script_file.content)));
        for (std::size_t i = 0; i < script.size(); ++i) {
            const acpi::Command command = TRY(named(loader, script.command(i)));
            TRY(execute(command));
        }
        return tables_of_root();
    }

  private:
    template <class T>
    Outcome<T> named(std::string_view file, Result<T> result) const {
        return of_file(run_.origin + ": " + std::string(file), std::move(result));
    }

    Outcome<acpi::LoadedFile> load(std::string_view name, std::uint64_t alignment) {
        const auto source = std::ranges::find(sources_, name, &ConfigFile::name);
        if (source == sources_.end())
            return named<acpi::LoadedFile>(name, refuse(Fault::fw_cfg_item_missing));
        const std::size_t size = source->content.size();
        if (size == 0 || size > acpi::max_file_size)
            return named<acpi::LoadedFile>(
                name, refuse(Fault::fw_cfg_item_size, 0, acpi::max_file_size, size));
        const GpaRange place =
            TRY(named(name, places_.allocate({.size = size,
                                              .alignment = std::max(alignment, page_size),
                                              .within = GpaRange::between({1 * MiB}, {4 * GiB}),
                                              .order = memory::Request::Order::lowest_first})));
        return acpi::LoadedFile{source->name, place.start(), copies_.emplace_back(source->content)};
    }

    Outcome<> execute(const acpi::Command& command) {
        switch (command.kind) {
        case acpi::CommandKind::padding: return {};
        case acpi::CommandKind::allocate: {
            const acpi::LoadedFile file = TRY(load(command.file, command.alignment));
            return named(fw_cfg::table_loader, files_.add(command, file.place, file.content));
        }
        case acpi::CommandKind::add_pointer:
            return named(fw_cfg::table_loader, files_.add_pointer(command));
        case acpi::CommandKind::add_checksum:
            return named(fw_cfg::table_loader, files_.add_checksum(command));
        case acpi::CommandKind::write_pointer:
            TRY(named(fw_cfg::table_loader, files_.pointer_value(command)));
            return {};
        }
        return {};
    }

    Outcome<std::vector<ConfigFile>> tables_of_root() const {
        const std::string_view name = fw_cfg::acpi_rsdp;
        const acpi::LoadedFile* const rsdp = files_.find(name);
        if (rsdp == nullptr)
            return named<std::vector<ConfigFile>>(name, refuse(Fault::acpi_no_rsdp));
        const acpi::TableList listed = TRY(named(name, acpi::find_tables(rsdp->content, files_)));
        if (run_.is_td && acpi::index_of(listed, "APIC", files_) == listed.size())
            return named<std::vector<ConfigFile>>(name, refuse(Fault::acpi_no_madt));
        std::vector<ConfigFile> tables;
        for (const Gpa address : listed) {
            const Bytes table = TRY(named(name, acpi::table_at(address, files_)));
            tables.push_back(named_by_signature(table));
            if (acpi::has_signature(table, "FACP"))
                TRY(named(name, add_dsdt(table, tables)));
        }
        return tables;
    }

    Result<void> add_dsdt(Bytes fadt, std::vector<ConfigFile>& tables) const {
        if (tdvf::aml_policy_of(run_.image_options) == tdvf::AmlPolicy::drop)
            return {};
        const Gpa dsdt = TRY(acpi::dsdt_of(fadt));
        if (dsdt.value == 0)
            return {};
        const Bytes table = TRY(acpi::table_at(dsdt, files_));
        if (!acpi::has_signature(table, "DSDT"))
            return refuse(Fault::acpi_signature, dsdt.value);
        tables.push_back(named_by_signature(table));
        return {};
    }

    const std::vector<ConfigFile>& sources_;
    const ScriptRun& run_;
    memory::MemoryMap places_;
    std::list<std::vector<std::byte>> copies_;
    acpi::LoadedFiles files_;
};

} // namespace

Outcome<hob::TdHob> list_of_hob(const InputBytes& list, const Image& image) {
    const Gpa base = image.metadata.find(tdvf::SectionType::td_hob)->memory.start();
    hob::TdHob parsed = TRY(of_file(list.origin, hob::parse(list.bytes, base, widest_private_end)));
    for (const hob::Memory& memory : parsed.memory)
        if (memory.range.overlaps(place_of_image))
            return of_file<hob::TdHob>(list.origin,
                                       refuse(Fault::e820_overlap, place_of_image.start().value, 0,
                                              memory.range.start().value));
    return parsed;
}

Outcome<std::vector<ConfigFile>> tables_of_hob(const InputBytes& list, const Image& image) {
    hob::TdHob parsed = TRY(list_of_hob(list, image));
    std::vector<ConfigFile> tables;
    for (std::size_t i = 0; i < parsed.acpi_tables.size(); ++i) {
        std::vector<std::byte> bytes(
            std::max(parsed.acpi_tables[i].size(), sizeof(acpi::TableHeader)));
        parsed.acpi_tables[i].move_to(bytes);
        tables.push_back(
            named_by_signature(TRY(of_file(list.origin, acpi::check_hob_table(bytes, i)))));
    }
    return tables;
}

Outcome<std::vector<ConfigFile>> tables_of_files(const std::vector<ConfigFile>& files,
                                                 const ScriptRun& run) {
    return ScriptRunner(files, run).tables();
}

Result<void> check_tables(const std::vector<ConfigFile>& tables, bool is_td) {
    constexpr Gpa any_dsdt{page_size};
    bool has_fadt = false;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        std::vector<std::byte> copy = tables[i].content;
        if (is_td && acpi::has_signature(copy, "APIC")) {
            std::vector<std::byte> room(copy.size() + acpi::wakeup_structure_size);
            TRY(acpi::add_wakeup_structure(copy, {}, room));
        }
        if (acpi::has_signature(copy, "FACP")) {
            if (std::exchange(has_fadt, true))
                return refuse(Fault::acpi_fadt_twice, i);
            TRY(acpi::link_fadt(copy, any_dsdt, {}));
        }
    }
    return {};
}

Outcome<> check_room_in_hob(const std::vector<ConfigFile>& tables, const std::string& origin) {
    constexpr std::size_t longest = align_down(0xFFFF - sizeof(hob::GuidHeader), 8);
    std::vector<std::byte> area(512 * KiB);
    hob::ListWriter list(area);
    for (const ConfigFile& table : tables) {
        if (table.content.size() > longest)
            return std::unexpected(failure(
                origin, std::format("{} has {} bytes, and an executable gets its tables in HOBs, "
                                    "of which each holds {} at most: the boot is refused",
                                    table.name, table.content.size(), longest)));
        list.guid(hob::acpi_table_guid, table.content);
    }
    TRY(of_file(origin, list.finish(Gpa{})));
    return {};
}

} // namespace tdshim::tools
