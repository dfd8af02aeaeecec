// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/fields.hpp"

#include <algorithm>
#include <array>

#include "tools/tdx-model/status.hpp"

namespace tdshim::tdx_model {
namespace {

constexpr std::uint64_t code_mask = 0xFF'FFFF;
// Bits 31:24, 49:47, 55 and 62 are reserved; 37:34 and 46:38 are the length of a list.
constexpr std::uint64_t not_of_an_element = 0x4083'FFFC'FF00'0000;
constexpr std::uint64_t context_mask = 0x0070'0000'0000'0000;

constexpr std::uint32_t class_of(std::uint64_t id) {
    return static_cast<std::uint32_t>(id >> 56 & 0x3F);
}
constexpr std::uint32_t code_of(std::uint64_t id) {
    return static_cast<std::uint32_t>(id & code_mask);
}

// Behind the names that fields.hpp has no use for stand what else a guest may read.
constexpr std::array td_readable{
    FieldEntry{field::td_uuid, 4},
    FieldEntry{field::num_vcpus},
    FieldEntry{field::num_l2_vms},
    FieldEntry{field::attributes},
    FieldEntry{field::xfam},
    FieldEntry{field::max_vcpus},
    FieldEntry{field::gpaw},
    FieldEntry{field::tsc_frequency},
    FieldEntry{field::notify_enables, 1, 1},
    FieldEntry{field::config_flags},
    FieldEntry{field::td_ctls, 1, 1},
    FieldEntry{field::mrtd, 6},
    FieldEntry{field::mr_config_id, 6},
    FieldEntry{field::mr_owner, 6},
    FieldEntry{field::mr_owner_config, 6},
    FieldEntry{field::rtmr, 4 * 6},
    FieldEntry{0x9810'0003'0000'0040, 4},  // PRE_IMPORT_UUID
    FieldEntry{0x9910'0003'0000'0000, 6},  // SERVTD_HASH
    FieldEntry{0x9910'0001'0000'0006},     // SERVTD_NUM
    FieldEntry{0x9910'0003'0000'0080, 16}, // SERVTD_BINDINGS_TABLE
};
constexpr std::array td_hidden{
    HiddenFields{0x00, 0x01, 2},       HiddenFields{0x00, 0x04, 2}, // TD management
    HiddenFields{0x00, 0x10, 9},       HiddenFields{0x01, 0x01, 2}, // keys
    HiddenFields{0x02, 0x00, 6},                                    // TD preserving
    HiddenFields{0x10, 0x02, 1},       HiddenFields{0x10, 0x04, 1},   HiddenFields{0x11, 0x04, 1},
    HiddenFields{0x11, 0x0A, 2}, // execution controls
    HiddenFields{0x11, 0x0D, 3},       HiddenFields{0x11, 0x11, 5},   HiddenFields{0x11, 0x80, 80},
    HiddenFields{0x11, 0x800, 19},     HiddenFields{0x12, 0x00, 3}, // TLB epochs
    HiddenFields{0x14, 0x00, 1 << 17}, // CPUID values, by leaf and subleaf
    HiddenFields{0x16, 0x10A, 1},      HiddenFields{0x16, 0x480, 1}, // virtual MSRs
    HiddenFields{0x16, 0x485, 5},      HiddenFields{0x16, 0x48B, 9},  HiddenFields{0x18, 0x01, 6},
    HiddenFields{0x18, 0x10, 0x12}, // migration
    HiddenFields{0x18, 0x30, 3},       HiddenFields{0x18, 0x34, 1},   HiddenFields{0x1A, 0x00, 512},
    HiddenFields{0x20, 0x00, 512},     HiddenFields{0x21, 0x00, 512},
};

constexpr std::uint64_t all_bits = ~std::uint64_t{0};
constexpr std::array vcpu_readable{
    FieldEntry{field::vcpu_index},
    FieldEntry{field::cpuid_supervisor_ve, 1, 0xFF},
    FieldEntry{field::cpuid_user_ve, 1, 0xFF},
    FieldEntry{0xA020'0003'0000'0050, 4, 7},        // L2_CTLS
    FieldEntry{0xA020'0003'0000'0058, 4, all_bits}, // TSC_DEADLINE
    FieldEntry{0xA120'0000'0000'0000, 128, 3},      // CPUID_CONTROL
};
constexpr std::array vcpu_hidden{
    HiddenFields{0x00, 0x00, 0x8000}, // VMCS, by encoding: not each has a field
    HiddenFields{0x01, 0x00, 128},    // virtual APIC
    HiddenFields{0x02, 0x00, 6},      HiddenFields{0x02, 0x10, 2}, // #VE information
    HiddenFields{0x10, 0x00, 16},                                  // general registers
    HiddenFields{0x11, 0x00, 4},      HiddenFields{0x11, 0x06, 1},   HiddenFields{0x11, 0x20, 1},
    HiddenFields{0x11, 0x28, 1},      HiddenFields{0x11, 0x100, 1},  HiddenFields{0x12, 0x00, 1536},
    HiddenFields{0x13, 0x00, 0x4000}, // MSRs, by index: not each has a field
    HiddenFields{0x20, 0x00, 1},      HiddenFields{0x20, 0x03, 2},   HiddenFields{0x20, 0x06, 1},
    HiddenFields{0x20, 0x0A, 21},     HiddenFields{0x20, 0x30, 3},   HiddenFields{0x20, 0x40, 3},
    HiddenFields{0x20, 0x44, 12},     HiddenFields{0x20, 0x54, 4},   HiddenFields{0x20, 0x5C, 4},
    HiddenFields{0x20, 0x80, 32},     HiddenFields{0x20, 0xA4, 12},  HiddenFields{0x20, 0xB0, 8},
    HiddenFields{0x20, 0x100, 24},    HiddenFields{0x22, 0x200, 32},
};

constexpr std::array system_readable{
    FieldEntry{field::vendor_id},        FieldEntry{field::minor_version},
    FieldEntry{field::major_version},    FieldEntry{0x0A00'0002'0000'0000}, // SYS_ATTRIBUTES
    FieldEntry{field::num_tdx_features}, FieldEntry{field::tdx_features0},
    FieldEntry{0xA000'0003'0000'0000}, // MIG_ATTRIBUTES
    FieldEntry{0x2000'0001'0000'0001}, // MIN_EXPORT_VERSION
    FieldEntry{0x2000'0001'0000'0002}, // MAX_EXPORT_VERSION
    FieldEntry{0x2000'0001'0000'0003}, // MIN_IMPORT_VERSION
    FieldEntry{0x2000'0001'0000'0004}, // MAX_IMPORT_VERSION
    FieldEntry{0xA200'0001'0000'0000}, // GUEST_L2_GPA_ATTR_MASK
};
constexpr std::array system_hidden{
    HiddenFields{0x00, 0x00, 9},    HiddenFields{0x08, 0x01, 2}, // platform, version
    HiddenFields{0x08, 0x05, 2},    HiddenFields{0x09, 0x00, 7},
    HiddenFields{0x10, 0x00, 1},    HiddenFields{0x10, 0x80, 32}, // memory
    HiddenFields{0x10, 0x100, 32},  HiddenFields{0x11, 0x08, 2},
    HiddenFields{0x11, 0x10, 3},    HiddenFields{0x18, 0x00, 1}, // sizes of structures
    HiddenFields{0x18, 0x100, 2},   HiddenFields{0x18, 0x200, 2},
    HiddenFields{0x19, 0x00, 5},    HiddenFields{0x19, 0x06, 2}, // what may be configured
    HiddenFields{0x19, 0x400, 32},  HiddenFields{0x19, 0x500, 64},
    HiddenFields{0x19, 0x600, 1},   HiddenFields{0x19, 0x800, 2},
    HiddenFields{0x19, 0x810, 128}, HiddenFields{0x20, 0x10, 1}, // migration
    HiddenFields{0x20, 0x20, 3},    HiddenFields{0x21, 0x00, 3},
    HiddenFields{0x22, 0x01, 6},
};

/// What version 1.5.01 lets read and more.
template <std::size_t Count>
consteval auto with_topology(const std::array<FieldEntry, Count>& old, ModuleVersion version) {
    std::array<FieldEntry, Count + 1> fields;
    const auto controls = std::ranges::find(old, field::td_ctls, &FieldEntry::id);
    auto next = std::ranges::copy(old.begin(), controls, fields.begin()).out;
    *next++ = {field::td_ctls, 1, writable_controls(version)};
    *next++ = {field::topology_enum_configured};
    std::ranges::copy(controls + 1, old.end(), next);
    return fields;
}
constexpr auto td_readable_1_5_05 = with_topology(td_readable, ModuleVersion::v1_5_05);
constexpr auto td_readable_2_0 = with_topology(td_readable, ModuleVersion::v2_0);

constexpr FieldContext td_context{td_readable, td_hidden};
constexpr FieldContext td_context_1_5_05{td_readable_1_5_05, td_hidden};
constexpr FieldContext td_context_2_0{td_readable_2_0, td_hidden};
constexpr FieldContext vcpu_context{vcpu_readable, vcpu_hidden};
constexpr FieldContext system_context{system_readable, system_hidden};

} // namespace

const FieldContext& td_fields(ModuleVersion version) {
    switch (version) {
    case ModuleVersion::v1_5_01: break;
    case ModuleVersion::v1_5_05: return td_context_1_5_05;
    case ModuleVersion::v2_0: return td_context_2_0;
    }
    return td_context;
}
const FieldContext& vcpu_fields() {
    return vcpu_context;
}
const FieldContext& system_fields() {
    return system_context;
}

bool is_no_field(std::uint64_t id) {
    return (id | context_mask) == no_field;
}

std::expected<Field, std::uint64_t> find_field(const FieldContext& context, std::uint64_t id,
                                               FieldUse use) {
    if ((id & not_of_an_element) != 0)
        return std::unexpected(field_id_incorrect);
    const std::uint32_t class_code = class_of(id);
    const std::uint32_t code = code_of(id);
    for (const FieldEntry& entry : context.readable)
        if (class_of(entry.id) == class_code && code - code_of(entry.id) < entry.elements)
            return Field{&entry, code - code_of(entry.id)};
    for (const HiddenFields& hidden : context.hidden)
        if (hidden.class_code == class_code && code - hidden.first < hidden.count)
            return std::unexpected(use == FieldUse::read ? field_not_readable : field_not_writable);
    return std::unexpected(field_id_incorrect);
}

std::uint64_t next_field(const FieldContext& context, const Field& field) {
    if (field.element + 1 < field.entry->elements)
        return field.id() + 1;
    const FieldEntry* const next = field.entry + 1;
    return next == context.readable.data() + context.readable.size() ? no_field : next->id;
}

} // namespace tdshim::tdx_model
