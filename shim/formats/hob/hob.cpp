// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/hob/hob.hpp"

#include <algorithm>

namespace tdshim::hob {
namespace {

constexpr std::uint64_t hob_alignment = 8;
constexpr std::size_t max_resources = 128;

struct Resource {
    GpaRange range;
    ResourceType type{};
};
using ResourceList = StaticVector<Resource, max_resources>;

/// What a resource takes is guest physical memory, not a range of I/O ports.
bool is_in_memory_space(ResourceType type) {
    return type != ResourceType::io && type != ResourceType::io_reserved &&
           type != ResourceType::memory_mapped_io_port;
}

Result<Resource> parse_resource(Bytes hob, std::uint64_t at, Gpa limit) {
    if (hob.size() != sizeof(WireResource))
        return refuse(Fault::hob_length, at, sizeof(WireResource), hob.size());
    const auto wire = TRY(read_at<WireResource>(hob, 0));
    if (wire.type > last_resource_type)
        return refuse(Fault::hob_resource_type, at, last_resource_type, wire.type);
    if (wire.length == 0)
        return refuse(Fault::hob_resource_empty, at);
    const auto type = static_cast<ResourceType>(static_cast<std::uint32_t>(wire.type));
    const GpaRange range = TRY(GpaRange::make({wire.start}, wire.length));
    if (!is_in_memory_space(type))
        return Resource{range, type};
    if (!is_aligned(range.start().value | range.size(), page_size))
        return refuse(Fault::hob_resource_alignment, at, page_size,
                      range.start().value | range.size());
    if (range.end() > limit)
        return refuse(Fault::hob_above_gpa_width, at, limit.value, range.end().value);
    return Resource{range, type};
}

Result<Handoff> take_handoff(Walk& list) {
    const Framed first = TRY(list.next());
    if (first.type != HobType::handoff || first.hob.size() != sizeof(Handoff))
        return refuse(Fault::hob_no_handoff);
    return read_at<Handoff>(first.hob, 0);
}

/// The resources of the list, up to its end.
Result<ResourceList> take_resources(Walk& list, Gpa limit) {
    ResourceList resources;
    for (;;) {
        const std::uint64_t at = list.offset();
        const Framed framed = TRY(list.next());
        switch (framed.type) {
        case HobType::end_of_list:
            if (framed.hob.size() != sizeof(HobHeader))
                return refuse(Fault::hob_length, at + 2, sizeof(HobHeader), framed.hob.size());
            return resources;
        case HobType::resource: {
            const Resource resource = TRY(parse_resource(framed.hob, at, limit));
            if (is_in_memory_space(resource.type) && !resources.push(resource))
                return refuse(Fault::too_many_entries, at, max_resources, max_resources + 1);
            break;
        }
        case HobType::memory_allocation:
        case HobType::guid_extension:
        case HobType::firmware_volume:
        case HobType::cpu: break;
        case HobType::handoff:
        default: return refuse(Fault::hob_type, at, 0, static_cast<std::uint16_t>(framed.type));
        }
    }
}

Result<void> check_overlaps(ResourceList& resources) {
    std::ranges::sort(resources.view(), {}, [](const Resource& r) { return r.range.start(); });
    for (std::size_t i = 1; i < resources.size(); ++i)
        if (resources[i].range.overlaps(resources[i - 1].range))
            return refuse(Fault::hob_resource_overlap, resources[i].range.start().value,
                          resources[i - 1].range.end().value, resources[i].range.start().value);
    return {};
}

} // namespace

Result<Framed> Walk::next() {
    const std::size_t at = offset();
    const auto header = TRY(reader_.take<HobHeader>());
    if (header.reserved != 0)
        return refuse(Fault::hob_reserved, at + 4, 0, header.reserved);
    if (header.length < sizeof(HobHeader))
        return refuse(Fault::hob_length, at + 2, sizeof(HobHeader), header.length);
    const auto padded = align_up(header.length, hob_alignment);
    TRY(reader_.take_bytes(*padded - sizeof(HobHeader)));
    return Framed{static_cast<HobType>(static_cast<std::uint16_t>(header.type)),
                  area_.subspan(at, header.length)};
}

Result<std::size_t> list_size(Bytes area) {
    Walk list(area);
    for (;;) {
        const Framed framed = TRY(list.next());
        if (framed.type == HobType::end_of_list)
            return list.offset();
    }
}

Result<MemoryList> parse(Bytes area, Gpa base, Gpa limit) {
    Walk list(area);
    const Handoff handoff = TRY(take_handoff(list));
    ResourceList resources = TRY(take_resources(list, limit));
    // PI means the end-of-list HOB's own address, QEMU and Cloud Hypervisor the one behind it.
    const std::uint64_t end = base.value + list.offset();
    if (handoff.end_of_hob_list != end && handoff.end_of_hob_list != end - sizeof(HobHeader))
        return refuse(Fault::hob_end, 48, end, handoff.end_of_hob_list);
    TRY(check_overlaps(resources));

    const bool has_type_7 = std::ranges::any_of(
        resources, [](const Resource& r) { return r.type == ResourceType::memory_unaccepted; });
    const auto accepted = has_type_7 ? ResourceType::system_memory : ResourceType::memory_reserved;
    const auto unaccepted =
        has_type_7 ? ResourceType::memory_unaccepted : ResourceType::system_memory;
    MemoryList found;
    for (const Resource& resource : resources) {
        if (resource.type != accepted && resource.type != unaccepted)
            continue;
        if (!found.push({resource.range, resource.type == accepted}))
            return refuse(Fault::too_many_entries, resource.range.start().value, max_memory_ranges,
                          max_memory_ranges + 1);
    }
    return found;
}

} // namespace tdshim::hob
