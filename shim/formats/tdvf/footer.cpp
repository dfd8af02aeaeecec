// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/tdvf/footer.hpp"

#include <bit>

namespace tdshim::tdvf {
namespace {

/// First group of a GUID, as a number that an Error can show.
std::uint32_t first_group(const Guid& guid) {
    return std::bit_cast<std::array<le32, 4>>(guid.bytes)[0];
}

/// The entries of the table, which end where the footer's own tail begins.
/// Errors: truncated, footer_missing, footer_table_length.
Result<Bytes> table_entries(Bytes image) {
    constexpr std::size_t smallest = sizeof(TableEntryTail) + footer_tail;
    if (image.size() < smallest)
        return refuse(Fault::truncated, 0, smallest, image.size());
    const std::size_t footer_at = image.size() - smallest;
    const auto footer = TRY(read_at<TableEntryTail>(image, footer_at));
    if (footer.guid != footer_guid)
        return refuse(Fault::footer_missing, footer_at + sizeof(footer.length),
                      first_group(footer_guid), first_group(footer.guid));
    if (footer.length < sizeof(footer))
        return refuse(Fault::footer_table_length, footer_at, sizeof(footer), footer.length);
    const std::size_t size = footer.length - sizeof(footer);
    if (size > footer_at)
        return refuse(Fault::footer_table_length, footer_at, footer_at + sizeof(footer),
                      footer.length);
    return image.subspan(footer_at - size, size);
}

} // namespace

Result<std::optional<Bytes>> find_table_entry(Bytes image, const Guid& guid) {
    Bytes entries = TRY(table_entries(image));
    const std::size_t table_at =
        image.size() - footer_tail - sizeof(TableEntryTail) - entries.size();
    while (!entries.empty()) {
        if (entries.size() < sizeof(TableEntryTail))
            return refuse(Fault::footer_entry_length, table_at, sizeof(TableEntryTail),
                          entries.size());
        const std::size_t tail_at = entries.size() - sizeof(TableEntryTail);
        const auto tail = TRY(read_at<TableEntryTail>(entries, tail_at));
        if (tail.length < sizeof(tail) || tail.length > entries.size())
            return refuse(Fault::footer_entry_length, table_at + tail_at,
                          tail.length < sizeof(tail) ? sizeof(tail) : entries.size(), tail.length);
        if (tail.guid == guid)
            return entries.subspan(entries.size() - tail.length, tail.length - sizeof(tail));
        entries = entries.first(entries.size() - tail.length);
    }
    return std::nullopt;
}

Result<std::optional<ImageInfo>> find_image_info(Bytes image) {
    const auto data = TRY(find_table_entry(image, image_info_entry_guid));
    if (!data)
        return std::nullopt;
    const auto at = static_cast<std::size_t>(data->data() - image.data());
    if (data->size() != sizeof(ImageInfo))
        return refuse(Fault::footer_entry_length, at, sizeof(ImageInfo), data->size());
    const auto info = TRY(read_at<ImageInfo>(*data, 0));
    if (info.image_size < image.size())
        return refuse(Fault::image_info_size, at, image.size(), info.image_size);
    if (info.payload_from_end > info.image_size)
        return refuse(Fault::payload_outside_image, at, info.image_size, info.payload_from_end);
    if (info.payload_size > info.payload_from_end)
        return refuse(Fault::payload_outside_image, at, info.payload_from_end, info.payload_size);
    if ((info.options & ~known_options) != 0)
        return refuse(Fault::image_options, at, known_options, info.options);
    if ((info.options & option_static_acpi) != 0 && (info.options & option_aml_mask) != 0)
        return refuse(Fault::image_aml_policy, at, option_static_acpi, info.options);
    return info;
}

} // namespace tdshim::tdvf
