// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/identity.hpp"

#include "tools/common/command.hpp"
#include "tools/measurements/policy.hpp"

namespace tdshim::tools {
namespace {

Outcome<crypto::Digest> digest_of_option(const std::string& option, const std::string& hex) {
    if (hex.empty())
        return crypto::Digest{};
    if (const auto digest = digest_of_hex(hex))
        return *digest;
    return std::unexpected(
        failure(option, "expected 96 hexadecimal digits, found \"" + hex + "\""));
}

} // namespace

void add_identity_options(CLI::App& app, IdentityOptions& options) {
    app.add_option("--mrconfigid", options.mr_config_id, "96 hexadecimal digits, for TDINFO");
    app.add_option("--mrowner", options.mr_owner, "likewise");
    app.add_option("--mrownerconfig", options.mr_owner_config, "likewise");
    add_number(app, "--attributes", options.attributes, "of the TD, for TDINFO")
        ->capture_default_str();
    add_number(app, "--xfam", options.xfam, "of the TD, for TDINFO")->capture_default_str();
}

Outcome<tdx::TdInfo> td_info_of(const IdentityOptions& options) {
    tdx::TdInfo info{};
    info.attributes = options.attributes;
    info.xfam = options.xfam;
    info.mr_config_id = TRY(digest_of_option("--mrconfigid", options.mr_config_id));
    info.mr_owner = TRY(digest_of_option("--mrowner", options.mr_owner));
    info.mr_owner_config = TRY(digest_of_option("--mrownerconfig", options.mr_owner_config));
    return info;
}

void add_load_order_option(CLI::App& app, tdx_model::LoadOrder& order) {
    using tdx_model::LoadOrder;
    add_choice<LoadOrder>(
        app, "--load-order", order,
        {{"page", LoadOrder::page_by_page}, {"section", LoadOrder::section_by_section}},
        "page: each page is added and extended, as KVM does; section: all pages of a section are "
        "added, then extended, as older stacks did");
}

} // namespace tdshim::tools
