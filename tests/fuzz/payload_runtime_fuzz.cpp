// SPDX-License-Identifier: Apache-2.0
//
// What a payload reads: the HOB list, in which nothing leads outside, ACPI tables, the event log,
// whose room for another event is inside it, and instructions that access memory, which end inside
// their bytes.

#include <cstdlib>

#include "payload/runtime/acpi.hpp"
#include "payload/runtime/event_log.hpp"
#include "payload/runtime/heap.hpp"
#include "payload/runtime/hob_list.hpp"
#include "payload/runtime/mmio_instruction.hpp"

using namespace tdshim;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_instruction(Bytes input) {
    const auto found = runtime::decode_mmio(input);
    if (!found)
        return;
    require(found->length != 0 && found->length <= input.size());
    require(found->size == 1 || found->size == 2 || found->size == 4 || found->size == 8);
    require(found->register_number < 16 && found->is_write == (found->result_size == 0));
}

void check_list(Bytes input) {
    const auto found = runtime::parse_hob_list(input);
    if (!found)
        return;
    require(found->size <= input.size() && !found->memory.empty());
    for (const Bytes table : found->acpi_tables)
        require(table.data() >= input.data() &&
                table.data() + table.size() <= input.data() + found->size);
    const auto window = GpaRange::of<MiB, 4 * GiB>();
    const auto kept = GpaRange::of<32 * MiB, MiB>();
    const auto heap = runtime::largest_free(found->memory, window, std::span(&kept, 1));
    require(!heap || heap->empty() || (window.contains(*heap) && !heap->overlaps(kept)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    check_instruction(input);
    check_list(input);
    if (const auto room = runtime::find_room(input, size / 2))
        require(*room <= size && size - *room >= size / 2);
    static_cast<void>(runtime::read_madt(input));
    static_cast<void>(runtime::read_mcfg(input));
    const std::size_t half = std::min<std::size_t>(size, 244);
    static_cast<void>(runtime::find_soft_off(input.first(half), input.subspan(half)));
    return 0;
}
