// SPDX-License-Identifier: Apache-2.0
//
// Where the payload comes from: the image itself, the image's Payload section, a named fw_cfg item,
// QEMU's etc/boot/kernel, or the legacy keys, in this order.
#pragma once

#include <optional>

#include "shim/boot/context.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/plan/payload_files.hpp"

namespace tdshim::boot {

struct PayloadFile {
    payload::Kind kind{};
    Gpa place;                      ///< of the bytes
    GpaRange copied;                ///< memory that it was copied to; empty where it was not
    Bytes bytes;                    ///< the whole file
    Bytes measured;                 ///< `bytes`; in td-shim's way all of the Payload section
    bool is_recorded = true;        ///< in td-shim's way not when MRTD has it
    std::optional<Gpa> raw_entry{}; ///< of a raw vmlinux
    /// SHA-384 of the enrolled public key by which it is admitted; nothing of an unsigned payload.
    std::optional<crypto::Digest> signer{};
    std::uint64_t svn = 0; ///< of a payload with a signer

    /// As the decisions about it see it.
    [[nodiscard]] plan::Payload payload() const {
        return {.kind = kind, .contents = bytes, .signer = signer, .raw_entry = raw_entry};
    }
};

/// Copies the whole payload file into private memory, unless it stands there, and tells its kind,
/// of a signed one that of its contents; names its source in `context.input`. Errors:
/// kernel_missing, kernel_does_not_fit, payload_kind_denied, those of Items, payload::kind_of,
/// payload::file_size and signed_payload::parse.
[[nodiscard]] Result<PayloadFile> fetch_payload(Context& context);

/// Opens RTMR[1] by the steps of Contents::openings(). Errors: those of Recorder.
[[nodiscard]] Result<void> open_payload_register(Context& context, const PayloadFile& file,
                                                 const measure::Contents& contents);

/// Leaves no byte of the file where it was read, once what runs has been taken from it: of a
/// container, or around what is signed, the VMM chose bytes that nobody measured. What stands in
/// the VMM's sections is cleared with these (clear_filled_memory). Errors: page_tables_full.
[[nodiscard]] Result<void> discard_file(Context& context, const PayloadFile& file);

/// Measures a file that will not run as a whole, then refuses the boot for `error`.
[[nodiscard]] std::unexpected<Error> refuse_file(Context& context, const PayloadFile& file,
                                                 const Error& error);

} // namespace tdshim::boot
