// SPDX-License-Identifier: Apache-2.0
//
// Carries an acceptance plan out on all processors that are there.
#pragma once

#include "shim/memory/acceptance.hpp"

namespace tdshim::td {

/// Errors: those of memory::accept(), of the processor that met one first.
[[nodiscard]] Result<memory::AcceptanceCounts> accept_memory(const memory::AcceptancePlan& plan);

} // namespace tdshim::td
