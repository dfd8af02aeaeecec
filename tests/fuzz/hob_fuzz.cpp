// SPDX-License-Identifier: Apache-2.0
//
// The TD HOB and the acceptance plan that follows from it: memory that parse() gives is sorted,
// disjoint, made of whole pages and below the limit; the plan's units are the unaccepted memory
// without the kept ranges, each page once. The input is tried as a list, and as resources of small
// numbers in a well-formed list.

#include <cstdlib>
#include <map>
#include <vector>

#include "shim/formats/hob/hob.hpp"
#include "shim/memory/acceptance.hpp"

using namespace tdshim;

namespace {

constexpr Gpa base{0xB00000};
constexpr Gpa limit{std::uint64_t{1} << 47};

struct SmallResource {
    std::uint8_t type;
    std::uint8_t page;
    std::uint8_t pages;
};

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_plan(const hob::MemoryList& list, std::span<const GpaRange> kept) {
    const auto plan = memory::AcceptancePlan::make(list, kept);
    if (!plan)
        return;
    std::map<std::uint64_t, int> accepted;
    for (std::size_t i = 0; i < plan->units(); ++i) {
        const GpaRange unit = plan->unit(i);
        require(!unit.empty() && unit.size() <= memory::unit_size);
        for (std::uint64_t page = unit.start().value; page < unit.end().value; page += page_size)
            ++accepted[page];
    }
    std::uint64_t expected = 0;
    for (const hob::Memory& memory : list) {
        const std::uint64_t end = memory.range.end().value;
        for (std::uint64_t page = memory.range.start().value; page < end; page += page_size) {
            const GpaRange whole = GpaRange::between({page}, {page + page_size});
            bool is_kept = memory.is_accepted;
            for (const GpaRange& range : kept)
                is_kept = is_kept || range.overlaps(whole);
            require(accepted.contains(page) != is_kept);
            expected += is_kept ? 0 : 1;
        }
    }
    for (const auto& [page, times] : accepted)
        require(times == 1);
    require(accepted.size() == expected && plan->bytes() == expected * page_size);
}

Result<hob::TdHob> check_list(Bytes bytes) {
    auto list = hob::parse(bytes, base, limit);
    if (!list)
        return list;
    require(hob::list_size(bytes).has_value());
    Gpa end{};
    for (const hob::Memory& memory : list->memory) {
        require(!memory.range.empty() && memory.range.start() >= end);
        require(is_aligned(memory.range.start().value | memory.range.size(), page_size));
        end = memory.range.end();
        require(end <= limit);
    }
    return list;
}

std::vector<std::byte> list_of(std::span<const SmallResource> resources) {
    const std::uint64_t size = sizeof(hob::Handoff) + sizeof(hob::WireResource) * resources.size() +
                               sizeof(hob::HobHeader);
    std::vector<std::byte> list;
    const hob::Handoff handoff{.header = {1, sizeof(hob::Handoff), 0},
                               .version = 9,
                               .boot_mode = 0,
                               .memory_top = 0,
                               .memory_bottom = 0,
                               .free_memory_top = 0,
                               .free_memory_bottom = 0,
                               .end_of_hob_list = base.value + size};
    list.append_range(bytes_of(handoff));
    for (const SmallResource& small : resources) {
        const hob::WireResource resource{.header = {3, sizeof(hob::WireResource), 0},
                                         .owner = {},
                                         .type = small.type % 8U,
                                         .attributes = 7,
                                         .start = small.page * page_size,
                                         .length = small.pages * page_size};
        list.append_range(bytes_of(resource));
    }
    const hob::HobHeader end{0xFFFF, sizeof(hob::HobHeader), 0};
    list.append_range(bytes_of(end));
    return list;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    static_cast<void>(check_list(input));

    std::vector<SmallResource> resources;
    std::vector<GpaRange> kept;
    Reader reader(input);
    while (const auto small = reader.take<SmallResource>()) {
        if (small->type >= 0xC0)
            kept.push_back(GpaRange::between({small->page * page_size},
                                             {(small->page + small->pages) * page_size}));
        else
            resources.push_back(*small);
    }
    if (const auto list = check_list(list_of(resources)))
        check_plan(list->memory, kept);
    return 0;
}
