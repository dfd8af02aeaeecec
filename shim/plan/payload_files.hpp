// SPDX-License-Identifier: Apache-2.0
//
// The files of a boot that one payload brings: a program or kernel alone, or with what a unified
// kernel image or a bundle has beside it; and whether what the VMM supplies may stand beside them.
// The firmware carries out what is decided here, and the host tools predict from it.
#pragma once

#include <optional>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/measure/contents.hpp"

namespace tdshim::plan {

/// What becomes of an input that the VMM supplies beside the payload.
enum class Beside {
    instead,  ///< it is taken where the payload brings none
    refused,  ///< the payload is all that runs: its signer, or its manifest, wants it so
    appended, ///< it goes behind the payload's own
};

/// What a payload that is more than a kernel brings itself.
struct Own {
    Bytes bytes; ///< empty: it brings none
    Beside beside = Beside::instead;
};

/// A payload that may run.
struct Payload {
    payload::Kind kind{};
    Bytes contents;
    /// SHA-384 of the enrolled public key that signed it; nothing of an unsigned one.
    std::optional<crypto::Digest> signer{};
    std::optional<Gpa> raw_entry{}; ///< of a raw vmlinux
};

/// What is asked of what a kernel is given beside its own bytes.
struct Demands {
    bool is_signed = false; ///< the payload: what it brings itself is its signer's word
    /// The image's AML policy lets nothing bring ACPI tables around it.
    bool keeps_tables_out = false;
};

struct PayloadFiles {
    bool is_container = false;
    payload::Kind kind{}; ///< of `program`
    Bytes program;        ///< the executable or kernel: what is measured as the payload
    Own initrd{};
    Own command_line{};
    Bytes os_release{}; ///< of a unified kernel image
    Bytes manifest{};   ///< of a bundle, as is the next
    Bytes events{};
    std::array<std::uint64_t, 2> event_counts{}; ///< in RTMR[2] and RTMR[3]

    /// An executable is given neither initrd nor command line, whatever the VMM has.
    [[nodiscard]] bool is_linux() const;
};

/// The kind of what runs when `file` is the payload: of a signed one that of its contents.
/// Errors: those of signed_payload::contents_of and payload::kind_of.
[[nodiscard]] Result<payload::Kind> kind_of_file(Bytes file);

/// Takes `payload` apart, views into it, and looks at all of it before the first part is used.
/// Parts are measured, not the container, so that registers are the same however the files come.
/// Errors: those of payload::parse_uki, bundle::parse and bundle::EventsFile; uki_nested,
/// bundle_kernel.
[[nodiscard]] Result<PayloadFiles> files_of(const Payload& payload);

/// Whether what the VMM supplies goes with what the payload brings. Errors: payload_sealed,
/// uki_supplied_twice.
[[nodiscard]] Result<void> check_beside(const Own& own, bool is_supplied);

/// What RTMR[1] is made of when `payload` runs. `has_initrd`: the VMM supplies one that is taken.
[[nodiscard]] measure::Contents contents_of(const Payload& payload, const PayloadFiles& files,
                                            bool has_initrd);

} // namespace tdshim::plan
