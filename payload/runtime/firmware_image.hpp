// SPDX-License-Identifier: Apache-2.0
//
// The firmware image in the TD's memory, and what its owner put into it for the payload: TD_PARAMS
// of `shim-ld --td-params`.
#pragma once

#include "shim/base/bytes.hpp"

namespace tdshim::runtime {

/// The image, mapped where the machine starts from it: it ends where the first 4 GiB end. Errors:
/// footer_missing and the others of tdvf::find_image_info, also for an
/// image of another make; page_tables_full.
[[nodiscard]] Result<Bytes> map_firmware_image();

/// The data of section TD_PARAMS, inside a boot firmware volume, which MRTD covers; empty where the
/// image has none. Errors: those of map_firmware_image() and tdvf::parse_metadata().
[[nodiscard]] Result<Bytes> find_td_params();

} // namespace tdshim::runtime
