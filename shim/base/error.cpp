// SPDX-License-Identifier: Apache-2.0
#include "shim/base/error.hpp"

namespace tdshim {

std::string_view sentence(Fault fault) {
    switch (fault) {
    case Fault::truncated: return "input ends too early";
    case Fault::range_wraps: return "address range wraps around";
    case Fault::too_many_entries: return "more entries than there is room for";

    case Fault::no_random_number: return "RDRAND gives no random number";

    case Fault::fw_cfg_absent: return "no fw_cfg device answers";
    case Fault::fw_cfg_count: return "fw_cfg directory has an absurd number of files";
    case Fault::fw_cfg_name: return "fw_cfg file name is empty or not terminated";
    case Fault::fw_cfg_selector: return "fw_cfg file has a selector below the file range";
    case Fault::fw_cfg_duplicate_name: return "fw_cfg directory names a file twice";
    case Fault::fw_cfg_transfer: return "fw_cfg DMA transfer failed";
    case Fault::fw_cfg_item_missing: return "fw_cfg item is missing";
    case Fault::fw_cfg_item_size: return "fw_cfg item has an absurd size";
    case Fault::fw_cfg_item_twice: return "fw_cfg item is asked for twice";

    case Fault::e820_size: return "memory map is not a whole number of 20-byte entries";
    case Fault::e820_entry_empty: return "memory map has an entry of size zero";
    case Fault::e820_overlap: return "memory map has overlapping entries";
    case Fault::e820_no_memory: return "memory map has no usable memory where the shim needs it";

    case Fault::hob_no_handoff: return "TD HOB does not begin with a PHIT HOB";
    case Fault::hob_length: return "TD HOB has a HOB of a wrong length";
    case Fault::hob_type: return "TD HOB has a HOB of a kind that does not belong there";
    case Fault::hob_reserved: return "TD HOB has a HOB whose reserved field is not zero";
    case Fault::hob_end: return "TD HOB ends elsewhere than its PHIT HOB says";
    case Fault::hob_resource_type: return "TD HOB has a resource of an unknown type";
    case Fault::hob_resource_alignment: return "TD HOB has memory that is not made of whole pages";
    case Fault::hob_resource_empty: return "TD HOB has a resource without length";
    case Fault::hob_resource_overlap: return "TD HOB has resources that overlap";
    case Fault::hob_above_gpa_width: return "TD HOB has memory beyond the TD's private addresses";

    case Fault::hob_payload_info: return "payload info has neither 16 nor 12 bytes";
    case Fault::hob_initrd_info: return "initrd info has not 16 bytes";
    case Fault::hob_guid_twice: return "HOB of which there may be one occurs twice";
    case Fault::hob_initrd_place:
        return "initrd that the VMM announced is not in the payload section";
    case Fault::hob_list_full: return "HOB list does not fit its place";
    case Fault::loader_size:
        return "table-loader script is not a whole number of 128-byte commands";
    case Fault::loader_command: return "table-loader command is unknown";
    case Fault::loader_file_name: return "table-loader file name is empty or not terminated";
    case Fault::loader_file_unknown: return "table-loader command names a file that is not loaded";
    case Fault::loader_file_twice: return "table-loader script loads a file twice";
    case Fault::loader_alignment:
        return "table-loader alignment is not a power of two up to 64 KiB";
    case Fault::loader_zone: return "table-loader zone is unknown";
    case Fault::loader_offset: return "table-loader offset lies outside the file";
    case Fault::loader_pointer_size:
        return "table-loader pointer size is not 1, 2, 4 or 8, or the value does not fit";
    case Fault::loader_checksum_range: return "table-loader checksum range lies outside the file";
    case Fault::acpi_no_rsdp: return "ACPI files hold no RSDP";
    case Fault::acpi_signature: return "ACPI table has a wrong signature";
    case Fault::acpi_length: return "ACPI table has a wrong length";
    case Fault::acpi_checksum: return "ACPI table has a wrong checksum";
    case Fault::acpi_address: return "ACPI table lies outside the loaded files";
    case Fault::acpi_event_log: return "ACPI tables of the VMM hold an event log of their own";
    case Fault::acpi_mailbox: return "MADT of the VMM holds a wakeup mailbox of its own";
    case Fault::acpi_no_madt: return "ACPI tables hold no MADT";

    case Fault::kernel_missing:
        return "no kernel: neither a named fw_cfg item, nor etc/boot/kernel, nor the legacy keys "
               "hold one";
    case Fault::kernel_boot_flag: return "kernel has no boot flag 0xAA55: not a bzImage";
    case Fault::kernel_magic: return "kernel has no header signature HdrS: not a bzImage";
    case Fault::kernel_protocol: return "kernel's boot protocol is older than 2.12";
    case Fault::kernel_header_size:
        return "kernel's setup header has not the size of its boot protocol";
    case Fault::kernel_setup_size: return "kernel is shorter than its setup header says";
    case Fault::kernel_not_high: return "kernel is not made to be loaded at 1 MiB or above";
    case Fault::kernel_no_64bit_entry: return "kernel has no 64-bit entry point";
    case Fault::kernel_alignment:
        return "kernel's alignment is not a power of two from 4 KiB to 1 GiB";
    case Fault::kernel_init_size: return "kernel's init_size is smaller than its code or absurd";
    case Fault::kernel_address_wraps: return "kernel's preferred address and size wrap around";
    case Fault::kernel_over_shim: return "kernel runs only where the shim itself is";
    case Fault::kernel_does_not_fit: return "kernel does not fit into memory";
    case Fault::command_line_too_long: return "command line is longer than the kernel takes";
    case Fault::command_line_nul: return "command line has a NUL byte inside";
    case Fault::command_line_no_nul: return "command line has no NUL at its end";
    case Fault::command_line_acpi:
        return "command line names ACPI tables, which the image's AML policy does not allow";
    case Fault::command_line_memory:
        return "command line has Linux take an initrd from memory, which no event would tell";
    case Fault::initrd_acpi_tables:
        return "initrd brings ACPI tables, which the image's AML policy does not allow";
    case Fault::initrd_does_not_fit: return "initrd does not fit into memory";

    case Fault::td_gpa_width:
        return "TDX module gives a width of guest addresses that is not known";
    case Fault::tdcall_failed: return "TDCALL failed";
    case Fault::tdvmcall_failed: return "TDVMCALL was refused by the VMM";
    case Fault::map_gpa_failed: return "VMM did not change the visibility of memory";
    case Fault::map_gpa_no_progress: return "VMM keeps asking to change visibility again";
    case Fault::page_not_accepted: return "page of memory cannot be accepted";
    case Fault::page_already_accepted:
        return "page of memory was accepted before: the VMM offers it twice";
    case Fault::smbios_policy: return "wish for SMBIOS tables is not the word pass";
    case Fault::smbios_length:
        return "SMBIOS structure is smaller than its header or larger than its table";
    case Fault::smbios_strings: return "strings of an SMBIOS structure have no end";
    case Fault::smbios_end: return "SMBIOS table does not end with its structure of type 127";
    case Fault::accept_policy: return "policy of acceptance is not the word all";
    case Fault::ve_not_emulated: return "#VE for what the shim does not do";

    case Fault::memory_exhausted: return "no free memory where it is needed";
    case Fault::page_tables_full: return "no page left for page tables";

    case Fault::log_full: return "event log area is full";
    case Fault::log_header: return "event log does not begin with a Spec ID Event03 header";
    case Fault::log_digest_algorithm:
        return "event log entry does not hold exactly one SHA-384 digest";
    case Fault::log_register:
        return "event log entry names a measurement register that does not exist";
    case Fault::log_rtmr_index: return "RTMR index is above 3";

    case Fault::image_size: return "image size is not a multiple of 64 KiB up to 16 MiB";
    case Fault::footer_missing:
        return "no GUIDed footer table at the end of the image: not a TDVF image";
    case Fault::footer_table_length:
        return "footer table is longer than the image or shorter than its footer";
    case Fault::footer_entry_length: return "footer table entry has a wrong length";
    case Fault::footer_no_metadata: return "footer table has no entry for TDX metadata";
    case Fault::metadata_outside_image: return "TDX metadata lies outside the image";
    case Fault::metadata_pointer: return "pointer at end - 0x20 does not lead to the TDX metadata";
    case Fault::metadata_signature: return "TDX metadata has no signature TDVF";
    case Fault::metadata_length: return "TDX metadata length does not match its number of sections";
    case Fault::metadata_version: return "TDX metadata version is not 1";
    case Fault::section_count: return "TDX metadata has a wrong number of sections";
    case Fault::section_type: return "section type is unknown";
    case Fault::section_data_outside_image: return "section data lies outside the image";
    case Fault::section_alignment: return "section is not aligned to 4 KiB";
    case Fault::section_raw_size: return "section of this type has a wrong raw data size";
    case Fault::section_memory_size: return "section has a wrong size or place in memory";
    case Fault::section_memory_total:
        return "TDX metadata has the VMM add more memory before launch than any image needs";
    case Fault::section_overlap: return "sections overlap in memory";
    case Fault::section_data_outside_bfv:
        return "section data lies outside the BFV section, which should hold it";
    case Fault::section_no_td_hob: return "TDX metadata has neither a TD_HOB nor a PermMem section";
    case Fault::section_attributes: return "section has attributes that are not for its type";
    case Fault::section_data_offset: return "section without data names a place in the image";
    case Fault::section_place: return "section lies at a place that is not for its type";
    case Fault::section_no_reset_vector: return "no BFV section holds the reset vector";
    case Fault::image_info_size:
        return "image information states a size that the image does not have";
    case Fault::payload_outside_image: return "embedded payload lies outside the image";
    case Fault::image_options: return "image has options that are not known here";
    case Fault::report_size: return "TDREPORT does not have its size";
    case Fault::report_type: return "report is not that of a TD";
    case Fault::quote_version: return "quote has neither version 4 nor 5";
    case Fault::quote_tee_type: return "quote is not that of a TD";
    case Fault::quote_body_type: return "quote's body is neither of TDX 1.0 nor of TDX 1.5";

    case Fault::igvm_magic: return "no IGVM file";
    case Fault::igvm_version: return "IGVM format version is neither 1 nor 2";
    case Fault::igvm_architecture: return "IGVM file is not for x86-64 with pages of 4 KiB";
    case Fault::igvm_file_size: return "IGVM file has not the size that it states";
    case Fault::igvm_headers_place:
        return "IGVM variable headers are not aligned or lie outside the file";
    case Fault::igvm_checksum: return "IGVM headers have a wrong checksum";
    case Fault::igvm_header_length: return "IGVM header has a wrong length";
    case Fault::igvm_padding: return "IGVM header is padded with other bytes than zeros";
    case Fault::igvm_header_type: return "IGVM header is of an unknown type";
    case Fault::igvm_header_order: return "IGVM header stands behind those of a later kind";
    case Fault::igvm_reserved: return "IGVM header has a reserved field that is not zero";
    case Fault::igvm_platform:
        return "IGVM platform is unknown, of an unknown version or named twice";
    case Fault::igvm_platform_mask: return "IGVM platform has not one mask bit of its own";
    case Fault::igvm_mask: return "IGVM header is for a platform that the file does not name";
    case Fault::igvm_alignment: return "IGVM address or size is not made of whole pages";
    case Fault::igvm_page_flags: return "IGVM page has flags that are not known here";
    case Fault::igvm_page_type: return "IGVM page is of a type that its platform does not have";
    case Fault::igvm_data_outside_file: return "IGVM header names data outside the file's data";
    case Fault::igvm_area_index:
        return "IGVM parameter area is declared twice, not at all, or already inserted";
    case Fault::igvm_area_size: return "IGVM parameter area is empty or larger than 16 MiB";
    case Fault::igvm_parameter_place: return "IGVM parameter lies outside its area";
    case Fault::igvm_overlap: return "IGVM pages overlap in memory";
    case Fault::igvm_vp_context:
        return "IGVM file sets registers of a TD's processor, which TDX resets itself";
    case Fault::igvm_no_tdx: return "IGVM file is not for TDX";
    case Fault::igvm_section:
        return "IGVM has nothing by which a VMM fills this section, or measures what it filled";

    case Fault::payload_kind:
        return "payload is no bzImage, vmlinux, ELF, PE, unified kernel image or Linux bundle";
    case Fault::payload_kind_denied: return "payload is not of the kind that the VMM announced";
    case Fault::executable_size: return "executable has no memory or more than the shim gives it";
    case Fault::executable_no_entry: return "executable's entry point is not in its code";
    case Fault::executable_does_not_fit: return "no free memory where the executable must be";
    case Fault::relocation_missing:
        return "executable stands where it was not linked for and has no relocations";
    case Fault::relocation_kind: return "relocation of a kind that no static executable needs";
    case Fault::relocation_place: return "relocation lies outside the executable";
    case Fault::pe_header: return "not a PE32+ image for x86-64";
    case Fault::pe_section_outside_file: return "PE section lies outside the file";
    case Fault::pe_section_alignment: return "PE section does not begin on a 4 KiB page";
    case Fault::pe_section_place: return "PE section overlaps another or lies outside the image";
    case Fault::pe_section_writable_executable: return "PE section is both writable and executable";
    case Fault::pe_not_standalone: return "PE image needs other modules or thread storage";
    case Fault::uki_section_size:
        return "section of the unified kernel image is longer than its data";
    case Fault::uki_section_twice: return "unified kernel image has a section twice";
    case Fault::uki_profiles: return "unified kernel image has more than one profile";
    case Fault::uki_microcode: return "unified kernel image brings microcode, which no guest loads";
    case Fault::efi_application: return "payload is an EFI application, which needs UEFI";
    case Fault::uki_nested: return "kernel of the unified kernel image is no bzImage";
    case Fault::uki_supplied_twice: return "unified kernel image brings this input itself";
    case Fault::vmlinux_address: return "vmlinux is linked for memory that the shim cannot give it";
    case Fault::elf_page_shared: return "ELF segments share a 4 KiB page";
    case Fault::elf_dynamic: return "ELF dynamic section is not that of a static executable";
    case Fault::cfv_volume_signature: return "configuration volume has no signature _FVH";
    case Fault::cfv_volume_reserved:
        return "configuration volume has a reserved field that is not zero";
    case Fault::cfv_volume_file_system:
        return "configuration volume has another file system than FFS3";
    case Fault::cfv_volume_revision: return "configuration volume is not of revision 2";
    case Fault::cfv_volume_length: return "configuration volume has another length than its place";
    case Fault::cfv_volume_header_length: return "configuration volume has a wrong header length";
    case Fault::cfv_volume_checksum: return "configuration volume's header has a wrong checksum";
    case Fault::cfv_file_checksum: return "file of the configuration volume has a wrong checksum";
    case Fault::cfv_file_state: return "file of the configuration volume is not in a valid state";
    case Fault::cfv_file_attributes:
        return "file of the configuration volume has attributes that are not known here";
    case Fault::cfv_file_length: return "file of the configuration volume has a wrong length";
    case Fault::cfv_file_type: return "trust anchor or policy is not a raw file";
    case Fault::cfv_file_twice: return "configuration volume has a file twice";
    case Fault::cfv_free_space: return "configuration volume has bytes behind its last file";
    case Fault::cfv_no_anchor:
        return "configuration volume holds neither a trust anchor nor a policy";
    case Fault::cfv_full: return "configuration volume has no room for what is to be enrolled";
    case Fault::anchor_type: return "trust anchor is not of the known type and version";
    case Fault::anchor_hash_algorithm: return "trust anchor's hash is not SHA-384";
    case Fault::anchor_length: return "trust anchor has a wrong length";
    case Fault::anchor_reserved: return "trust anchor has a reserved field that is not zero";
    case Fault::anchor_not_listed: return "trust anchor is not among the keys of the policy";
    case Fault::policy_type: return "enrolled policy is not of the known type and version";
    case Fault::policy_word: return "enrolled policy has a word that is not known here";
    case Fault::policy_flags: return "enrolled policy has flags that are not known here";
    case Fault::policy_entries: return "enrolled policy has too many entries";
    case Fault::policy_length: return "enrolled policy's length does not match its entries";
    case Fault::policy_key_kinds: return "enrolled key is valid for no known kind of payload";
    case Fault::policy_key_algorithm: return "enrolled key has an unknown signing algorithm";
    case Fault::policy_key_twice: return "enrolled policy lists a key twice";
    case Fault::policy_no_key: return "enrolled policy demands signatures and lists no key";
    case Fault::policy_no_pin: return "enrolled policy pins payloads and lists none";

    case Fault::signed_payload_guid: return "payload does not begin as a signed payload does";
    case Fault::signed_payload_version: return "signed payload's structure version is not 1";
    case Fault::signed_payload_length:
        return "signed payload's length leaves no contents or lies outside the file";
    case Fault::signed_payload_algorithm: return "signed payload has an unknown signing algorithm";
    case Fault::signed_payload_reserved: return "signed payload's reserved field is not zero";
    case Fault::signed_payload_block:
        return "signed payload's signature block is not of the size of its algorithm";

    case Fault::payload_unsigned: return "payload is not signed, which the enrolled policy demands";
    case Fault::payload_numbering:
        return "signed payload names another algorithm than its signature block has";
    case Fault::payload_key_unknown: return "payload's public key is not enrolled";
    case Fault::payload_key_revoked: return "payload's public key is revoked";
    case Fault::payload_key_kind: return "payload's public key is not enrolled for its kind";
    case Fault::payload_key_algorithm:
        return "payload's public key is enrolled for another algorithm";
    case Fault::payload_svn: return "payload's secure version number is below the enrolled minimum";
    case Fault::payload_revoked: return "payload is revoked";
    case Fault::payload_not_pinned: return "payload is not among those that the policy pins";
    case Fault::payload_sealed: return "payload takes no such input beside its own files";
    case Fault::secure_boot_absent:
        return "firmware was built without secure boot and can check no signature";

    // bundle
    case Fault::bundle_magic: return "bundle has an entry without the magic number 070701";
    case Fault::bundle_number: return "bundle has a number that is not eight hexadecimal digits";
    case Fault::bundle_field: return "bundle has a header field that is not what it has to be";
    case Fault::bundle_name: return "bundle has a member that does not belong there";
    case Fault::bundle_twice: return "bundle has a member twice";
    case Fault::bundle_order: return "bundle's members are in another order";
    case Fault::bundle_missing: return "bundle lacks its manifest or its kernel";
    case Fault::bundle_member_size: return "bundle has a member that is empty or too large";
    case Fault::bundle_padding: return "bundle's padding is not zero";
    case Fault::bundle_trailing: return "bundle has bytes behind its end";
    case Fault::bundle_manifest: return "bundle's manifest has another line than expected";
    case Fault::bundle_title: return "bundle's title is not printable or too long";
    case Fault::bundle_command_line: return "bundle's command line has a NUL or a line end";
    case Fault::bundle_kernel: return "kernel of the Linux bundle is no bzImage or vmlinux";

    // events file
    case Fault::events_size: return "events file is too large";
    case Fault::events_no_line_end: return "events file has a last line without line end";
    case Fault::events_character: return "events file has a character that is not printable";
    case Fault::events_blank: return "events file has a line that ends with a blank";
    case Fault::events_register: return "event is for another register than RTMR2 and RTMR3";
    case Fault::events_type: return "event is of another type than string and binary";
    case Fault::events_empty: return "event has no data";
    case Fault::events_full_stop: return "event is a full stop alone, which readers do not take";
    case Fault::events_hex: return "event's data is no even number of lower-case digits";
    case Fault::events_data_size: return "event has too much data";
    case Fault::events_count: return "events file has too many events";
    case Fault::events_order: return "event for RTMR2 stands behind one for RTMR3";
    case Fault::events_signer_twice: return "event names the signer twice";
    case Fault::events_no_signer: return "event names the signer, and no enrolled key signed";
    case Fault::events_identity: return "event's os-image-identity is not in its one form";

    case Fault::signature_modulus: return "RSA modulus is not an odd number of 3072 bits";
    case Fault::signature_exponent: return "RSA exponent is not 65537";
    case Fault::signature_point: return "public key is no point of P-384";
    case Fault::signature_range: return "ECDSA signature has a number that is zero or too large";
    case Fault::signature_wrong: return "signature is not that of this key over these bytes";

    case Fault::elf_header: return "not a little-endian x86-64 ELF file";
    case Fault::elf_not_executable:
        return "not a static ELF executable of the kind that is asked for";
    case Fault::elf_segment_outside_file: return "ELF segment lies outside the file";
    case Fault::elf_segment_size: return "ELF segment is smaller in memory than in the file";
    case Fault::elf_segment_alignment: return "ELF segment does not begin on a 4 KiB page";
    case Fault::elf_segment_overlap: return "ELF segments overlap in memory";
    case Fault::elf_segment_writable_executable:
        return "ELF segment is both writable and executable";
    case Fault::elf_segment_initialised_data:
        return "ELF segment holds initialised writable data, which the image cannot carry";
    case Fault::elf_segment_address: return "ELF segment lies outside the place that it is given";
    case Fault::elf_entry: return "ELF entry point is not in an executable segment";
    case Fault::reset_vector_size: return "reset vector has a wrong size";
    case Fault::reset_vector_slot: return "reset vector has no room where shim-ld writes";
    case Fault::payload_size: return "payload is empty or leaves no room in a 16 MiB image";
    case Fault::td_info_size: return "TD_INFO or TD_PARAMS is larger than its room in the image";

    // AML of the VMM's: image option and enrolment
    case Fault::policy_reserved: return "enrolled policy has a reserved field that is not zero";
    case Fault::image_aml_policy:
        return "image has static ACPI tables, and a policy for AML of the VMM's";
    case Fault::aml_refused: return "AML of the VMM's, which the image refuses";
    case Fault::aml_not_enrolled: return "AML of the VMM's that is not enrolled";
    case Fault::acpi_fadt_twice: return "ACPI tables hold two FADTs";
    }
    return "unknown fault";
}

} // namespace tdshim
