// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/memory.hpp"

#include <algorithm>
#include <cstdlib>

#include "shim/formats/e820/e820.hpp"
#include "shim/formats/hob/list_writer.hpp"
#include "tests/fuzz/soundness/containers.hpp"
#include "tests/fuzz/soundness/pool.hpp"
#include "tests/fuzz/soundness/tables.hpp"

namespace tdshim::soundness {
namespace {

constexpr std::size_t orders = 4; ///< bit 0: from the highest down; bit 1: by the types of old VMMs

/// RAM, and whether the VMM added it before the TD began to run.
struct Piece {
    GpaRange range;
    bool is_added = false;
    /// The bit of the choice that leaves this out; what the shim stands in stays.
    std::size_t hole = 0;
};

std::vector<Piece> pieces_of(const Choices& choices) {
    const auto up_to = [](std::uint64_t start, std::uint64_t end) {
        return GpaRange::between({start}, {end});
    };
    const std::uint64_t end = choices.has(Choice::memory_size) ? 96 * MiB : 64 * MiB;
    std::vector<Piece> pieces{
        {up_to(0, 640 * KiB), false, 1},
        {up_to(1 * MiB, layout::shim_code.start().value), false, 2},
        {layout::shim_code, true},
        {up_to(layout::shim_code.end().value, layout::shim_data.start().value), false, 4},
        {up_to(layout::shim_data.start().value, layout::event_log.end().value), true},
        {up_to(layout::event_log.end().value, 16 * MiB), false},
        {up_to(16 * MiB, 20 * MiB), false, 8},
        {up_to(20 * MiB, end), false},
    };
    std::erase_if(pieces, [&](const Piece& piece) {
        return (choices.of(Choice::memory_holes, 16) & piece.hole) != 0;
    });
    if ((choices.of(Choice::memory_order, orders) & 1) != 0)
        std::ranges::reverse(pieces);
    return pieces;
}

void put_resources(hob::ListWriter& list, const Choices& choices) {
    using enum hob::ResourceType;
    constexpr std::uint32_t attributes = 7; // present, initialized, tested
    const bool is_old = (choices.of(Choice::memory_order, orders) & 2) != 0;
    for (const Piece& piece : pieces_of(choices))
        list.resource(piece.range,
                      piece.is_added ? (is_old ? memory_reserved : system_memory)
                                     : (is_old ? system_memory : memory_unaccepted),
                      attributes);
}

/// What the VMM says of the payload; of a raw vmlinux it has to say something.
void put_payload_info(hob::ListWriter& list, const Choices& choices) {
    constexpr std::uint64_t entry_distance = 0x40;
    const std::size_t type = choices.of(Choice::announced_type, 5);
    const bool is_raw = container_of(choices) == Container::raw_vmlinux;
    if (type == 4 && !is_raw)
        return;
    constexpr std::array<std::uint32_t, 6> own_types{
        hob::image_type_bzimage, hob::image_type_executable, hob::image_type_executable,
        hob::image_type_vmlinux, hob::image_type_executable, hob::image_type_vmlinux};
    const std::uint32_t announced = type == 0 || type == 4
                                        ? choices.of(Choice::container, own_types)
                                        : static_cast<std::uint32_t>(type);
    const std::uint64_t entry =
        payload_section.start().value + choices.of(Choice::announced_entry, 16) * entry_distance;
    list.guid(hob::payload_info_guid, bytes_of(hob::PayloadInfo{announced, 0U, entry}));
}

/// A bit for each table: most often none has more than itself in its HOB.
void put_tables(hob::ListWriter& list, const Plan& plan) {
    constexpr std::size_t alternatives = 64;
    constexpr std::size_t slack_size = 5000; // another page
    const std::size_t drawn = plan.choices.of(Choice::table_slack, alternatives);
    std::size_t slack = drawn >> table_count == 0 ? drawn : 0;
    for (Blob& table : tables_of(plan)) {
        if ((slack & 1) != 0)
            table.resize(table.size() + slack_size);
        list.guid(hob::acpi_table_guid, table);
        slack >>= 1;
    }
}

} // namespace

Blob td_hob(const Plan& plan, const Launch& launch) {
    Blob bytes(layout::td_hob.size() / 2);
    hob::ListWriter list(bytes);
    put_resources(list, plan.choices);
    if (launch.is_placed) {
        put_tables(list, plan);
        put_payload_info(list, plan.choices);
        if (!launch.initrd.empty())
            list.guid(hob::initrd_info_guid,
                      bytes_of(hob::InitrdInfo{launch.initrd_place().value, launch.initrd.size()}));
    }
    const auto size = list.finish(layout::td_hob.start());
    if (!size)
        std::abort();
    bytes.resize(*size);
    apply(plan.patches, Patched::hob, bytes);
    return bytes;
}

Blob memory_map(const Choices& choices) {
    std::vector<Piece> pieces = pieces_of(choices);
    std::ranges::sort(pieces, {}, [](const Piece& piece) { return piece.range.start(); });
    Blob bytes;
    for (const Piece& piece : pieces)
        bytes.append_range(
            bytes_of(e820::WireEntry{piece.range.start().value, piece.range.size(),
                                     static_cast<std::uint32_t>(e820::Type::memory)}));
    return bytes;
}

} // namespace tdshim::soundness
