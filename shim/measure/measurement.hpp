// SPDX-License-Identifier: Apache-2.0
//
// What is measured, into which register, with which event: the only place that knows. Each function
// makes one measurement from the bytes of one input; boot/recorder extends and logs it, and the
// host tools predict registers from the same functions. Rules: td-shim specification 0.7, 3.5, and
// specs/measurement.md for what it leaves open.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/event_log/wire.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"

namespace tdshim::measure {

/// One extension of a register and the event that stands for it. `body` refers to the input.
struct Measurement {
    std::uint32_t rtmr = 0;
    event_log::EventType type{};
    crypto::Digest digest{};
    std::array<std::byte, 80> head_bytes{};
    std::size_t head_size = 0;
    Bytes body;
    std::uint64_t hashed = 0; ///< bytes of input behind the digest

    [[nodiscard]] Bytes head() const { return Bytes(head_bytes).first(head_size); }
};

/// What is measured of a file: all of its bytes, which the host tools need not have in memory.
struct FileDigest {
    crypto::Digest digest{};
    std::uint64_t size = 0; ///< in bytes
};
[[nodiscard]] FileDigest digest_of(Bytes file);

/// The descriptor of the TD HOB.
inline constexpr std::string_view td_hob_descriptor{"td_hob\0", 7};
/// The descriptor of the VMM's wish to have memory accepted before Linux starts, and what it says.
inline constexpr std::string_view accept_descriptor = "accept";
inline constexpr std::string_view accept_all_text = "all";

/// What stands in RTMR[0] for inputs that a portable image validates and does not measure: which
/// policy the image has. It is in MRTD too.
inline constexpr std::string_view policy_descriptor = "portable";
inline constexpr std::string_view policy_static_acpi = "hob=validated acpi=static";
inline constexpr std::string_view policy_measured_acpi = "hob=validated acpi=measured";

/// What the image does about AML of the VMM's, unless it only measures that -> RTMR[0].
[[nodiscard]] Measurement aml_policy(tdvf::AmlPolicy policy);
/// The text that is measured for `policy`: "aml=" and its name; empty for `measured`.
[[nodiscard]] std::string_view text_of(tdvf::AmlPolicy policy);

/// Configuration that the VMM supplies, kept whole in the log -> RTMR[0].
/// `descriptor` has at most 16 characters.
[[nodiscard]] Measurement configuration(std::string_view descriptor, Bytes info);

/// A file of the VMM's firmware configuration that is too large for the log -> RTMR[0].
[[nodiscard]] Measurement configuration_file(std::string_view name, Gpa place,
                                             const FileDigest& content);

/// The kernel file, or that of another payload, the initrd file, the command line without its NUL
/// -> RTMR[1].
[[nodiscard]] Measurement kernel(Gpa place, const FileDigest& file);
[[nodiscard]] Measurement initrd(Gpa place, const FileDigest& file);
[[nodiscard]] Measurement command_line(Bytes text);

/// The operating system's description of itself in a unified kernel image -> RTMR[1].
[[nodiscard]] Measurement os_release(Gpa place, const FileDigest& file);

/// The manifest of a Linux bundle, kept whole in the log -> RTMR[1].
[[nodiscard]] Measurement bundle_manifest(Bytes file);
/// A line of a bundle's events file -> RTMR[`rtmr`], 2 or 3; `data` is kept whole in the log.
[[nodiscard]] Measurement bundle_event(std::uint32_t rtmr, event_log::EventType type, Bytes data);

/// A file that the image's owner enrolled: the trust anchor, the policy -> RTMR[0].
[[nodiscard]] Measurement secure_policy(Bytes file);
/// The enrolled key that signed the payload, as it stands in that file -> RTMR[0].
[[nodiscard]] Measurement secure_authority(Bytes anchor);
/// The secure version number of a signed payload -> RTMR[1].
[[nodiscard]] Measurement payload_svn(std::uint64_t svn);

/// The mark that no further event of the firmware follows in RTMR[`rtmr`].
[[nodiscard]] Measurement separator(std::uint32_t rtmr);

/// The mark that the boot was refused, with the reason in the event.
[[nodiscard]] Measurement error_separator(std::uint32_t rtmr, std::string_view reason);

} // namespace tdshim::measure
