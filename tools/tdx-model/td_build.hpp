// SPDX-License-Identifier: Apache-2.0
//
// How a VMM builds a TD from an image: which pages it adds, and the MRTD that follows [Intel TDX
// Module 1.5 ABI, TDH.MEM.PAGE.ADD, TDH.MR.EXTEND; td-shim specification 0.7, MRTD calculation;
// for IGVM files microsoft/igvm, igvm/src/measurement].
#pragma once

#include <functional>

#include "shim/base/bytes.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/tdvf/metadata.hpp"
#include "tools/igvm/file.hpp"

namespace tdshim::tdx_model {

/// Added pages are extended one by one, as KVM does, or all pages of a section are added before any
/// is extended, as older VMMs did.
enum class LoadOrder { page_by_page, section_by_section };

/// What a VMM puts into a section in place of the image's data.
using ContentOf = std::function<Bytes(tdvf::SectionType)>;

/// MRTD of a TD that is built from the sections `metadata` of `image`. `content_of` says what the
/// VMM brings for sections that have no data in the image; nothing where it brings nothing.
[[nodiscard]] crypto::Digest mrtd_of(Bytes image, const tdvf::Metadata& metadata, LoadOrder order,
                                     const ContentOf& content_of = {});

/// MRTD of a TD that is built as an IGVM file says: its pages in their order, each extended as soon
/// as it was added where it is measured; inserted parameter areas are added only, shared pages not
/// at all. Errors: igvm_no_tdx.
[[nodiscard]] Result<crypto::Digest> mrtd_of(const igvm::File& file);

} // namespace tdshim::tdx_model
