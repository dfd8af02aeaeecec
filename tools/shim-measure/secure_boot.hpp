// SPDX-License-Identifier: Apache-2.0
//
// What the firmware measures of an enrolment, and the tables that it does not let a payload have.
#pragma once

#include "shim/formats/cfv/enrolment.hpp"
#include "tools/shim-measure/inputs.hpp"

namespace tdshim::tools {

/// Adds the files that are enrolled in `image`. The enrolment refers to the image.
[[nodiscard]] Outcome<cfv::Enrolment> add_enrolment(const Image& image, BootInputs& inputs);

/// Errors, in words: a table, by its signature, that the firmware in `image` refuses.
[[nodiscard]] Outcome<> check_aml(const Image& image, const std::vector<vmm::ConfigFile>& tables);

} // namespace tdshim::tools
