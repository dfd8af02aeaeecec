// SPDX-License-Identifier: Apache-2.0
//
// What td-emu tells its plugin, as a JSON file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shim/base/gpa.hpp"
#include "tools/tdx-model/fault.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

/// Where the stub stands; a SIPI's vector is its page number.
inline constexpr std::uint64_t stub_address = 0x8000;
/// Of the three numbers of 32 bits that the stub wants: processors, GPA width, TD HOB.
inline constexpr std::size_t stub_settings_offset = 0x3F0;

struct Settings {
    tdx_model::Configuration configuration;
    std::vector<GpaRange> ram;
    std::vector<GpaRange> added;    ///< pages that the VMM added before the TD runs
    std::vector<GpaRange> free;     ///< of these what the VMM may fill unmeasured
    GpaRange unmeasured_payload;    ///< in the image, where MRTD does not have it
    GpaRange measured_copy;         ///< memory that has the VMM's bytes as they were measured
    std::vector<GpaRange> firmware; ///< where its code is executed
    bool is_tdshim = false;         ///< not a firmware of another make
    bool until_payload = false;
    tdx_model::Fault fault{};
    std::string fault_text; ///< for parse_faults(); empty: none
    bool delivers_exceptions = false;
    bool watches_payload = false;  ///< its loads and stores, if it is Linux, for pending pages
    bool is_our_firmware = false;  ///< then what it starts is a payload, held to rules unless Linux
    bool wants_statistics = false; ///< what costs time to count
    std::string qtest_socket;
    std::string quote_socket;
    std::string result_file;
    std::string ccel_file; ///< the log as the payload begins; empty: not wanted
    std::string
        payload_ccel_file;  ///< the log once the payload extended a register; empty: not wanted
    std::string trace_file; ///< empty: not wanted

    [[nodiscard]] std::uint32_t started_vcpus() const {
        return fault == tdx_model::Fault::other_processors_never ? 1 : configuration.vcpus;
    }
};

/// Writes them; false when that fails.
[[nodiscard]] bool write_settings(const Settings& settings, const std::string& file);
/// Nothing, and a line on stderr, when `file` holds none.
[[nodiscard]] std::optional<Settings> read_settings(const std::string& file);

} // namespace tdshim::td_emu
