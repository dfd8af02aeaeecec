// SPDX-License-Identifier: Apache-2.0
//
// Carries measurements out: extends the register, then logs the event, so that log and registers
// agree after every step.
#pragma once

#include <cstdint>
#include <string_view>

#include "shim/base/error.hpp"
#include "shim/formats/event_log/writer.hpp"
#include "shim/measure/measurement.hpp"

namespace tdshim::boot {

class Recorder {
  public:
    /// Begins the event log in `log_area`.
    explicit Recorder(MutableBytes log_area) : log_(log_area) {}

    /// Errors: log_full, log_rtmr_index.
    [[nodiscard]] Result<void> record(const measure::Measurement& measurement);

    /// Closes RTMR[0] and RTMR[1], unless they are closed already: the last measurement before the
    /// payload runs. Errors: as record().
    [[nodiscard]] Result<void> close();

    /// Extends RTMR[0] and RTMR[1] with the mark and the reason that there will be no payload,
    /// once; also where they are closed already.
    void refuse(std::string_view reason);

    [[nodiscard]] std::size_t log_size() const { return log_.used(); }
    [[nodiscard]] std::uint64_t bytes_hashed() const { return bytes_hashed_; }

  private:
    Result<void> record(const measure::Measurement& measurement, std::size_t reserve);
    event_log::LogWriter log_;
    std::uint64_t bytes_hashed_ = 0;
    bool closed_ = false;
    bool refused_ = false;
};

} // namespace tdshim::boot
