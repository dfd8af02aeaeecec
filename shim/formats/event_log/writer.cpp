// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/event_log/writer.hpp"

#include <algorithm>
#include <string_view>

namespace tdshim::event_log {
namespace {

constexpr std::string_view vendor_info = "td_shim"; // td-shim specification 0.7, 3.5, guideline 5

constexpr SpecId spec_id{
    .signature = spec_id_signature,
    .platform_class = 0,
    .version_minor = 0,
    .version_major = 2,
    .errata = 105,
    .uintn_size = 2,
    .algorithm_count = 1,
    .algorithm = algorithm_sha384,
    .digest_size = crypto::sha384_size,
    .vendor_info_size = vendor_info.size(),
};

} // namespace

LogWriter::LogWriter(MutableBytes area) : writer_(area) {
    std::ranges::fill(area, std::byte{0xFF});
    const FirstEvent first{.index = 0,
                           .type = static_cast<std::uint32_t>(EventType::no_action),
                           .digest = {},
                           .size = sizeof(SpecId) + vendor_info.size()};
    static_cast<void>(writer_.put(first) && writer_.put(spec_id) &&
                      writer_.put(bytes_of(vendor_info)));
}

Result<void> LogWriter::check_room(std::size_t data, std::size_t reserve) const {
    const std::size_t left = writer_.left() - std::min(reserve, writer_.left());
    if (data > left || sizeof(EventHeader) > left - data)
        return refuse(Fault::log_full, writer_.size(), sizeof(EventHeader) + data, left);
    return {};
}

Result<void> LogWriter::append(std::uint32_t mr_index, EventType type, const crypto::Digest& digest,
                               Bytes head, Bytes body) {
    const std::size_t data = head.size() + body.size();
    TRY(check_room(data));
    const EventHeader header{.mr_index = mr_index,
                             .type = static_cast<std::uint32_t>(type),
                             .digest_count = 1,
                             .algorithm = algorithm_sha384,
                             .digest = digest,
                             .size = static_cast<std::uint32_t>(data)};
    static_cast<void>(writer_.put(header) && writer_.put(head) && writer_.put(body));
    return {};
}

} // namespace tdshim::event_log
