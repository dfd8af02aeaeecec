// SPDX-License-Identifier: Apache-2.0
//
// A firmware image with TDX metadata, of any make, as an IGVM file for TDX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shim/base/bytes.hpp"
#include "shim/formats/tdvf/metadata.hpp"

namespace tdshim::igvm {

/// Where TDX's shared bit stands in guest addresses of 48 bits. Other writers of IGVM files for TDX
/// state the same [OpenVMM vm/loader/igvmfilegen; td-shim td-shim-tools/src/linker.rs]; a guest
/// that asks the TDX module for its address width does not depend on it.
inline constexpr std::uint64_t shared_gpa_boundary = std::uint64_t{1} << 47;

/// More pages than any firmware has: 4 GiB.
inline constexpr std::uint64_t max_pages = std::uint64_t{1} << 20;

/// What a VMM does with `image` by its TDX metadata, in the metadata's order, so that both lead to
/// the same MRTD: pages from the image, and zeros behind them, measured where the section says
/// MR.EXTEND; a parameter area with the memory map for TD_HOB, with the command line for a
/// PayloadParam without data; required memory in place of PAGE.AUG.
/// Errors: igvm_section for a Payload that the VMM is to supply, and for a section to be measured
/// that it fills; igvm_area_size; too_many_entries beyond max_pages. `at` is the offset of the
/// descriptor in `image`.
[[nodiscard]] Result<std::vector<std::byte>> write(Bytes image, const tdvf::Metadata& metadata);

} // namespace tdshim::igvm
