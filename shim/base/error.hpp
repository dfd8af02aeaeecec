// SPDX-License-Identifier: Apache-2.0
//
// Errors are values. Every way in which an input can be refused is one Fault with one sentence, so
// this list is the list of refusals; an Error adds where in the input it was seen and what was
// expected and found there. Shared by the firmware and the host tools.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace tdshim {

enum class Fault : std::uint16_t {
    // any input
    truncated,
    range_wraps,
    too_many_entries,
    // the processor
    no_random_number,
    // fw_cfg
    fw_cfg_absent,
    fw_cfg_count,
    fw_cfg_name,
    fw_cfg_selector,
    fw_cfg_duplicate_name,
    fw_cfg_transfer,
    fw_cfg_item_missing,
    fw_cfg_item_size,
    fw_cfg_item_twice,
    // the VMM's memory map
    e820_size,
    e820_entry_empty,
    e820_overlap,
    e820_no_memory,
    // TD HOB
    hob_no_handoff,
    hob_length,
    hob_type,
    hob_reserved,
    hob_end,
    hob_resource_type,
    hob_resource_alignment,
    hob_resource_empty,
    hob_resource_overlap,
    hob_above_gpa_width,
    hob_payload_info,
    hob_initrd_info,
    hob_guid_twice,
    hob_initrd_place,
    hob_list_full,
    // ACPI table loader and tables
    loader_size,
    loader_command,
    loader_file_name,
    loader_file_unknown,
    loader_file_twice,
    loader_alignment,
    loader_zone,
    loader_offset,
    loader_pointer_size,
    loader_checksum_range,
    acpi_no_rsdp,
    acpi_signature,
    acpi_length,
    acpi_checksum,
    acpi_address,
    acpi_event_log,
    acpi_mailbox,
    acpi_no_madt,
    // SMBIOS tables
    smbios_policy,
    smbios_length,
    smbios_strings,
    smbios_end,
    // Linux kernel, initrd, command line
    kernel_missing,
    kernel_boot_flag,
    kernel_magic,
    kernel_protocol,
    kernel_header_size,
    kernel_setup_size,
    kernel_not_high,
    kernel_no_64bit_entry,
    kernel_alignment,
    kernel_init_size,
    kernel_address_wraps,
    kernel_does_not_fit,
    kernel_over_shim,
    command_line_too_long,
    command_line_nul,
    command_line_no_nul,
    command_line_acpi,
    command_line_memory,
    initrd_acpi_tables,
    initrd_does_not_fit,
    // TDX module and VMM
    td_gpa_width,
    tdcall_failed,
    tdvmcall_failed,
    map_gpa_failed,
    map_gpa_no_progress,
    ve_not_emulated,
    page_not_accepted,
    page_already_accepted,
    accept_policy,
    // the shim's own resources
    memory_exhausted,
    page_tables_full,
    // event log
    log_full,
    log_header,
    log_digest_algorithm,
    log_register,
    log_rtmr_index,
    // TDVF image and metadata
    image_size,
    footer_missing,
    footer_table_length,
    footer_entry_length,
    footer_no_metadata,
    metadata_outside_image,
    metadata_pointer,
    metadata_signature,
    metadata_length,
    metadata_version,
    section_count,
    section_type,
    section_data_outside_image,
    section_alignment,
    section_raw_size,
    section_memory_size,
    section_overlap,
    section_memory_total,
    section_data_outside_bfv,
    section_no_td_hob,
    section_attributes,
    section_data_offset,
    section_place,
    section_no_reset_vector,
    image_info_size,
    payload_outside_image,
    image_options,
    // TDREPORT and quote
    report_size,
    report_type,
    quote_version,
    quote_tee_type,
    quote_body_type,
    // IGVM files
    igvm_magic,
    igvm_version,
    igvm_architecture,
    igvm_file_size,
    igvm_headers_place,
    igvm_checksum,
    igvm_header_length,
    igvm_padding,
    igvm_header_type,
    igvm_header_order,
    igvm_reserved,
    igvm_platform,
    igvm_platform_mask,
    igvm_mask,
    igvm_alignment,
    igvm_page_flags,
    igvm_page_type,
    igvm_data_outside_file,
    igvm_area_index,
    igvm_area_size,
    igvm_parameter_place,
    igvm_overlap,
    igvm_vp_context,
    igvm_no_tdx,
    igvm_section,
    // executables
    payload_kind,
    payload_kind_denied,
    executable_size,
    executable_no_entry,
    executable_does_not_fit,
    relocation_missing,
    relocation_kind,
    relocation_place,
    pe_header,
    pe_section_outside_file,
    pe_section_alignment,
    pe_section_place,
    pe_section_writable_executable,
    pe_not_standalone,
    uki_section_size,
    uki_section_twice,
    uki_profiles,
    uki_microcode,
    efi_application,
    uki_nested,
    uki_supplied_twice,
    vmlinux_address,
    elf_page_shared,
    elf_dynamic,
    // configuration volume
    cfv_volume_signature,
    cfv_volume_reserved,
    cfv_volume_file_system,
    cfv_volume_revision,
    cfv_volume_length,
    cfv_volume_header_length,
    cfv_volume_checksum,
    cfv_file_checksum,
    cfv_file_state,
    cfv_file_attributes,
    cfv_file_length,
    cfv_file_type,
    cfv_file_twice,
    cfv_free_space,
    cfv_no_anchor,
    cfv_full,
    anchor_type,
    anchor_hash_algorithm,
    anchor_length,
    anchor_reserved,
    anchor_not_listed,
    policy_type,
    policy_word,
    policy_flags,
    policy_entries,
    policy_length,
    policy_key_kinds,
    policy_key_algorithm,
    policy_key_twice,
    policy_no_key,
    policy_no_pin,
    // signed payload
    signed_payload_guid,
    signed_payload_version,
    signed_payload_length,
    signed_payload_algorithm,
    signed_payload_reserved,
    signed_payload_block,
    // what an enrolment demands of a payload
    payload_unsigned,
    payload_numbering,
    payload_key_unknown,
    payload_key_revoked,
    payload_key_kind,
    payload_key_algorithm,
    payload_svn,
    payload_revoked,
    payload_not_pinned,
    secure_boot_absent,
    payload_sealed,
    // bundle
    bundle_magic,
    bundle_number,
    bundle_field,
    bundle_name,
    bundle_twice,
    bundle_order,
    bundle_missing,
    bundle_member_size,
    bundle_padding,
    bundle_trailing,
    bundle_manifest,
    bundle_title,
    bundle_command_line,
    bundle_kernel,
    // events file
    events_size,
    events_no_line_end,
    events_character,
    events_blank,
    events_register,
    events_type,
    events_empty,
    events_full_stop,
    events_hex,
    events_data_size,
    events_count,
    events_order,
    events_signer_twice,
    events_no_signer,
    events_identity,
    // signatures and keys
    signature_modulus,
    signature_exponent,
    signature_point,
    signature_range,
    signature_wrong,
    // inputs of shim-ld
    elf_header,
    elf_not_executable,
    elf_segment_outside_file,
    elf_segment_size,
    elf_segment_alignment,
    elf_segment_overlap,
    elf_segment_writable_executable,
    elf_segment_initialised_data,
    elf_segment_address,
    elf_entry,
    reset_vector_size,
    reset_vector_slot,
    payload_size,
    td_info_size,
    // AML of the VMM's: image option and enrolment
    policy_reserved,
    image_aml_policy,
    aml_refused,
    aml_not_enrolled,
    acpi_fadt_twice,
};

struct Error {
    Fault fault{};
    std::uint64_t at = 0;       ///< byte offset in the input; for ranges the address
    std::uint64_t expected = 0; ///< the bound or value that was asked for; 0 where there is none
    std::uint64_t found = 0;    ///< the value that was there
};

/// The one-line sentence of a fault, without a full stop.
std::string_view sentence(Fault fault);

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] constexpr std::unexpected<Error>
refuse(Fault fault, std::uint64_t at = 0, std::uint64_t expected = 0, std::uint64_t found = 0) {
    return std::unexpected(Error{fault, at, expected, found});
}

} // namespace tdshim

/// The value of `expression`, or a return of its error from the enclosing function.
#define TRY(expression)                                                                            \
    ({                                                                                             \
        auto try_result = (expression);                                                            \
        if (!try_result) [[unlikely]]                                                              \
            return std::unexpected(try_result.error());                                            \
        *std::move(try_result);                                                                    \
    })
