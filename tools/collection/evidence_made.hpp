// SPDX-License-Identifier: Apache-2.0
//
// A TD's evidence as a file for others: the JSON object that Trustee's verifier for TDX reads, with
// members of our own behind, which it leaves alone [confidential-containers/trustee,
// deps/verifier/src/tdx/mod.rs, TdxEvidence].
#pragma once

#include <string>

#include "tools/collection/quote_source.hpp"

namespace tdshim::tools {

/// Whether CPUID says that this is a TD.
[[nodiscard]] bool is_td();

/// {"quote", "cc_eventlog", "ima_log", "platform"}: the quote, the firmware's event log where the
/// kernel has one (else null), IMA's list of measurements where the kernel shows one (null where it
/// is longer than 4 MiB, and no such member where there is none), and what nobody vouches for: the
/// quote's source, the kernel's release, the count of processors, and RTMR[0] to [3] where the
/// kernel shows them, by which who looks into a log finds where it goes on.
[[nodiscard]] std::string evidence_text(const CollectedQuote& quote);

} // namespace tdshim::tools
