// SPDX-License-Identifier: Apache-2.0
//
// What the owner of an image enrolled into its configuration volume: which keys sign payloads, and
// what else is demanded of one. Views into the volume, and no copy of its lists.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/cfv/wire.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"

namespace tdshim::cfv {

enum class Policy : std::uint32_t {
    measured = 1,          ///< any payload, signed or not
    signed_only = 2,       ///< signed by an enrolled key
    signed_and_pinned = 3, ///< that, and its digest is enrolled too
};

/// "measured", "signed", "signed-and-pinned".
[[nodiscard]] std::string_view name_of(Policy policy);

/// A list of SHA-384 digests as it stands in the volume.
class Digests {
  public:
    constexpr Digests() = default;
    /// `bytes`: whole digests, each after the other.
    explicit constexpr Digests(Bytes bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t size() const { return bytes_.size() / crypto::sha384_size; }
    [[nodiscard]] Bytes operator[](std::size_t index) const {
        return bytes_.subspan(index * crypto::sha384_size, crypto::sha384_size);
    }
    // Inline: a firmware without secure boot, which has no parser of this, asks empty lists.
    [[nodiscard]] bool contains(const crypto::Digest& digest) const {
        for (std::size_t i = 0; i < size(); ++i)
            if (std::ranges::equal((*this)[i], digest))
                return true;
        return false;
    }

  private:
    Bytes bytes_;
};

struct Key {
    crypto::Digest hash{};
    std::uint64_t minimum_svn = 0;
    std::uint32_t kinds = all_payloads;
    std::optional<signed_payload::Algorithm>
        algorithm{}; ///< nothing: a plain anchor, which has none
    Bytes
        anchor{}; ///< what is measured when this key was used: its entry, or the plain anchor file
};

struct Enrolment {
    Policy policy = Policy::measured;
    /// Headers numbered as td-shim's tools do are good as well.
    bool takes_td_shim_numbering = true;
    StaticVector<Key, max_keys> keys{};
    Digests revoked_keys{};
    Digests revoked_payloads{};
    Digests pinned_payloads{};
    /// DSDTs, SSDTs and the like that an image with the option `enrolled` takes from its VMM.
    Digests aml_tables{};
    Bytes anchor_file{}; ///< empty where there is none, as is the next
    Bytes policy_file{};
};

/// A blank volume enrols nothing: policy measured. A plain anchor alone means: policy signed, this
/// key. With a policy file, the policy file alone counts, and an anchor beside it has to be one of
/// its keys.
/// Errors: those of read_files; cfv_no_anchor (neither file), the anchor_ and policy_ faults; `at`
/// is an offset in the volume.
[[nodiscard]] Result<Enrolment> parse(Bytes volume);

} // namespace tdshim::cfv
