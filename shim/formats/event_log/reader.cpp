// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/event_log/reader.hpp"

#include <algorithm>

namespace tdshim::event_log {
namespace {

std::string_view text_of(Bytes bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.substr(0, text.find_last_not_of('\0') + 1);
}

/// td-shim's own logs end so. Eight zero bytes alone could begin an event of MRTD's.
bool is_zero_tail(Reader reader) {
    const std::size_t left = reader.left();
    const auto bytes = reader.take_bytes(left);
    return left >= 2 * sizeof(le32) && bytes &&
           std::ranges::all_of(*bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

Result<Description> describe_blob(Bytes data) {
    Reader reader(data);
    const auto name_size = TRY(reader.take<std::uint8_t>());
    const Bytes name = TRY(reader.take_bytes(name_size));
    const auto range = TRY(reader.take<BlobRange>());
    return Description{text_of(name), TRY(GpaRange::make({range.base}, range.length)), {}};
}

Result<Description> describe_config(Bytes data) {
    Reader reader(data);
    const Bytes name = TRY(reader.take_bytes(sizeof(ConfigInfo::descriptor)));
    const auto length = TRY(reader.take<le32>());
    return Description{text_of(name), std::nullopt, TRY(reader.take_bytes(length))};
}

} // namespace

Result<LogReader> LogReader::open(Bytes log) {
    Reader reader(log);
    const auto first = TRY(reader.take<FirstEvent>());
    const std::size_t at = reader.offset();
    const Bytes data = TRY(reader.take_bytes(first.size));
    Reader body(data);
    const auto spec = TRY(body.take<SpecId>());
    if (first.type != static_cast<std::uint32_t>(EventType::no_action))
        return refuse(Fault::log_header, offsetof(FirstEvent, type),
                      static_cast<std::uint32_t>(EventType::no_action), first.type);
    if (spec.signature != spec_id_signature)
        return refuse(Fault::log_header, at);
    if (spec.algorithm_count != 1)
        return refuse(Fault::log_digest_algorithm, at, 1, spec.algorithm_count);
    if (spec.algorithm != algorithm_sha384)
        return refuse(Fault::log_digest_algorithm, at, algorithm_sha384, spec.algorithm);
    if (spec.digest_size != crypto::sha384_size)
        return refuse(Fault::log_digest_algorithm, at, crypto::sha384_size, spec.digest_size);
    return LogReader(reader, TRY(body.take_bytes(spec.vendor_info_size)));
}

std::optional<std::uint32_t> LogReader::announced() const {
    const auto info = read_at<VendorInfo>(vendor_info_, 0);
    if (!info || info->name != vendor_name)
        return std::nullopt;
    return info->used;
}

Result<std::optional<Event>> LogReader::next() {
    if (reader_.left() == 0)
        return std::nullopt;
    Reader ahead = reader_;
    if (TRY(ahead.take<le32>()) == end_of_log || is_zero_tail(reader_))
        return std::nullopt;

    const std::size_t at = reader_.offset();
    const auto header = TRY(reader_.take<EventHeader>());
    if (header.digest_count != 1)
        return refuse(Fault::log_digest_algorithm, at, 1, header.digest_count);
    if (header.algorithm != algorithm_sha384)
        return refuse(Fault::log_digest_algorithm, at, algorithm_sha384, header.algorithm);
    if (header.mr_index > max_mr_index)
        return refuse(Fault::log_register, at, max_mr_index, header.mr_index);
    return Event{at, header.mr_index,
                 static_cast<EventType>(static_cast<std::uint32_t>(header.type)), header.digest,
                 TRY(reader_.take_bytes(header.size))};
}

std::optional<Description> describe(const Event& event) {
    switch (event.type) {
    case EventType::platform_firmware_blob2: {
        const auto blob = describe_blob(event.data);
        return blob ? std::optional{*blob} : std::nullopt;
    }
    case EventType::platform_config_flags: {
        const auto config = describe_config(event.data);
        return config ? std::optional{*config} : std::nullopt;
    }
    case EventType::no_action:
    case EventType::separator:
    case EventType::event_tag:
    case EventType::ipl: return std::nullopt;
    }
    return std::nullopt;
}

} // namespace tdshim::event_log
