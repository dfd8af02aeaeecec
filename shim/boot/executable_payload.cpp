// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/executable_payload.hpp"

#include <algorithm>
#include <array>

#include "shim/boot/memory_map.hpp"
#include "shim/boot/report.hpp"
#include "shim/boot/td_memory.hpp"
#include "shim/formats/acpi/tables.hpp"
#include "shim/formats/hob/list_writer.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using executable::Program;
using memory::Request;

constexpr auto below_4g = GpaRange::of<1 * MiB, 4 * GiB - 1 * MiB>();
/// Below it the shim itself, its tables and what they leave free.
constexpr auto where_it_may_be = GpaRange::of<16 * MiB, 4 * GiB - 16 * MiB>();
constexpr std::uint64_t hob_area_size = 512 * KiB;
/// What it finds accepted of a TD's memory: enough for programs that never heard of acceptance.
constexpr auto executable_memory = GpaRange::of<0, 512 * MiB>();

/// Where it was linked for, else any other place if it can be there.
Result<GpaRange> place(Context& context, const Program& program) {
    if (const auto linked = GpaRange::make(program.linked_base, program.size);
        linked && where_it_may_be.contains(*linked)) {
        const Request there{.size = program.size, .within = *linked};
        if (context.memory.find(there))
            return allocate(context, there);
        if (!program.is_relocatable)
            return refuse(Fault::executable_does_not_fit, program.linked_base.value, program.size,
                          context.memory.largest(there));
    }
    if (!program.is_relocatable)
        return refuse(Fault::executable_does_not_fit, program.linked_base.value, program.size, 0);
    return allocate(context,
                    {.size = program.size, .alignment = large_page_size, .within = where_it_may_be})
        .transform_error(memory::said_as<Fault::executable_does_not_fit>);
}

/// The map as the payload sees it. The page tables, descriptor tables and the stack that it begins
/// with are the shim's.
Result<std::array<e820::WireEntry, e820::max_entries>> entries(Context& context,
                                                               std::size_t& count) {
    for (const GpaRange& range : {layout::shim_code, layout::shim_data})
        TRY(context.memory.retype(range, e820::Type::reserved));
    memory::MemoryMap map = context.memory;
    for (const GpaRange& range : context.unaccepted)
        TRY(map.retype(range, e820::Type::unaccepted));
    std::array<e820::WireEntry, e820::max_entries> wire{};
    for (const e820::Entry& entry : map.table())
        wire[count++] = {entry.range.start().value, entry.range.size(),
                         static_cast<std::uint32_t>(entry.type)};
    return wire;
}

Result<Gpa> write_hob(Context& context, const AcpiRoot& acpi) {
    context.input = "payload HOB";
    const GpaRange area = TRY(allocate(context, {.size = hob_area_size, .within = below_4g}));
    TRY(context.memory.retype(area, e820::Type::acpi));
    const MutableBytes memory = TRY(platform::memory(area));
    hob::ListWriter list(memory);
    std::size_t count = 0;
    const auto table = TRY(entries(context, count));
    list.guid(hob::e820_table_guid,
              std::as_bytes(std::span(table)).first(count * sizeof(e820::WireEntry)));
    for (const Bytes acpi_table : acpi.tables)
        list.guid(hob::acpi_table_guid, acpi_table);
    TRY(list.finish(area.start()));
    return area.start();
}

memory::Access access_of(const executable::Part& part) {
    return part.executable ? memory::Access::read_execute
           : part.writable ? memory::Access::read_write
                           : memory::Access::read;
}

} // namespace

Result<ExecutablePayload> load_executable(Context& context, const PayloadFile& file,
                                          const AcpiRoot& acpi) {
    const plan::PayloadFiles files = TRY(plan::files_of(file.payload()));
    const auto contents = plan::contents_of(file.payload(), files, false);
    TRY(open_payload_register(context, file, contents));
    const measure::Measurement measured =
        measure::kernel(file.place, measure::digest_of(file.measured));
    if (file.is_recorded)
        TRY(context.recorder.record(measured));
    report("payload", context.input, measured);
    ExecutablePayload payload;
    payload.program = TRY(file.kind == payload::Kind::pe ? executable::parse_pe(file.bytes)
                                                         : executable::parse_elf(file.bytes));
    payload.memory = TRY(place(context, payload.program));
    TRY(accept_place(context, executable_memory));
    const MutableBytes memory = TRY(platform::memory(payload.memory));
    TRY(executable::load(payload.program, payload.memory.start(), memory));
    TRY(discard_file(context, file));
    payload.hob = TRY(write_hob(context, acpi));
    return payload;
}

Result<void> start_executable(const Context& context, const ExecutablePayload& payload) {
    const memory::MemoryMap accepted = TRY(accepted_memory(context));
    for (const e820::Entry& entry : accepted.table()) {
        // The first page stays absent: a null pointer is to fault.
        const GpaRange usable = GpaRange::between(std::max(entry.range.start(), Gpa{page_size}),
                                                  std::min(entry.range.end(), Gpa{4 * GiB}));
        if (entry.type != e820::Type::reserved && !usable.empty())
            TRY(platform::protect(usable, memory::Access::read_write));
    }
    const std::uint64_t base = payload.memory.start().value;
    TRY(platform::protect(payload.memory, memory::Access::read));
    for (const executable::Part& part : payload.program.parts) {
        const GpaRange range = TRY(GpaRange::make({base + part.offset}, part.size));
        TRY(platform::protect(range, access_of(part)));
    }
    const Gpa entry{base + payload.program.entry};
    return platform::start_executable(payload.program.format, entry, payload.hob,
                                      payload.memory.start());
}

} // namespace tdshim::boot
