// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/hob_list.hpp"

#include "shim/formats/acpi/wire.hpp"
#include "shim/formats/hob/hob.hpp"

namespace tdshim::runtime {
namespace {

Result<void> add_acpi_table(HobList& found, Bytes data, std::uint64_t at) {
    const auto header = TRY(read_at<acpi::TableHeader>(data, 0));
    // Behind a table there may be padding.
    if (header.length < sizeof(acpi::TableHeader) || header.length > data.size())
        return refuse(Fault::acpi_length, at, data.size(), header.length);
    if (!found.acpi_tables.push(data.first(header.length)))
        return refuse(Fault::too_many_entries, at, max_acpi_tables, max_acpi_tables + 1);
    return {};
}

Result<void> add_memory(HobList& found, Bytes data, std::uint64_t at) {
    // A HOB is a multiple of 8 bytes, an entry is not.
    const Bytes whole_entries = data.first(data.size() - data.size() % sizeof(e820::WireEntry));
    if (!found.memory.empty())
        return refuse(Fault::hob_guid_twice, at);
    found.memory = TRY(e820::parse(whole_entries));
    return {};
}

Result<void> add(HobList& found, const hob::Framed& framed, std::uint64_t at) {
    if (framed.type != hob::HobType::guid_extension)
        return {};
    const auto header = TRY(read_at<hob::GuidHeader>(framed.hob, 0));
    const Bytes data = framed.hob.subspan(sizeof(header));
    if (header.name == hob::e820_table_guid)
        return add_memory(found, data, at);
    if (header.name == hob::acpi_table_guid)
        return add_acpi_table(found, data, at);
    return {};
}

} // namespace

std::optional<Bytes> HobList::find_table(std::string_view signature) const {
    for (const Bytes table : acpi_tables)
        if (const auto header = read_at<acpi::TableHeader>(table, 0);
            header && std::string_view(header->signature) == signature)
            return table;
    return std::nullopt;
}

Result<HobList> parse_hob_list(Bytes area) {
    HobList found;
    hob::Walk list(area);
    const hob::Framed first = TRY(list.next());
    if (first.type != hob::HobType::handoff || first.hob.size() != sizeof(hob::Handoff))
        return refuse(Fault::hob_no_handoff);
    for (;;) {
        ++found.hobs;
        const std::uint64_t at = list.offset();
        const hob::Framed framed = TRY(list.next());
        if (framed.type == hob::HobType::end_of_list)
            break;
        TRY(add(found, framed, at));
    }
    ++found.hobs;
    found.size = list.offset();
    if (found.memory.empty())
        return refuse(Fault::e820_no_memory);
    return found;
}

} // namespace tdshim::runtime
