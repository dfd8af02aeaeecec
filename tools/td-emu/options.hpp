// SPDX-License-Identifier: Apache-2.0
//
// What td-emu was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/measurements/identity.hpp"
#include "tools/quoting/platform.hpp"
#include "tools/tdx-model/module_version.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::td_emu {

/// The shared bit of a TD of 52 bits would be address bit 51, where QEMU has no memory. Of 53 bits
/// it is bit 52, which page tables ignore, so that shared and private are the same memory.
inline constexpr unsigned widest_gpa = 53;

struct Options {
    std::string firmware;
    std::uint64_t memory = std::uint64_t{2} << 30; ///< bytes
    std::uint32_t vcpus = 1;
    std::string kernel;
    std::string initrd;
    std::string command_line;
    std::optional<std::uint64_t> payload_entry; ///< the kernel is raw, to be entered there
    vmm::PayloadInfoForm payload_form = vmm::PayloadInfoForm::packed;
    unsigned gpa_width = widest_gpa; ///< bits
    bool until_payload = false;
    std::string fault; ///< a name or a file
    tools::IdentityOptions identity;
    tdx_model::LoadOrder load_order = tdx_model::LoadOrder::page_by_page;
    tdx_model::ModuleVersion module_version = tdx_model::ModuleVersion::v2_0;
    bool grants_large_pages = false;
    bool flexible_pending_ve = false;
    bool delivers_exceptions = false;
    bool watches_payload = false;
    std::string quote_keys;   ///< folder; empty: new keys, which go with the run
    std::string quote_socket; ///< empty: one of the run's own
    quoting::Names quote_names = quoting::Names::emulated;
    quoting::QuoteVersion quote_version = quoting::QuoteVersion::v4;
    std::string report_file;
    std::string ccel_file;
    std::string trace_file;
    std::string console_file; ///< else stdout, or stderr where stdout is for JSON
    std::string qemu = "qemu-system-x86_64";
    bool statistics = false;
    bool json = false;
    std::vector<std::string> more; ///< arguments for QEMU
};

} // namespace tdshim::td_emu
