// SPDX-License-Identifier: Apache-2.0
//
// The steps of secure_boot.hpp in a firmware that cannot check signatures: who relies on a check
// must not believe that there was one.
#include <algorithm>

#include "shim/boot/secure_boot.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"

namespace tdshim::boot {

Result<void> read_enrolment(Context& /*context*/, Bytes volume) {
    const auto used =
        std::ranges::find_if(volume, [](std::byte byte) { return byte != std::byte{0}; });
    if (used != volume.end())
        return refuse(Fault::secure_boot_absent, static_cast<std::uint64_t>(used - volume.begin()));
    return {};
}

Result<void> admit_payload(Context& context, PayloadFile& file) {
    if (signed_payload::is_signed(file.bytes))
        return refuse_file(context, file, {Fault::secure_boot_absent, 0, 0, 0});
    return {};
}

/// Nothing can be enrolled, so that nothing is revoked.
Result<void> admit_kernel(const Context&, const crypto::Digest&) {
    return {};
}

} // namespace tdshim::boot
