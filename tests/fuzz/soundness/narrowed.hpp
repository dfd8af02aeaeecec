// SPDX-License-Identifier: Apache-2.0
//
// For development: a part of the choices alone, so that one fault can be looked for while others,
// which would be found sooner, are not mended yet.
#pragma once

#include "tests/fuzz/soundness/choices.hpp"

namespace tdshim::soundness {

/// Makes `plan` one of those that TDSHIM_SOUNDNESS_ONLY names; without it nothing is changed.
/// "uki": tables and memory are the plainest, a VMM's unified kernel images, bundles and kernels
/// are tried. "hob": one kernel, HOBs and tables. "raw": raw vmlinux files. "sealed": signed
/// bundles and unified kernel images.
void narrow(Plan& plan);

} // namespace tdshim::soundness
