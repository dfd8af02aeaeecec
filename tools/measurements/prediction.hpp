// SPDX-License-Identifier: Apache-2.0
//
// The registers of a boot, computed from its inputs by the firmware's own rules (shim/measure),
// with the events that lead to them. specs/measurement.md has the order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shim/formats/event_log/reader.hpp"
#include "shim/measure/contents.hpp"
#include "shim/measure/measurement.hpp"
#include "shim/measure/register_bank.hpp"
#include "tools/common/failure.hpp"
#include "tools/vmm/acpi_files.hpp"

namespace tdshim::tools {

/// Bytes that the firmware measures, and where they came from, in words for people.
struct InputBytes {
    std::vector<std::byte> bytes;
    std::string origin;
};
struct InputFile {
    measure::FileDigest digest;
    std::string origin;
};

/// The enrolled key that signed the payload, and the payload's SVN.
struct Authority {
    InputBytes anchor;
    std::uint64_t svn = 0;
};

/// What a Linux bundle has measured beside kernel, initrd and command line.
struct BundleInputs {
    InputBytes manifest;
    struct Event {
        std::uint32_t rtmr = 0;
        event_log::EventType type{};
        InputBytes data;
    };
    std::vector<Event> events;
};

struct BootInputs {
    std::uint32_t image_options = 0;      ///< tdvf::option_ bits
    std::optional<InputBytes> td_hob;     ///< in a TD
    bool uses_fw_cfg = false;             ///< of a TD: then it asks what is to be accepted
    std::optional<InputBytes> memory_map; ///< etc/e820, where there is no TD
    bool accepts_all_memory = false;      ///< opt/org.tdshim/accept
    std::vector<InputBytes> policy_files; ///< what is enrolled
    std::vector<vmm::ConfigFile> acpi; ///< etc/table-loader and its files; or tables by signature
    std::string acpi_origin;
    std::optional<InputBytes> smbios; ///< tables, with opt/org.tdshim/smbios
    std::optional<Authority> authority;
    bool knows_payload = false;                ///< else RTMR[1] means nothing
    std::optional<measure::Contents> contents; ///< of RTMR[1]; with a payload
    std::optional<InputFile> kernel;           ///< or another payload
    std::optional<InputFile> os_release;       ///< of a unified kernel image
    std::optional<BundleInputs> bundle;
    std::vector<InputFile> initrds;         ///< of a bundle that appends, two
    std::optional<InputBytes> command_line; ///< as measured; only Linux has one
};

struct PredictedEvent {
    measure::Measurement measurement; ///< refers to BootInputs; the place of a blob is unknown: 0
    std::string description;          ///< as shim-log shows it, e.g. "td_payload"
    std::string origin;
};

struct Prediction {
    std::vector<PredictedEvent> events; ///< the data of some may stand in `texts`
    std::vector<std::unique_ptr<Line>> texts;
    measure::RegisterBank registers;
};

/// `inputs` must outlive the prediction.
[[nodiscard]] Prediction predict(const BootInputs& inputs);

/// Whether the firmware's log has room for all of it. Errors, in words: log_full, by the event's
/// origin.
[[nodiscard]] Outcome<> check_log_room(const Prediction& prediction);

} // namespace tdshim::tools
