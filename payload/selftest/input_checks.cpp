// SPDX-License-Identifier: Apache-2.0
//
// What the VMM gives a payload by fw_cfg, and its owner by the image.
#include "payload/runtime/firmware_image.hpp"
#include "payload/runtime/fw_cfg.hpp"
#include "payload/selftest/checks.hpp"

namespace tdshim::selftest {
namespace {

constexpr std::string_view present = "etc/e820"; // on every machine of QEMU's
constexpr std::size_t entry_size = 20;

} // namespace

void check_inputs(Checks& checks) {
    const auto file = runtime::read_fw_cfg(present, 64 * KiB);
    checks.check("fw_cfg: a file is read", file);
    checks.check("fw_cfg: it is as long as what it holds",
                 file && !file->empty() && file->size() % entry_size == 0);
    checks.check("fw_cfg: one that is larger than asked for is refused",
                 !runtime::read_fw_cfg(present, 1));
    checks.check("fw_cfg: one that is not there is refused",
                 !runtime::read_fw_cfg("opt/org.tdshim.selftest/none", 1));

    const auto params = runtime::find_td_params();
    checks.check("image: its TD_PARAMS can be asked for", params);
    if (params && !params->empty())
        runtime::print(Line() << "selftest: TD_PARAMS "
                              << std::string_view(reinterpret_cast<const char*>(params->data()),
                                                  params->size()));
}

} // namespace tdshim::selftest
