// SPDX-License-Identifier: Apache-2.0
//
// What whoever launches a TD says about it beside its memory, which stands in its TDREPORT: options
// of every tool that needs them [Intel TDX Module 1.5 ABI, TDINFO_STRUCT].
#pragma once

#include <string>

#include "shim/formats/tdx/report.hpp"
#include "tools/common/failure.hpp"
#include "tools/tdx-model/td_build.hpp"

namespace CLI {
class App;
}

namespace tdshim::tools {

struct IdentityOptions {
    std::string mr_config_id;
    std::string mr_owner;
    std::string mr_owner_config;
    std::uint64_t attributes = std::uint64_t{1} << 28; ///< SEPT_VE_DISABLE, which Linux asks for
    std::uint64_t xfam = 0xE7;
};

void add_identity_options(CLI::App& app, IdentityOptions& options);

/// TDINFO_STRUCT with these members, the others zero. Errors name the option.
[[nodiscard]] Outcome<tdx::TdInfo> td_info_of(const IdentityOptions& options);

/// --load-order page|section.
void add_load_order_option(CLI::App& app, tdx_model::LoadOrder& order);

} // namespace tdshim::tools
