// SPDX-License-Identifier: Apache-2.0
//
// The value that the compiler puts between a function's arrays and its return address and checks
// before the function returns (-fstack-protector-strong): one for all processors, chosen anew at
// every boot.
#pragma once

namespace tdshim::x86 {

/// Chooses the value, and says whether it is random: else somebody may guess it. To be called once,
/// before any function that the compiler protects.
[[nodiscard]] bool choose_stack_guard();

} // namespace tdshim::x86
