// SPDX-License-Identifier: Apache-2.0
//
// What the firmware measures of an enrolment, and what runs of a payload that it lets run. A
// payload that the firmware refuses has no registers to predict: it is a Failure that says why.
#pragma once

#include "shim/formats/payload/kind.hpp"
#include "shim/verify/payload.hpp"
#include "tools/shim-measure/inputs.hpp"

namespace tdshim::tools {

/// Adds the files that are enrolled in `image`. The enrolment refers to the image.
[[nodiscard]] Outcome<cfv::Enrolment> add_enrolment(const Image& image, BootInputs& inputs);

/// The contents of the payload `file`, which refer to it, when `enrolment` admits it; adds its
/// authority. `kind` is that of the contents, `name` for messages.
[[nodiscard]] Outcome<verify::Payload> admit(const cfv::Enrolment& enrolment, Bytes file,
                                             payload::Kind kind, const std::string& name,
                                             BootInputs& inputs);

/// Errors, in words: a table of a TD HOB, by its signature, that the firmware in `image` refuses.
[[nodiscard]] Outcome<> check_aml(const Image& image, const std::vector<vmm::ConfigFile>& tables);

} // namespace tdshim::tools
