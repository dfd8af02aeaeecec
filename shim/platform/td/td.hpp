// SPDX-License-Identifier: Apache-2.0
//
// The TD that the shim runs in, if it does.
#pragma once

#include "shim/base/bytes.hpp"
#include "shim/base/error.hpp"
#include "shim/platform/td/tdcall.hpp"

namespace tdshim::td {

/// Finds out whether this is a TD, by the one CPUID leaf that the TDX module answers and no VMM can
/// [Intel TDX Module 1.5 ABI, CPUID leaf 0x21]. Before it, and in a plain VM, active() is false.
void detect();
[[nodiscard]] bool active();

/// Asks the module what this TD is. Errors: tdcall_failed, td_gpa_width.
[[nodiscard]] Result<void> enter();

/// What enter() was told.
[[nodiscard]] const Info& info();

/// Memory that the VMM shares, layout::shared_window; it is shared from the first call on. What
/// stands in it may change at any time. Errors: map_gpa_failed, map_gpa_no_progress,
/// page_tables_full.
[[nodiscard]] Result<MutableBytes> open_shared_window();

/// Makes the window private memory again, if it was opened, and in any case accepts it.
/// Errors: as open_shared_window(), page_not_accepted.
[[nodiscard]] Result<void> close_shared_window();

} // namespace tdshim::td
