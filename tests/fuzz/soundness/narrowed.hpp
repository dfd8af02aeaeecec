// SPDX-License-Identifier: Apache-2.0
//
// A part of the choices alone. Two launches of all that can be chosen hardly ever meet in one
// register: where most things are the plainest, the few that are not are tried against each other.
#pragma once

#include "tests/fuzz/soundness/choices.hpp"

namespace tdshim::soundness {

/// Makes plain what Choice::focus leaves out, and takes the focus back, so that the plan stays what
/// it then is. In nearly half of all plans nothing is left out. Else tables and memory are the
/// plainest and payloads of all kinds are tried, or signed bundles and unified kernel images, or
/// raw vmlinux files; or it is one kernel with HOBs, tables, and what their pointers may lead to,
/// once with memory that leaves no room below the shim.
void narrow(Plan& plan);

} // namespace tdshim::soundness
