// SPDX-License-Identifier: Apache-2.0
//
// Container images [OCI Image Format Specification 1.1]: a folder in OCI's layout, or a tar archive
// of one, as `skopeo copy ... oci-archive:FILE` writes it. Every blob is held against its digest.
#pragma once

#include <string>
#include <vector>

#include "launch/guest/stage1/process.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

struct OciImage {
    std::string digest;              ///< of the manifest, "sha256:..."
    std::vector<std::string> layers; ///< files, lowest first
    guest::Process process;
};

/// Opens `source`; an archive is unpacked into the folder `scratch`, which is there. Errors: more
/// than one image (a platform each), one that is not for linux/amd64, blobs that are not what their
/// digests say, users by name, and what is missing.
[[nodiscard]] Outcome<OciImage> open_oci(const std::string& source, const std::string& scratch);

} // namespace tdshim::tools
