// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/hob/list_writer.hpp"

#include <algorithm>
#include <array>

namespace tdshim::hob {
namespace {

constexpr std::size_t hob_alignment = 8;
constexpr std::uint32_t handoff_version = 9;
constexpr std::size_t max_length = 0xFFFF; // HobHeader.length

std::size_t padded(std::size_t size) {
    return *align_up(size, hob_alignment);
}

HobHeader header(HobType type, std::size_t length) {
    return {static_cast<std::uint16_t>(type), static_cast<std::uint16_t>(length), 0};
}

} // namespace

ListWriter::ListWriter(MutableBytes area) : area_(area), writer_(area) {
    put(bytes_of(Handoff{}));
}

void ListWriter::put(Bytes bytes) {
    if (!writer_.put(bytes))
        is_full_ = true;
}

void ListWriter::resource(const GpaRange& range, ResourceType type, std::uint32_t attributes) {
    put(bytes_of(WireResource{.header = header(HobType::resource, sizeof(WireResource)),
                              .owner = {},
                              .type = static_cast<std::uint32_t>(type),
                              .attributes = attributes,
                              .start = range.start().value,
                              .length = range.size()}));
}

void ListWriter::put_guid(const Guid& name, Bytes data, std::size_t length) {
    if (length > max_length)
        is_full_ = true;
    put(bytes_of(GuidHeader{.header = header(HobType::guid_extension, length), .name = name}));
    put(data);
    constexpr std::array<std::byte, hob_alignment> zeros{};
    put(Bytes(zeros).first(padded(data.size()) - data.size()));
}

void ListWriter::guid(const Guid& name, Bytes data) {
    put_guid(name, data, sizeof(GuidHeader) + padded(data.size()));
}

void ListWriter::unpadded_guid(const Guid& name, Bytes data) {
    put_guid(name, data, sizeof(GuidHeader) + data.size());
}

Result<std::size_t> ListWriter::finish(Gpa base) {
    put(bytes_of(header(HobType::end_of_list, sizeof(HobHeader))));
    if (is_full_)
        return refuse(Fault::hob_list_full, writer_.size(), area_.size());
    const Handoff handoff{.header = header(HobType::handoff, sizeof(Handoff)),
                          .version = handoff_version,
                          .boot_mode = 0,
                          .memory_top = 0,
                          .memory_bottom = 0,
                          .free_memory_top = 0,
                          .free_memory_bottom = 0,
                          .end_of_hob_list = base.value + writer_.size()};
    std::ranges::copy(bytes_of(handoff), area_.begin());
    return writer_.size();
}

} // namespace tdshim::hob
