// SPDX-License-Identifier: Apache-2.0
//
// What Intel's service would say of the emulated platform [Intel SGX and TDX Provisioning
// Certification Service API, version 4]: TDs of tools/tdx-model are up to date.
#pragma once

#include <string>

#include "tools/quoting/certificates_made.hpp"

namespace tdshim::quoting {

/// What the platform's certificate says of it.
[[nodiscard]] tools::PckExtensions platform_facts();

/// JSON, as it is to be signed.
[[nodiscard]] std::string tcb_info(const Validity& validity);
[[nodiscard]] std::string enclave_identity(const Validity& validity);

} // namespace tdshim::quoting
