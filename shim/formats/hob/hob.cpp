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

Result<AnnouncedPayload> parse_payload_info(Bytes data, std::uint64_t at) {
    if (data.size() == sizeof(PackedPayloadInfo)) {
        const auto packed = TRY(read_at<PackedPayloadInfo>(data, 0));
        return AnnouncedPayload{packed.image_type, {packed.entry}};
    }
    if (data.size() != sizeof(PayloadInfo))
        return refuse(Fault::hob_payload_info, at, sizeof(PayloadInfo), data.size());
    const auto info = TRY(read_at<PayloadInfo>(data, 0));
    return AnnouncedPayload{info.image_type, {info.entry}};
}

Result<GpaRange> parse_initrd_info(Bytes data, std::uint64_t at) {
    if (data.size() != sizeof(InitrdInfo))
        return refuse(Fault::hob_initrd_info, at, sizeof(InitrdInfo), data.size());
    const auto info = TRY(read_at<InitrdInfo>(data, 0));
    return GpaRange::make({info.address}, info.size);
}

/// What a HOB with a GUID adds; one that is for somebody else adds nothing.
Result<void> add_extension(TdHob& found, Bytes hob, std::uint64_t at) {
    if (hob.size() < sizeof(GuidHeader))
        return refuse(Fault::hob_length, at + 2, sizeof(GuidHeader), hob.size());
    const auto header = TRY(read_at<GuidHeader>(hob, 0));
    const Bytes data = hob.subspan(sizeof(GuidHeader));
    if (header.name == acpi_table_guid && !found.acpi_tables.push(Foreign(data)))
        return refuse(Fault::too_many_entries, at, max_acpi_tables, max_acpi_tables + 1);
    if (header.name == payload_info_guid) {
        if (found.payload)
            return refuse(Fault::hob_guid_twice, at);
        found.payload = TRY(parse_payload_info(data, at));
    }
    if (header.name == initrd_info_guid) {
        if (found.initrd)
            return refuse(Fault::hob_guid_twice, at);
        found.initrd = TRY(parse_initrd_info(data, at));
    }
    return {};
}

/// The resources of the list, up to its end; what it has beside them goes to `found`.
Result<ResourceList> take_hobs(Walk& list, Gpa limit, TdHob& found) {
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
        case HobType::guid_extension: TRY(add_extension(found, framed.hob, at)); break;
        case HobType::memory_allocation:
        case HobType::firmware_volume:
        case HobType::cpu: break;
        case HobType::handoff:
        default: return refuse(Fault::hob_type, at, 0, static_cast<std::uint16_t>(framed.type));
        }
    }
}

Result<void> check_overlaps(ResourceList& resources) {
    resources.sort_by([](const Resource& r) { return r.range.start(); });
    for (std::size_t i = 1; i < resources.size(); ++i)
        if (resources[i].range.overlaps(resources[i - 1].range))
            return refuse(Fault::hob_resource_overlap, resources[i].range.start().value,
                          resources[i - 1].range.end().value, resources[i].range.start().value);
    return {};
}

/// The memory among the resources, by whichever way the VMM tells it.
Result<MemoryList> memory_of(const ResourceList& resources) {
    const bool has_type_7 = std::ranges::any_of(
        resources, [](const Resource& r) { return r.type == ResourceType::memory_unaccepted; });
    const auto accepted = has_type_7 ? ResourceType::system_memory : ResourceType::memory_reserved;
    const auto unaccepted =
        has_type_7 ? ResourceType::memory_unaccepted : ResourceType::system_memory;
    MemoryList memory;
    for (const Resource& resource : resources) {
        if (resource.type != accepted && resource.type != unaccepted)
            continue;
        if (!memory.push({resource.range, resource.type == accepted}))
            return refuse(Fault::too_many_entries, resource.range.start().value, max_memory_ranges,
                          max_memory_ranges + 1);
    }
    return memory;
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

Result<TdHob> parse(Bytes area, Gpa base, Gpa limit) {
    Walk list(area);
    const Handoff handoff = TRY(take_handoff(list));
    TdHob found;
    ResourceList resources = TRY(take_hobs(list, limit, found));
    // PI means the end-of-list HOB's own address, QEMU and Cloud Hypervisor the one behind it.
    const std::uint64_t end = base.value + list.offset();
    if (handoff.end_of_hob_list != end && handoff.end_of_hob_list != end - sizeof(HobHeader))
        return refuse(Fault::hob_end, 48, end, handoff.end_of_hob_list);
    TRY(check_overlaps(resources));
    found.memory = TRY(memory_of(resources));
    return found;
}

} // namespace tdshim::hob
