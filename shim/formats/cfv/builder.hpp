// SPDX-License-Identifier: Apache-2.0
//
// Writes a configuration volume: the header and the anchor byte for byte as td-shim-enroll writes
// them, then our policy. For the tools and tests; the firmware only reads.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "shim/base/bytes.hpp"
#include "shim/formats/cfv/enrolment.hpp"

namespace tdshim::cfv {

struct PolicyContents {
    Policy policy = Policy::signed_only;
    bool takes_td_shim_numbering = false;
    std::span<const KeyEntry> keys{};
    std::span<const crypto::Digest> revoked_keys{};
    std::span<const crypto::Digest> revoked_payloads{};
    std::span<const crypto::Digest> pinned_payloads{};
    std::span<const crypto::Digest> aml_tables{};
};

/// Fills all of `volume`, a multiple of 4 KiB. `anchor` is a public key's hash. The result is what
/// parse() accepts, which the caller checks with it.
/// Errors: cfv_volume_length, policy_entries, cfv_full.
[[nodiscard]] Result<void> write(MutableBytes volume, const std::optional<crypto::Digest>& anchor,
                                 const std::optional<PolicyContents>& policy);

} // namespace tdshim::cfv
