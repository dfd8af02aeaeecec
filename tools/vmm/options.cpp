// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/options.hpp"

namespace tdshim::vmm {

void add_payload_info_option(CLI::App& app, PayloadInfoForm& form) {
    tools::add_choice<PayloadInfoForm>(
        app, "--payload-info", form,
        {{"12", PayloadInfoForm::packed}, {"16", PayloadInfoForm::specified}},
        "bytes by which the TD HOB announces a payload in a section: 12 as Cloud Hypervisor (the "
        "default), 16 as td-shim's specification");
}

} // namespace tdshim::vmm
