// SPDX-License-Identifier: Apache-2.0
//
// Reference values of a boot as a JSON file: what shim-measure predicts and what shim-log checks a
// log, a report or a quote against. specs/measurement.md has the format.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "tools/common/failure.hpp"
#include "tools/measurements/prediction.hpp"

namespace tdshim::tools {

struct PolicyEvent {
    std::uint32_t rtmr = 0;
    std::uint32_t type = 0;
    std::string description;
    crypto::Digest digest{};
    std::uint64_t size = 0; ///< bytes behind the digest
    std::string origin;     ///< which input that is, in words
};

/// What has no value is not compared.
struct Policy {
    std::optional<std::uint64_t> attributes; ///< of TDINFO, as is XFAM
    std::optional<std::uint64_t> xfam;
    std::optional<crypto::Digest> mr_config_id; ///< likewise
    std::optional<crypto::Digest> mr_owner;
    std::optional<crypto::Digest> mr_owner_config;
    std::optional<crypto::Digest> mrtd;
    std::array<std::optional<crypto::Digest>, measure::rtmr_count> rtmr;
    /// Of the registers that have a value; of RTMR[2] and RTMR[3] those that come first.
    std::vector<PolicyEvent> events;
};

[[nodiscard]] nlohmann::ordered_json json_of(const Policy& policy);

/// Takes no member on trust: each has to be there, once, and no other, so that none which is
/// misspelt leaves a register out. Errors name `file` and the member.
[[nodiscard]] Outcome<Policy> parse_policy(const std::string& file, Bytes bytes);

[[nodiscard]] PolicyEvent policy_event_of(const PredictedEvent& event);

/// Two digits a byte; nothing unless `text` is exactly one digest.
[[nodiscard]] std::optional<crypto::Digest> digest_of_hex(std::string_view text);

} // namespace tdshim::tools
