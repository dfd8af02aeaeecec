; SPDX-License-Identifier: Apache-2.0
;
; The first page tables, ready made in the image [Intel SDM 3A, 4.5]: identity maps of what runs before
; the shim has tables of its own. Nothing is both writable and executable. Accessed and dirty are set
; beforehand, for in a plain VM the image is ROM.
;
;   layout_shim_code        read, execute   the shim's code, once it is copied there
;   layout_shim_code_alias  read, write     the same memory, to copy it
;   layout_shim_data        read, write     the shim's stack and data
;   the image               read, execute   top 16 MiB below 4 GiB
;
; The processors of a TD that wait for the operating system have tables of their own, for it starts them
; in its memory below 1 MiB [ACPI 6.5, 5.2.12.19]; Linux writes there before it loads its own tables:
;
;   0 to 2 MiB              read, write, execute   the operating system's
;   the mailbox's 2 MiB     read, write
;   the image               read, execute
%define large_page        0x200000
%define entry_span_1g     0x40000000

%define table_flags       0x23                  ; present, writable, accessed
%define code_flags        0xE1                  ; present, accessed, dirty, large
%define data_flags_low    0xE3                  ; the same, writable
%define data_flags_high   0x80000000            ; bit 63: no execute
%define system_flags      0xE3                  ; the operating system's memory: writable, executable

%define pml4              (layout_reset_vector)
%define pdpt              (layout_reset_vector + 0x1000)
%define low_directory     (layout_reset_vector + 0x2000)
%define high_directory    (layout_reset_vector + 0x3000)
%define parked_pml4       (layout_reset_vector + 0x4000)
%define parked_pdpt       (layout_reset_vector + 0x5000)
%define parked_directory  (layout_reset_vector + 0x6000)
%define mailbox_page      (layout_mailbox / large_page * large_page)

%if (layout_shim_code % large_page) || (layout_shim_data % large_page) || (layout_shim_code_alias % large_page)
%error "code, data and the code's alias each need a large page of their own"
%endif
%if layout_shim_code_alias >= entry_span_1g || layout_shim_data >= entry_span_1g
%error "code, data and alias share one page directory"
%endif

; PML4: one entry
        dq      pdpt + table_flags
        times   511 dq 0

; PDPT: the first and the fourth GiB
        dq      low_directory + table_flags
        dq      0, 0
        dq      high_directory + table_flags
        times   508 dq 0

; Page directory of the first GiB
%assign index 0
%rep 512
  %assign address index * large_page
  %if address == layout_shim_code
        dq      layout_shim_code + code_flags
  %elif address == layout_shim_code_alias
        dd      layout_shim_code + data_flags_low, data_flags_high
  %elif address == layout_shim_data
        dd      layout_shim_data + data_flags_low, data_flags_high
  %else
        dq      0
  %endif
  %assign index index + 1
%endrep

; Page directory of the fourth GiB: the image at its end
%assign index 0
%rep 512
  %assign address 3 * entry_span_1g + index * large_page
  %if address >= 4 * entry_span_1g - layout_max_image_size
        dq      address + code_flags
  %else
        dq      0
  %endif
  %assign index index + 1
%endrep

; Parked processors: PML4, PDPT, page directory of the first GiB
        dq      parked_pdpt + table_flags
        times   511 dq 0
        dq      parked_directory + table_flags
        dq      0, 0
        dq      high_directory + table_flags
        times   508 dq 0
        dq      system_flags
        times   (mailbox_page / large_page - 1) dq 0
        dd      mailbox_page + data_flags_low, data_flags_high
        times   (511 - mailbox_page / large_page) dq 0
