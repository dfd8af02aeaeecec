// SPDX-License-Identifier: Apache-2.0
//
// How tools are told what a VMM does.
#pragma once

#include "tools/common/command.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::vmm {

/// --payload-info 12|16
void add_payload_info_option(CLI::App& app, PayloadInfoForm& form);

} // namespace tdshim::vmm
