// SPDX-License-Identifier: Apache-2.0
//
// What an image's configuration volume says, as a whole: what is enrolled, what is to be, and what
// gets lost between the two.
#pragma once

#include <string>
#include <vector>

#include "shim/formats/cfv/enrolment.hpp"
#include "tools/common/failure.hpp"
#include "tools/shim-enroll/enrol.hpp"
#include "tools/shim-enroll/wishes.hpp"

namespace tdshim::tools {

struct Contents {
    cfv::Policy policy = cfv::Policy::signed_only;
    bool takes_td_shim_numbering = false;
    std::vector<cfv::KeyEntry> keys{}; ///< algorithm 0: a plain anchor's, which does not say it
    std::vector<crypto::Digest> revoked_keys{};
    std::vector<crypto::Digest> revoked{};
    std::vector<crypto::Digest> pinned{};
    std::vector<crypto::Digest> aml{};
};

[[nodiscard]] Contents contents_of(const cfv::Enrolment& enrolment);

/// The wishes and nothing else.
[[nodiscard]] Contents contents_of(const EnrolOptions& options, const Wishes& wishes);

/// What is enrolled with the wishes added: keys and digests are added, a revoked key is enrolled no
/// longer, a revoked payload no longer pinned, minimum SVNs rise.
/// Errors: a minimum that would sink; what is enrolled as revoked and wished for; a key whose
/// algorithm nobody says.
[[nodiscard]] Outcome<Contents> changed(const Contents& enrolled, const EnrolOptions& options,
                                        const Wishes& wishes);

/// What `before` has and `after` has not, in words.
[[nodiscard]] std::vector<std::string> lost_between(const Contents& before, const Contents& after);

/// Whether td-shim's anchor alone says all of it.
[[nodiscard]] bool is_plain_anchor(const Contents& contents);

} // namespace tdshim::tools
