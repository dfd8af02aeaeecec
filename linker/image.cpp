// SPDX-License-Identifier: Apache-2.0
#include "linker/image.hpp"

#include <algorithm>

#include "linker/profile.hpp"
#include "shim/formats/tdvf/builder.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "shim/memory/layout.hpp"

namespace tdshim::linker {
namespace {

constexpr std::uint64_t shim_rom_from_end = layout::shim_rom_size + layout::reset_vector_size;

// What erased flash holds, and as an instruction (FF /7) undefined: a stray jump into unused room
// stops at once.
constexpr std::byte filler{0xFF};

tdvf::ImageInfo image_info(const Plan& plan, std::uint32_t options) {
    const bool has_payload = plan.payload_size != 0;
    const std::uint64_t from_end = plan.image_size - places_of(plan).payload;
    return {.image_size = static_cast<std::uint32_t>(plan.image_size),
            .payload_from_end = has_payload ? static_cast<std::uint32_t>(from_end) : 0,
            .payload_size = static_cast<std::uint32_t>(plan.payload_size),
            .options = options};
}

/// The plan with the sizes of what the image is made of. Errors: payload_size, td_info_size.
Result<Plan> plan_of(const Contents& contents, const Shim& shim) {
    Plan plan = contents.plan;
    plan.image_size = TRY(image_size(contents.payload));
    plan.payload_size = contents.payload ? contents.payload->size() : 0;
    if (plan.payload_size == 0 && plan.profile == Profile::service_td)
        return refuse(Fault::payload_size, 0, 1, 0); // nobody else brings one
    for (const Bytes info : {contents.td_info, contents.td_params})
        if (info.size() > max_info_size)
            return refuse(Fault::td_info_size, 0, max_info_size, info.size());
    plan.td_info_size = static_cast<std::uint32_t>(contents.td_info.size());
    plan.td_params_size = static_cast<std::uint32_t>(contents.td_params.size());
    const bool has_infos = plan.td_info_size + plan.td_params_size != 0;
    const std::uint64_t room = layout::shim_rom_size - 2 * max_info_size;
    if (has_infos && shim.rom_size > room)
        return refuse(Fault::td_info_size, 0, room, shim.rom_size);
    return plan;
}

/// Writes the numbers that the reset vector reads at run time.
Result<void> fill_slots(MutableBytes image, const Shim& shim) {
    static_assert(layout::code_size_slot_from_end - layout::entry_slot_from_end == sizeof(le32));
    Writer slots(image.last(layout::code_size_slot_from_end).first(sizeof(le32) + sizeof(le64)));
    if (!slots.put(le32(static_cast<std::uint32_t>(shim.rom_size))) ||
        !slots.put(le64(shim.executable.entry.value)))
        return refuse(Fault::reset_vector_slot, image.size());
    return {};
}

/// Names every byte of the image once.
std::vector<Region> regions_of(const Plan& plan, const Shim& shim) {
    const std::uint64_t size = plan.image_size;
    const DataPlaces places = places_of(plan);
    std::vector<Region> regions;
    std::uint64_t offset = 0;
    const auto up_to = [&](std::uint64_t end, std::string_view what) {
        if (end == offset)
            return;
        const std::uint64_t base = layout::image_end - size;
        regions.push_back({what, offset, GpaRange::between({base + offset}, {base + end})});
        offset = end;
    };
    up_to(layout::cfv_size, "configuration volume (CFV)");
    if (plan.payload_size != 0)
        up_to(places.payload + plan.payload_size, "payload");
    up_to(size - shim_rom_from_end, "unused");
    up_to(size - shim_rom_from_end + shim.rom_size, "shim: code and constants");
    if (plan.td_info_size != 0) {
        up_to(places.td_info, "unused");
        up_to(places.td_info + plan.td_info_size, "TD_INFO");
    }
    if (plan.td_params_size != 0) {
        up_to(places.td_params, "unused");
        up_to(places.td_params + plan.td_params_size, "TD_PARAMS");
    }
    up_to(size - layout::reset_vector_size, "unused");
    up_to(size - layout::link_room_from_end, "reset vector");
    up_to(size - layout::code_size_slot_from_end, "metadata and footer table");
    up_to(size, "slots and reset vector proper");
    return regions;
}

/// Behind its last byte its page is zero, as in memory: tools that take the file's bytes for a
/// whole section then see what the TD has.
void place_payload(Bytes payload, MutableBytes image, const DataPlaces& places) {
    const MutableBytes pages = image.subspan(places.payload, places.after_payload - places.payload);
    std::ranges::fill(pages, std::byte{0});
    std::ranges::copy(payload, pages.begin());
}

/// What the shim and the profile's VMM will read, by their own rules.
Result<tdvf::Metadata> read_back(Bytes image, const Plan& plan) {
    const auto metadata = TRY(tdvf::parse_metadata(image));
    TRY(check_profile(plan, metadata));
    if (!TRY(tdvf::find_image_info(image)))
        return refuse(Fault::image_info_size, image.size(), image.size(), 0);
    return metadata;
}

} // namespace

Result<void> check_reset_vector(Bytes reset_vector) {
    if (reset_vector.size() != layout::reset_vector_size)
        return refuse(Fault::reset_vector_size, reset_vector.size(), layout::reset_vector_size,
                      reset_vector.size());
    const Bytes room = reset_vector.last(layout::link_room_from_end).first(layout::link_room_size);
    const auto used =
        std::ranges::find_if(room, [](std::byte byte) { return byte != std::byte{0}; });
    if (used != room.end())
        return refuse(Fault::reset_vector_slot,
                      reset_vector.size() - layout::link_room_from_end +
                          static_cast<std::uint64_t>(used - room.begin()),
                      0, std::to_integer<std::uint64_t>(*used));
    return {};
}

Result<std::uint64_t> image_size(std::optional<Bytes> payload) {
    constexpr std::uint64_t fixed = layout::cfv_size + shim_rom_from_end;
    constexpr std::uint64_t room = layout::max_image_size - fixed;
    if (!payload)
        return layout::min_image_size;
    if (payload->empty() || payload->size() > room)
        return refuse(Fault::payload_size, 0, payload->empty() ? 1 : room, payload->size());
    // Smaller than max_image_size, which is a multiple of the granule: this cannot wrap around.
    return *align_up(fixed + payload->size(), layout::image_granule);
}

Result<Image> link(Bytes reset_vector, const Shim& shim, const Contents& contents) {
    const Plan plan = TRY(plan_of(contents, shim));
    Image image{.bytes = std::vector(plan.image_size, filler),
                .regions = regions_of(plan, shim),
                .metadata = {}};
    const MutableBytes bytes(image.bytes);
    const DataPlaces places = places_of(plan);
    std::ranges::fill(bytes.first(layout::cfv_size), std::byte{0});
    place_payload(contents.payload.value_or(Bytes{}), bytes, places);
    place_in_rom(shim, bytes.last(shim_rom_from_end).first(layout::shim_rom_size));
    std::ranges::copy(contents.td_info, bytes.subspan(places.td_info).begin());
    std::ranges::copy(contents.td_params, bytes.subspan(places.td_params).begin());
    std::ranges::copy(reset_vector, bytes.last(layout::reset_vector_size).begin());
    TRY(fill_slots(bytes, shim));
    TRY(tdvf::write_metadata(bytes, layout::link_room_from_end, sections_of(plan),
                             image_info(plan, contents.options)));
    image.metadata = TRY(read_back(bytes, plan));
    return image;
}

} // namespace tdshim::linker
