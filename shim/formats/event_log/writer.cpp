// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/event_log/writer.hpp"

#include <algorithm>
#include <cstddef>

namespace tdshim::event_log {
namespace {

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
    .vendor_info_size = sizeof(VendorInfo),
};

} // namespace

LogWriter::LogWriter(MutableBytes area) : area_(area), writer_(area) {
    std::ranges::fill(area, std::byte{0xFF});
    const FirstEvent first{.index = 0,
                           .type = static_cast<std::uint32_t>(EventType::no_action),
                           .digest = {},
                           .size = sizeof(SpecId) + sizeof(VendorInfo)};
    static_cast<void>(writer_.put(first) && writer_.put(spec_id) &&
                      writer_.put(VendorInfo{vendor_name, 0}));
    say_used();
}

void LogWriter::say_used() {
    constexpr std::size_t at = sizeof(FirstEvent) + sizeof(SpecId) + offsetof(VendorInfo, used);
    Writer field(area_.subspan(at, sizeof(le32)));
    static_cast<void>(field.put(le32(static_cast<std::uint32_t>(writer_.size()))));
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
    say_used();
    return {};
}

} // namespace tdshim::event_log
