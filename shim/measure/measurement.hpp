// SPDX-License-Identifier: Apache-2.0
//
// What is measured, into which register, with which event: the only place that knows. Each function
// makes one measurement from the bytes of one input; boot/recorder extends and logs it, and the
// host tools predict registers from the same functions. Rules: td-shim specification 0.7, 3.5, and
// specs/measurement.md for what it leaves open, with the argument why a register's value tells the
// kind, the order and the content of all that led to it.
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

/// Bytes that the log keeps for the separators that close RTMR[0] and RTMR[1], and for those that
/// say why there is no payload after all, each with a line of reason.
inline constexpr std::size_t room_for_separators = 1024;

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

/// What the digest of an event of td-shim's covers. Ours covers what the event says it is together
/// with its content, so that no other input can be given the same digest; td-shim's, for images
/// with option_region_digests, the content alone.
enum class Digests : bool { named, td_shim };

/// The TD HOB list, whole -> RTMR[0]. Its digest is that of the list: nothing else in the register
/// begins as a HOB list does.
[[nodiscard]] Measurement td_hob(Bytes list);

/// The descriptor of the VMM's wish to have memory accepted before Linux starts, and what it says;
/// where it has none, what is measured of that.
inline constexpr std::string_view accept_descriptor = "accept";
inline constexpr std::string_view accept_all_text = "all";
inline constexpr std::string_view accept_lazily_text = "lazy";

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

/// A file of the VMM's firmware configuration, or a table, that is too large for the log ->
/// RTMR[0]. Its digest covers the name, of at most 55 characters, as it stands in the event: its
/// length, with the NUL, in front, and the NUL behind.
[[nodiscard]] Measurement configuration_file(std::string_view name, Gpa place, Bytes file);

/// The first event of RTMR[1]: which events follow there -> RTMR[1]. `text` is Contents::text().
[[nodiscard]] Measurement contents(Bytes text);

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
[[nodiscard]] Measurement secure_policy(Bytes file, Digests digests);
/// The enrolled key that signed the payload, as it stands in that file -> RTMR[0].
[[nodiscard]] Measurement secure_authority(Bytes anchor, Digests digests);
/// The secure version number of a signed payload -> RTMR[1].
[[nodiscard]] Measurement payload_svn(std::uint64_t svn, Digests digests);

/// The mark that no further event of the firmware follows in RTMR[`rtmr`].
[[nodiscard]] Measurement separator(std::uint32_t rtmr);

/// The mark that the boot was refused, with the reason in the event.
[[nodiscard]] Measurement error_separator(std::uint32_t rtmr, std::string_view reason);

} // namespace tdshim::measure
