// SPDX-License-Identifier: Apache-2.0
#include "shim/plan/placed_file.hpp"

#include "shim/formats/hob/wire.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"
#include "shim/plan/payload_files.hpp"

namespace tdshim::plan {
namespace {

/// What can be told of the file's end before its kind is known.
Result<Bytes> cropped(Bytes memory, std::uint64_t stated_size) {
    std::uint64_t size = memory.size();
    if (stated_size != 0)
        size = stated_size;
    else if (signed_payload::is_signed(memory))
        size = TRY(signed_payload::file_size(memory));
    speculation_barrier();
    return memory.first(size);
}

using payload::Kind;

/// A VMM may load a kernel to where it runs; then nothing in its bytes tells that it is one.
bool is_raw(std::optional<std::uint32_t> image_type) {
    return image_type == hob::image_type_vmlinux || image_type == hob::image_type_raw_vmlinux;
}

bool agrees(std::uint32_t image_type, Kind kind) {
    switch (image_type) {
    case hob::image_type_executable:
        return kind == Kind::elf || kind == Kind::pe || kind == Kind::uki || kind == Kind::bundle;
    case hob::image_type_bzimage: return kind == Kind::bzimage;
    case hob::image_type_vmlinux: return kind == Kind::vmlinux || kind == Kind::raw_vmlinux;
    case hob::image_type_raw_vmlinux: return kind == Kind::raw_vmlinux;
    default: return false;
    }
}

} // namespace

Result<PlacedFile> placed_file(Bytes memory, std::uint64_t stated_size,
                               std::optional<std::uint32_t> image_type) {
    const Bytes bytes = TRY(cropped(memory, stated_size));
    const bool is_signed = signed_payload::is_signed(bytes);
    const auto kind = kind_of_file(bytes);
    const bool may_be_raw = is_raw(image_type) && !is_signed;
    if (!kind && (kind.error().fault != Fault::payload_kind || !may_be_raw))
        return std::unexpected(kind.error());
    PlacedFile file{.kind = kind.value_or(Kind::raw_vmlinux), .bytes = bytes};
    if (image_type && !agrees(*image_type, file.kind))
        return refuse(Fault::payload_kind_denied, 0, *image_type,
                      static_cast<std::uint64_t>(file.kind));
    if (stated_size != 0 || is_signed)
        return file;
    const std::uint64_t size = TRY(payload::file_size(file.kind, bytes));
    speculation_barrier();
    file.bytes = bytes.first(size);
    return file;
}

} // namespace tdshim::plan
