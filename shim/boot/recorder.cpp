// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/recorder.hpp"

#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

constexpr std::uint32_t closed_rtmrs = 2; // RTMR[0] and RTMR[1] belong to the firmware

} // namespace

Result<void> Recorder::record(const measure::Measurement& measurement) {
    return record(measurement, measure::room_for_separators);
}

Result<void> Recorder::record(const measure::Measurement& measurement, std::size_t reserve) {
    // A register that was extended without an event could not be explained by the log any more.
    TRY(log_.check_room(measurement.head_size + measurement.body.size(), reserve));
    TRY(platform::extend_rtmr(measurement.rtmr, measurement.digest));
    bytes_hashed_ += measurement.hashed;
    return log_.append(event_log::mr_index_of_rtmr(measurement.rtmr), measurement.type,
                       measurement.digest, measurement.head(), measurement.body);
}

Result<void> Recorder::close() {
    if (closed_)
        return {};
    closed_ = true;
    for (std::uint32_t rtmr = 0; rtmr < closed_rtmrs; ++rtmr)
        TRY(record(measure::separator(rtmr), 0));
    return {};
}

void Recorder::refuse(std::string_view reason) {
    if (refused_)
        return;
    closed_ = refused_ = true;
    for (std::uint32_t rtmr = 0; rtmr < closed_rtmrs; ++rtmr)
        // There is room in the log; a register that cannot be extended stays as it is.
        static_cast<void>(record(measure::error_separator(rtmr, reason), 0));
}

} // namespace tdshim::boot
