// SPDX-License-Identifier: Apache-2.0
//
// The files of a configuration volume that matter to tdshim.
#pragma once

#include "shim/base/bytes.hpp"

namespace tdshim::cfv {

/// Contents of the two files, views into the volume; empty where there is no such file.
struct Files {
    Bytes anchor;
    Bytes policy;
};

/// Whether nothing was ever enrolled: all bytes are zero.
[[nodiscard]] bool is_blank(Bytes volume);

/// Walks all files of a volume that is not blank, with td-shim's header checksum (of the first 56
/// bytes) or PI's (of the whole header). Pad files and files of other names are passed over.
/// Errors: truncated, the cfv_volume_ and cfv_file_ faults, cfv_free_space; `at` is an offset in
/// the volume.
[[nodiscard]] Result<Files> read_files(Bytes volume);

} // namespace tdshim::cfv
