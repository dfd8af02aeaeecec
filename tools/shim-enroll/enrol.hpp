// SPDX-License-Identifier: Apache-2.0
//
// What shim-enroll writes into an image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shim/formats/cfv/enrolment.hpp"
#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

struct EnrolOptions {
    std::string firmware;
    std::vector<std::string> keys;            ///< each "FILE[,svn=N][,for=KIND]", or a URI for FILE
    std::optional<std::uint64_t> minimum_svn; ///< of keys that say nothing else, as is the next
    std::optional<std::uint32_t> kinds;
    std::optional<cfv::Policy> policy;
    std::vector<std::string> revoked; ///< each a digest or a payload's file, as are `pinned`
    std::vector<std::string> pinned;
    std::vector<std::string> revoked_keys;  ///< each a hash or a public key's file
    std::vector<std::string> aml;           ///< each a digest, a table's file or a folder of them
    bool takes_td_shim_numbering = false;   ///< of the algorithms
    bool refuses_td_shim_numbering = false; ///< said, which not taking it is not: an anchor does
    bool changes = false;                   ///< adds to what is enrolled
    bool replaces = false;                  ///< whatever is enrolled
    std::string output;
    bool json = false;
};

/// Writes the image with the enrolment in its configuration volume: td-shim's anchor alone where
/// that says everything, else the anchor of the first key and our policy.
[[nodiscard]] Outcome<ExitCode> enrol(const EnrolOptions& options);

} // namespace tdshim::tools
