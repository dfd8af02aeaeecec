// SPDX-License-Identifier: Apache-2.0
//
// What the options of shim-enroll name, read: keys as their hashes, files as their digests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "tools/common/failure.hpp"
#include "tools/shim-enroll/enrol.hpp"

namespace tdshim::tools {

struct NamedKey {
    std::string text; ///< the option's
    crypto::Digest hash{};
    std::uint32_t algorithm = 0;                ///< signed_payload::Algorithm
    std::optional<std::uint64_t> minimum_svn{}; ///< nothing: not said, as is the next
    std::optional<std::uint32_t> kinds{};
    bool has_own_svn = false; ///< svn= stands beside it
};

/// Each list in the order of its options.
struct Wishes {
    std::vector<NamedKey> keys;
    std::vector<crypto::Digest> revoked_keys;
    std::vector<crypto::Digest> revoked;
    std::vector<crypto::Digest> pinned;
    std::vector<crypto::Digest> aml;
};

/// Errors: those of the files; what contradicts itself, for an owner who asks for it is mistaken in
/// one half, and would learn in which when nothing boots, or when something does.
[[nodiscard]] Outcome<Wishes> wishes_of(const EnrolOptions& options);

} // namespace tdshim::tools
