// SPDX-License-Identifier: Apache-2.0
#include "shim/plan/placed_file.hpp"

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

} // namespace

Result<PlacedFile> placed_file(Bytes memory, std::uint64_t stated_size, bool is_announced_raw) {
    const Bytes bytes = TRY(cropped(memory, stated_size));
    const bool is_signed = signed_payload::is_signed(bytes);
    const auto kind = kind_of_file(bytes);
    const bool may_be_raw = is_announced_raw && !is_signed;
    if (!kind && (kind.error().fault != Fault::payload_kind || !may_be_raw))
        return std::unexpected(kind.error());
    PlacedFile file{.kind = kind.value_or(payload::Kind::raw_vmlinux), .bytes = bytes};
    if (stated_size != 0 || is_signed)
        return file;
    const std::uint64_t size = TRY(payload::file_size(file.kind, bytes));
    speculation_barrier();
    file.bytes = bytes.first(size);
    return file;
}

} // namespace tdshim::plan
