// SPDX-License-Identifier: Apache-2.0
//
// Reference values as a Concise Reference Integrity Manifest [draft-ietf-rats-corim-10; CDDL in
// ietf-rats-wg/draft-ietf-rats-corim 0b855af].
#pragma once

#include <cstddef>
#include <vector>

#include "tools/measurements/policy.hpp"

namespace tdshim::tools {

/// An unsigned CoRIM with one CoMID, of which the reference triple has a measurement for each
/// member of TDINFO that has a value, by the member's name: MRTD as a digest, the RTMRs as
/// integrity registers, the others as their bytes. It names no profile: Intel's
/// [draft-cds-rats-intel-corim-profile] has no word for RTMRs, and a verifier has to refuse what
/// names a profile that it does not know [draft-ietf-rats-corim, corim-map]. The same values have
/// the same bytes.
[[nodiscard]] std::vector<std::byte> corim(const Policy& policy);

} // namespace tdshim::tools
