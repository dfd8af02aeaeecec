// SPDX-License-Identifier: Apache-2.0
//
// What events are called in the log: the names under which a verifier finds them, and of which
// td_contents is made. In a configuration event a name stands in 16 bytes, zeros behind it; in the
// event of a file a NUL ends it.
#pragma once

#include <string_view>

namespace tdshim::measure::descriptor {

// td-shim's specification 0.7, 3.5.
inline constexpr std::string_view td_hob = "td_hob";
inline constexpr std::string_view payload = "td_payload";
inline constexpr std::string_view parameter = "td_payload_info";
inline constexpr std::string_view secure_policy = "secure_policy_db";
inline constexpr std::string_view secure_authority = "secure_authority";
inline constexpr std::string_view svn = "td_payload_svn";

// Ours: the specification has none.
inline constexpr std::string_view contents = "td_contents";
inline constexpr std::string_view initrd = "td_initrd";
inline constexpr std::string_view os_release = "td_osrel";
inline constexpr std::string_view bundle = "td_bundle";
inline constexpr std::string_view aml = "aml";

} // namespace tdshim::measure::descriptor
