// SPDX-License-Identifier: Apache-2.0
//
// Metadata fields as a guest names them [Intel TDX Module 1.5 ABI, metadata access; which fields
// there are, and their masks, as in the module's tables of version 1.5.01; what later ones have
// more and Linux asks for, module_version.hpp]. An identifier has a class and a code within it; a
// field of several elements has as many codes. The module knows more fields than a guest may read:
// of those only their codes are here.
#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "tools/tdx-model/module_version.hpp"

namespace tdshim::tdx_model {

/// In place of an identifier: there is no further field; as an operand: which is the first.
inline constexpr std::uint64_t no_field = ~std::uint64_t{0};

namespace field {

// Of the TD.
inline constexpr std::uint64_t td_uuid = 0x8010'0003'0000'0020;
inline constexpr std::uint64_t num_vcpus = 0x9010'0002'0000'0001;
inline constexpr std::uint64_t num_l2_vms = 0x9010'0001'0000'0005;
inline constexpr std::uint64_t attributes = 0x1110'0003'0000'0000;
inline constexpr std::uint64_t xfam = 0x1110'0003'0000'0001;
inline constexpr std::uint64_t max_vcpus = 0x1110'0002'0000'0002;
inline constexpr std::uint64_t gpaw = 0x1110'0000'0000'0003;          // 1: 52 bits
inline constexpr std::uint64_t tsc_frequency = 0x1110'0001'0000'000C; // in 25 MHz
inline constexpr std::uint64_t notify_enables = 0x9110'0003'0000'0010;
inline constexpr std::uint64_t config_flags = 0x1110'0003'0000'0016;
inline constexpr std::uint64_t td_ctls = 0x1110'0003'0000'0017;
inline constexpr std::uint64_t topology_enum_configured = 0x9110'0000'0000'0019; // since 1.5.05
inline constexpr std::uint64_t mrtd = 0x1310'0003'0000'0000;
inline constexpr std::uint64_t mr_config_id = 0x1310'0003'0000'0010;
inline constexpr std::uint64_t mr_owner = 0x1310'0003'0000'0018;
inline constexpr std::uint64_t mr_owner_config = 0x1310'0003'0000'0020;
inline constexpr std::uint64_t rtmr = 0x1310'0003'0000'0040;

// Of a vCPU.
inline constexpr std::uint64_t vcpu_index = 0xA020'0002'0000'0002;
inline constexpr std::uint64_t cpuid_supervisor_ve = 0xA020'0000'0000'0007;
inline constexpr std::uint64_t cpuid_user_ve = 0xA020'0000'0000'0008;

// Of the module.
inline constexpr std::uint64_t vendor_id = 0x0800'0002'0000'0000;
inline constexpr std::uint64_t minor_version = 0x0800'0001'0000'0003;
inline constexpr std::uint64_t major_version = 0x0800'0001'0000'0004;
inline constexpr std::uint64_t num_tdx_features = 0x0A00'0000'0000'0001;
inline constexpr std::uint64_t tdx_features0 = 0x0A00'0003'0000'0008;

} // namespace field

/// A field that a guest may read.
struct FieldEntry {
    std::uint64_t id = 0;       ///< of its first element
    std::uint32_t elements = 1; ///< of all fields of its kind, such as the four RTMRs
    std::uint64_t write_mask = 0;
};

/// Codes of fields that the module has and a guest may not read.
struct HiddenFields {
    std::uint32_t class_code = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 1;
};

struct FieldContext {
    std::span<const FieldEntry> readable; ///< in the module's order
    std::span<const HiddenFields> hidden;
};

[[nodiscard]] const FieldContext& td_fields(ModuleVersion version);
[[nodiscard]] const FieldContext& vcpu_fields();
[[nodiscard]] const FieldContext& system_fields();

/// One element.
struct Field {
    const FieldEntry* entry = nullptr;
    std::uint32_t element = 0;

    /// As the module names it.
    [[nodiscard]] std::uint64_t id() const { return entry->id + element; }
};

enum class FieldUse : std::uint8_t { read, write };

/// Whether an operand asks for the first field. The module looks away from its context code.
[[nodiscard]] bool is_no_field(std::uint64_t id);

/// The element that `id` names. Class and code tell which; context, size and increment are not
/// looked at, as the module does not. Else a completion status: FIELD_ID_INCORRECT when there is
/// none or a reserved bit or the length of a list is set, FIELD_NOT_READABLE or _NOT_WRITABLE.
[[nodiscard]] std::expected<Field, std::uint64_t> find_field(const FieldContext& context,
                                                             std::uint64_t id, FieldUse use);

/// Identifier of the element behind `field`, or `no_field`.
[[nodiscard]] std::uint64_t next_field(const FieldContext& context, const Field& field);

} // namespace tdshim::tdx_model
