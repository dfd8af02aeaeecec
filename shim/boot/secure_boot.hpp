// SPDX-License-Identifier: Apache-2.0
//
// What the image's owner enrolled, and whether that lets a payload run (specs/secure-boot.md). A
// firmware built without secure boot has the same two steps, and refuses what needs more.
#pragma once

#include "shim/boot/payload_file.hpp"

namespace tdshim::boot {

/// Reads the image's configuration volume into `context.enrolment`, which refers to it, and
/// measures the files that it has. In a blank one nothing is enrolled and nothing measured. Errors:
/// those of cfv::parse; secure_boot_absent.
[[nodiscard]] Result<void> read_enrolment(Context& context, Bytes volume);

/// Lets the enrolment decide about `file`, measures the key that signed it and its SVN, and makes
/// the contents of a signed payload what runs. A payload that is refused is measured whole.
/// Errors: those of verify::check_payload; secure_boot_absent.
[[nodiscard]] Result<void> admit_payload(Context& context, PayloadFile& file);

/// Whether a kernel with this digest, which a container brought, may run: what is revoked as a file
/// is revoked inside of others. Errors: payload_revoked.
[[nodiscard]] Result<void> admit_kernel(const Context& context, const crypto::Digest& digest);

} // namespace tdshim::boot
