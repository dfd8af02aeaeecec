// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>

#include "tools/igvm/headers.hpp"

namespace tdshim::igvm {
namespace {

/// Whole pages from `gpa` on; both fields stand in a header, at `gpa_at` and `size_at`.
Result<GpaRange> pages(std::uint64_t gpa, std::uint64_t size, std::uint64_t gpa_at,
                       std::uint64_t size_at) {
    if (!is_aligned(gpa, page_size))
        return refuse(Fault::igvm_alignment, gpa_at, align_down(gpa, page_size), gpa);
    if (!is_aligned(size, page_size))
        return refuse(Fault::igvm_alignment, size_at, align_down(size, page_size), size);
    return GpaRange::make({gpa}, size);
}

bool is_parameter(HeaderType type) {
    switch (type) {
    case HeaderType::vp_count:
    case HeaderType::srat:
    case HeaderType::madt:
    case HeaderType::mmio_ranges:
    case HeaderType::memory_map:
    case HeaderType::command_line:
    case HeaderType::slit:
    case HeaderType::pptt:
    case HeaderType::device_tree:
    case HeaderType::environment_info: return true;
    case HeaderType::supported_platform:
    case HeaderType::guest_policy:
    case HeaderType::relocatable_region:
    case HeaderType::page_table_relocation_region:
    case HeaderType::corim_document:
    case HeaderType::corim_signature:
    case HeaderType::cca_policy:
    case HeaderType::parameter_area:
    case HeaderType::page_data:
    case HeaderType::parameter_insert:
    case HeaderType::vp_context:
    case HeaderType::required_memory:
    case HeaderType::snp_id_block:
    case HeaderType::error_range:
    case HeaderType::vbs_measurement: return false;
    }
    return false;
}

OtherHeader other(const Header& header) {
    return {.type = header.type, .length = static_cast<std::uint32_t>(header.content.size())};
}

struct Placed {
    GpaRange memory;
    std::uint64_t offset = 0; ///< of the header
};

/// What one platform's loader puts into memory, by address; of two at one address the first first.
std::vector<Placed> placed_for(const File& file, std::uint32_t mask) {
    std::vector<Placed> placed;
    for (const Directive& directive : file.directives) {
        if (const auto* page = std::get_if<PageData>(&directive.body);
            page != nullptr && (page->mask & mask) != 0)
            placed.push_back({page->memory, directive.offset});
        if (const auto* insert = std::get_if<ParameterInsert>(&directive.body);
            insert != nullptr && (insert->mask & mask) != 0)
            placed.push_back({insert->memory, directive.offset});
    }
    std::ranges::stable_sort(placed, {}, [](const Placed& one) { return one.memory.start(); });
    return placed;
}

} // namespace

Result<void> check_apart(const File& file) {
    for (const Platform& platform : file.platforms) {
        const std::vector<Placed> placed = placed_for(file, platform.mask);
        for (std::size_t i = 1; i < placed.size(); ++i) {
            const Placed& lower = placed[i - 1];
            const Placed& upper = placed[i];
            if (upper.memory.start() < lower.memory.end())
                return refuse(Fault::igvm_overlap, std::max(lower.offset, upper.offset),
                              lower.memory.end().value, upper.memory.start().value);
        }
    }
    return {};
}

Result<void> DirectiveReader::check_data(std::uint32_t offset, std::uint64_t size,
                                         std::uint64_t at) const {
    const std::uint64_t start = std::uint64_t{file_.headers_offset} + file_.headers_size;
    if (offset == 0)
        return {};
    if (offset < start)
        return refuse(Fault::igvm_data_outside_file, at, start, offset);
    if (offset > file_.bytes.size() || size > file_.bytes.size() - offset)
        return refuse(Fault::igvm_data_outside_file, at, file_.bytes.size(), offset);
    return {};
}

Result<DirectiveReader::AreaState*> DirectiveReader::open_area(std::uint32_t index,
                                                               std::uint64_t at) {
    const auto area = areas_.find(index);
    if (area == areas_.end() || area->second.is_inserted)
        return refuse(Fault::igvm_area_index, at, 0, index);
    return &area->second;
}

Result<DirectiveReader::Body> DirectiveReader::page_data(const Header& header) const {
    const auto wire = TRY(header.as<PageDataHeader>());
    const auto at = [&](std::size_t field) { return header.at(field); };
    TRY(check_mask(file_, wire.mask, at(offsetof(PageDataHeader, mask))));
    if ((wire.flags & ~(page_unmeasured | page_shared)) != 0)
        return refuse(Fault::igvm_page_flags, at(offsetof(PageDataHeader, flags)),
                      page_unmeasured | page_shared, wire.flags);
    const std::uint16_t last_type =
        (wire.mask & tdx_mask_) != 0 ? page_type_normal : last_page_type;
    if (wire.data_type > last_type)
        return refuse(Fault::igvm_page_type, at(offsetof(PageDataHeader, data_type)), last_type,
                      wire.data_type);
    if (wire.reserved != 0)
        return refuse(Fault::igvm_reserved, at(offsetof(PageDataHeader, reserved)), 0,
                      wire.reserved);
    TRY(check_data(wire.file_offset, page_size, at(offsetof(PageDataHeader, file_offset))));
    const std::uint64_t gpa_at = at(offsetof(PageDataHeader, gpa));
    return PageData{.memory = TRY(pages(wire.gpa, page_size, gpa_at, gpa_at)),
                    .mask = wire.mask,
                    .file_offset = wire.file_offset,
                    .data_type = wire.data_type,
                    .is_measured = (wire.flags & (page_unmeasured | page_shared)) == 0,
                    .is_shared = (wire.flags & page_shared) != 0};
}

Result<DirectiveReader::Body> DirectiveReader::parameter_area(const Header& header) {
    const auto wire = TRY(header.as<ParameterAreaHeader>());
    const std::uint64_t size_at = header.at(offsetof(ParameterAreaHeader, size));
    if (wire.size == 0 || wire.size > max_area_size)
        return refuse(Fault::igvm_area_size, size_at, max_area_size, wire.size);
    TRY(pages(0, wire.size, size_at, size_at));
    TRY(check_data(wire.file_offset, wire.size,
                   header.at(offsetof(ParameterAreaHeader, file_offset))));
    if (!areas_.emplace(wire.index, AreaState{.size = wire.size}).second)
        return refuse(Fault::igvm_area_index, header.at(offsetof(ParameterAreaHeader, index)), 0,
                      wire.index);
    return ParameterArea{.index = wire.index, .size = wire.size, .file_offset = wire.file_offset};
}

Result<DirectiveReader::Body> DirectiveReader::parameter(const Header& header) {
    const auto wire = TRY(header.as<ParameterHeader>());
    const AreaState* area = TRY(open_area(wire.index, header.at(offsetof(ParameterHeader, index))));
    if (wire.byte_offset >= area->size)
        return refuse(Fault::igvm_parameter_place,
                      header.at(offsetof(ParameterHeader, byte_offset)), area->size,
                      wire.byte_offset);
    return Parameter{
        .type = header.known_type(), .area = wire.index, .byte_offset = wire.byte_offset};
}

Result<DirectiveReader::Body> DirectiveReader::parameter_insert(const Header& header) {
    const auto wire = TRY(header.as<ParameterInsertHeader>());
    TRY(check_mask(file_, wire.mask, header.at(offsetof(ParameterInsertHeader, mask))));
    AreaState* area = TRY(open_area(wire.index, header.at(offsetof(ParameterInsertHeader, index))));
    area->is_inserted = true;
    const std::uint64_t gpa_at = header.at(offsetof(ParameterInsertHeader, gpa));
    return ParameterInsert{.memory = TRY(pages(wire.gpa, area->size, gpa_at, gpa_at)),
                           .mask = wire.mask,
                           .area = wire.index};
}

Result<DirectiveReader::Body> DirectiveReader::required_memory(const Header& header) const {
    const auto wire = TRY(header.as<RequiredMemoryHeader>());
    TRY(check_mask(file_, wire.mask, header.at(offsetof(RequiredMemoryHeader, mask))));
    if (wire.reserved != 0)
        return refuse(Fault::igvm_reserved, header.at(offsetof(RequiredMemoryHeader, reserved)), 0,
                      wire.reserved);
    return RequiredMemory{
        .memory = TRY(pages(wire.gpa, wire.size, header.at(offsetof(RequiredMemoryHeader, gpa)),
                            header.at(offsetof(RequiredMemoryHeader, size)))),
        .mask = wire.mask,
        .flags = wire.flags};
}

Result<DirectiveReader::Body> DirectiveReader::vp_context(const Header& header) const {
    const auto wire = TRY(header.as<VpContextHeader>());
    const std::uint64_t mask_at = header.at(offsetof(VpContextHeader, mask));
    TRY(check_mask(file_, wire.mask, mask_at));
    if ((wire.mask & tdx_mask_) != 0)
        return refuse(Fault::igvm_vp_context, mask_at, wire.mask & ~tdx_mask_, wire.mask);
    return other(header);
}

Result<Directive> DirectiveReader::read(const Header& header) {
    const auto directive = [&](Body body) {
        return Directive{.offset = header.offset, .body = body};
    };
    const HeaderType type = header.known_type();
    if (type == HeaderType::page_data)
        return page_data(header).transform(directive);
    if (type == HeaderType::parameter_area)
        return parameter_area(header).transform(directive);
    if (type == HeaderType::parameter_insert)
        return parameter_insert(header).transform(directive);
    if (type == HeaderType::required_memory)
        return required_memory(header).transform(directive);
    if (type == HeaderType::vp_context)
        return vp_context(header).transform(directive);
    if (is_parameter(type))
        return parameter(header).transform(directive);
    return directive(other(header));
}

} // namespace tdshim::igvm
