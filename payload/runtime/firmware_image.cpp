// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/firmware_image.hpp"

#include "payload/runtime/runtime.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "shim/formats/tdvf/metadata.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/x86/address_space.hpp"

namespace tdshim::runtime {
namespace {

/// The last `size` bytes below 4 GiB.
Result<Bytes> map_end(std::uint64_t size) {
    const GpaRange range = GpaRange::between({layout::image_end - size}, {layout::image_end});
    TRY(map(range, memory::Access::read));
    return Bytes(x86::pointer_to(range.start()), range.size());
}

} // namespace

Result<Bytes> map_firmware_image() {
    const Bytes end = TRY(map_end(page_size));
    const auto info = TRY(tdvf::find_image_info(end));
    if (!info)
        return refuse(Fault::footer_missing);
    return map_end(info->image_size);
}

Result<Bytes> find_td_params() {
    const Bytes image = TRY(map_firmware_image());
    const auto metadata = TRY(tdvf::parse_metadata(image));
    const auto* const section = metadata.find(tdvf::SectionType::td_params);
    return section == nullptr ? Bytes{} : image.subspan(section->data_offset, section->raw_size);
}

} // namespace tdshim::runtime
