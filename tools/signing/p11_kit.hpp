// SPDX-License-Identifier: Apache-2.0
//
// libp11-kit, which finds a machine's PKCS#11 modules and reads RFC 7512's URIs. It is loaded when
// a token is asked for, so that the tools run without it.
#pragma once

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// The functions that are used here, under libp11-kit's names without "p11_kit_".
struct P11Kit {
    decltype(&p11_kit_message) message;
    decltype(&p11_kit_strerror) strerror;
    decltype(&p11_kit_module_load) module_load;
    decltype(&p11_kit_module_initialize) module_initialize;
    decltype(&p11_kit_module_finalize) module_finalize;
    decltype(&p11_kit_module_get_filename) module_get_filename;
    decltype(&p11_kit_module_release) module_release;
    decltype(&p11_kit_modules_load_and_initialize) modules_load_and_initialize;
    decltype(&p11_kit_modules_finalize_and_release) modules_finalize_and_release;
    decltype(&p11_kit_uri_new) uri_new;
    decltype(&p11_kit_uri_free) uri_free;
    decltype(&p11_kit_uri_parse) uri_parse;
    decltype(&p11_kit_uri_message) uri_message;
    decltype(&p11_kit_uri_any_unrecognized) uri_any_unrecognized;
    decltype(&p11_kit_uri_get_attributes) uri_get_attributes;
    decltype(&p11_kit_uri_get_module_name) uri_get_module_name;
    decltype(&p11_kit_uri_get_module_path) uri_get_module_path;
    decltype(&p11_kit_uri_get_pin_source) uri_get_pin_source;
    decltype(&p11_kit_uri_get_pin_value) uri_get_pin_value;
    decltype(&p11_kit_uri_get_slot_id) uri_get_slot_id;
    decltype(&p11_kit_uri_match_module_info) uri_match_module_info;
    decltype(&p11_kit_uri_match_slot_info) uri_match_slot_info;
    decltype(&p11_kit_uri_match_token_info) uri_match_token_info;
};

/// `name` is for the Failure, which names the package to install. Once loaded it stays.
[[nodiscard]] Outcome<P11Kit> load_p11_kit(const std::string& name);

} // namespace tdshim::tools
