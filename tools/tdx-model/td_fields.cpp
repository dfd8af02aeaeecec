// SPDX-License-Identifier: Apache-2.0
//
// TDG.VM.RD, VM.WR, VP.RD, VP.WR and SYS.RD [TDX module, tdg_vm_rd_wr.c, tdg_vp_rd_wr.c,
// tdg_sys_rd.c]: the fields of a TD that is not debugged, migrated, served or partitioned. Fields
// of those purposes read as zero.
#include "tools/tdx-model/td.hpp"

#include <algorithm>
#include <cstring>

#include "tools/tdx-model/fields.hpp"
#include "tools/tdx-model/status.hpp"

namespace tdshim::tdx_model {
namespace {

constexpr std::uint64_t config_gpaw = 1 << 0;
constexpr std::uint64_t config_flexible_pending_ve = 1 << 1;
constexpr std::uint64_t config_no_rbp_mod = 1 << 2;
constexpr std::uint64_t sept_ve_disable = 1 << 28;        // of ATTRIBUTES
constexpr std::uint64_t gigahertz = 40;                   // in 25 MHz
constexpr std::uint64_t emulated = 0x4445'5441'4C55'4D45; // "EMULATED"

std::uint64_t word_of(const crypto::Digest& digest, std::uint32_t element) {
    le64 word;
    std::memcpy(&word, digest.data() + element * sizeof(word), sizeof(word));
    return word;
}

std::uint64_t system_value(const Field& field, ModuleVersion version) {
    const bool is_2 = version == ModuleVersion::v2_0;
    switch (field.entry->id) {
    case field::vendor_id: return 0x8086;
    case field::minor_version: return is_2 ? 0 : 5;
    case field::major_version: return is_2 ? 2 : 1;
    case field::num_tdx_features: return 1;
    case field::tdx_features0: return features_of(version);
    default: return 0;
    }
}

/// Reads, once the operands but the identifier in RDX are known to be good. With `tells_next` the
/// identifier behind it comes back in RDX, and without an identifier the first.
template <class ValueOf>
void read_field(Registers& registers, std::uint64_t id, const FieldContext& context,
                bool tells_next, const ValueOf& value_of) {
    if (tells_next && is_no_field(id)) {
        registers[rdx] = context.readable.front().id;
        registers[rax] = first_field_in_context;
        return;
    }
    const auto field = find_field(context, id, FieldUse::read);
    registers[rax] = field ? success : field.error();
    if (!field)
        return;
    registers[r8] = value_of(*field);
    if (tells_next)
        registers[rdx] = next_field(context, *field);
}

/// What a write of the value in R8 under the mask in R9 makes of `old`: bits that the mask selects
/// and the guest may not write must be as they are.
std::expected<std::uint64_t, std::uint64_t> merge(const Registers& registers, const Field& field,
                                                  std::uint64_t old) {
    const std::uint64_t value = registers[r8];
    const std::uint64_t mask = registers[r9];
    const std::uint64_t writable = field.entry->write_mask & mask;
    if (writable == 0)
        return std::unexpected(field_not_writable);
    if (((value ^ old) & mask & ~field.entry->write_mask) != 0)
        return std::unexpected(field_value_not_valid);
    return (old & ~writable) | (value & writable);
}

} // namespace

std::uint64_t Td::td_value(const Field& field) const {
    if (const auto written = td_written_.find(field.id()); written != td_written_.end())
        return written->second;
    switch (field.entry->id) {
    case field::td_uuid: return emulated;
    case field::num_vcpus:
    case field::max_vcpus: return configuration_.vcpus;
    case field::attributes: return configuration_.td_info.attributes;
    case field::xfam: return configuration_.td_info.xfam;
    case field::gpaw: return configuration_.gpa_width > 48 ? 1 : 0;
    case field::tsc_frequency: return gigahertz;
    case field::config_flags:
        return (configuration_.gpa_width > 48 ? config_gpaw : 0) |
               (configuration_.flexible_pending_ve ? config_flexible_pending_ve : 0) |
               (configuration_.preserves_rbp ? config_no_rbp_mod : 0);
    case field::td_ctls:
        return (configuration_.td_info.attributes & sept_ve_disable) != 0
                   ? controls::pending_ve_disable
                   : 0;
    case field::topology_enum_configured: return 1; // as KVM does: every vCPU has its x2APIC ID
    case field::mrtd: return word_of(configuration_.td_info.mrtd, field.element);
    case field::mr_config_id: return word_of(configuration_.td_info.mr_config_id, field.element);
    case field::mr_owner: return word_of(configuration_.td_info.mr_owner, field.element);
    case field::mr_owner_config:
        return word_of(configuration_.td_info.mr_owner_config, field.element);
    case field::rtmr: return word_of(rtmrs_.value(field.element / 6), field.element % 6);
    default: return 0;
    }
}

std::uint64_t Td::vcpu_value(unsigned vcpu, const Field& field) const {
    if (const auto written = vcpu_written_.find({vcpu, field.id()}); written != vcpu_written_.end())
        return written->second;
    return field.entry->id == field::vcpu_index ? vcpu : 0;
}

void Td::read_td_field(Registers& registers) {
    const std::uint64_t version = registers[rax] >> 16;
    const std::uint64_t id = registers[rdx];
    registers[r8] = 0;
    if (version > 0)
        registers[rdx] = no_field;
    if (version > 1)
        registers[rax] = operand_invalid | rax;
    else if (registers[rcx] != 0) // which TD: there is no other
        registers[rax] = operand_invalid | rcx;
    else
        read_field(registers, id, td_fields(configuration_.module_version), version > 0,
                   [&](const Field& field) { return td_value(field); });
}

std::uint64_t Td::write_td_field(Registers& registers) {
    const Registers in = registers;
    registers[r8] = 0;
    if (in[rcx] != 0)
        return operand_invalid | rcx;
    const auto field =
        find_field(td_fields(configuration_.module_version), in[rdx], FieldUse::write);
    if (!field)
        return field.error();
    const std::uint64_t old = td_value(*field);
    auto merged = merge(in, *field, old);
    if (!merged)
        return merged.error();
    if (field->entry->id == field::td_ctls) {
        if (!configuration_.flexible_pending_ve &&
            ((*merged ^ old) & controls::pending_ve_disable) != 0)
            return field_value_not_valid;
        if ((*merged & controls::reduce_ve) != 0)
            *merged |= controls::enum_topology | controls::virt_cpuid2;
    }
    td_written_[field->id()] = *merged;
    registers[r8] = old;
    return success;
}

void Td::read_vcpu_field(unsigned vcpu, Registers& registers) {
    const std::uint64_t id = registers[rdx];
    registers[rdx] = no_field;
    registers[r8] = 0;
    if (registers[rcx] != 0)
        registers[rax] = operand_invalid | rcx;
    else
        read_field(registers, id, vcpu_fields(), true,
                   [&](const Field& field) { return vcpu_value(vcpu, field); });
}

std::uint64_t Td::write_vcpu_field(unsigned vcpu, Registers& registers) {
    const Registers in = registers;
    registers[r8] = 0;
    if (in[rcx] != 0)
        return operand_invalid | rcx;
    const auto field = find_field(vcpu_fields(), in[rdx], FieldUse::write);
    if (!field)
        return field.error();
    const std::uint64_t old = vcpu_value(vcpu, *field);
    const auto merged = merge(in, *field, old);
    if (!merged)
        return merged.error();
    vcpu_written_[{vcpu, field->id()}] = *merged;
    registers[r8] = old;
    return success;
}

void Td::read_system_field(Registers& registers) {
    const std::uint64_t id = registers[rdx];
    registers[rdx] = no_field;
    registers[r8] = 0;
    read_field(registers, id, system_fields(), true, [&](const Field& field) {
        return system_value(field, configuration_.module_version);
    });
}

std::uint64_t Td::set_cpuid_ve(unsigned vcpu, const Registers& registers) {
    if (registers[rcx] > 3)
        return operand_invalid | rcx;
    vcpu_written_[{vcpu, field::cpuid_supervisor_ve}] = registers[rcx] & 1;
    vcpu_written_[{vcpu, field::cpuid_user_ve}] = registers[rcx] >> 1;
    return success;
}

VeControls Td::ve_controls(unsigned vcpu) const {
    const std::lock_guard lock(mutex_);
    const auto found = td_written_.find(field::td_ctls);
    const auto always = vcpu_written_.find({vcpu, field::cpuid_supervisor_ve});
    return {.td_ctls = found == td_written_.end() ? 0 : found->second,
            .cpuid = always != vcpu_written_.end() && always->second != 0};
}

} // namespace tdshim::tdx_model
