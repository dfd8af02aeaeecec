// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/firmware_volume.hpp"

#include <algorithm>

#include "tools/common/look.hpp"

namespace tdshim::tools {

std::optional<VolumePlace> find_volume(const tdvf::Metadata& metadata) {
    const auto section =
        std::ranges::find_if(metadata.sections, [](const tdvf::Section& candidate) {
            return candidate.type == tdvf::SectionType::cfv && candidate.raw_size != 0;
        });
    if (section == metadata.sections.end())
        return std::nullopt;
    return VolumePlace{section->data_offset, section->raw_size};
}

Outcome<VolumePlace> require_volume(Bytes image, const std::string& file) {
    const auto metadata = TRY(of_file(file, image, tdvf::parse_metadata(image)));
    const auto place = find_volume(metadata);
    if (!place)
        return std::unexpected(failure(file, "its metadata has no configuration volume (CFV)"));
    return *place;
}

} // namespace tdshim::tools
