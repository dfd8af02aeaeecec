; SPDX-License-Identifier: Apache-2.0
;
; From the first instruction to the shim's entry point in 64-bit mode.
;
; Two machines start at 0xFFFFFFF0: a TD in 32-bit flat protected mode [Intel TDX Module, TDH.VP.INIT] and
; a plain VM in 16-bit real mode. A TD may change only some bits of its control registers, so CR0 and CR4
; are read, extended and written back, and EFER, which a TD may not write at all, is written only where it
; lacks what a TD's has.

        default abs
        %include "layout.inc"
        org     layout_reset_vector

        %include "page_tables.asm"

; What ACPI's tables name, so that it stands in a fixed place.
%if $ - $$ != layout_wakeup_reset - layout_reset_vector
%error "the entry of processors that come back is not where layout::wakeup_reset says"
%endif
        bits    64
        db      0xF3, 0x0F, 0x1E, 0xFA          ; endbr64
        jmp     wakeup_reset

%define cr0_extend        0x80010002            ; PG, WP, MP
%define cr0_protected     0x00000001            ; PE
%define cr4_extend        0x00000620            ; OSXMMEXCPT, OSFXSR, PAE
%define msr_efer          0xC0000080
%define efer_extend       0x00000900            ; NXE, LME

%define flat_code_32      0x08
%define flat_code_64      0x10
%define flat_data         0x18

; Real-mode offset of a label: CS has the base 0xFFFF0000 at reset.
%define offset_of(label)  ((label) - $$ + (layout_reset_vector & 0xFFFF))

; ------------------------------------------------------------------------------------------------
; A plain VM. It has one processor running, without a TD HOB.
;   in:  16-bit real mode, CS base 0xFFFF0000
;   out: as a TD starts, in 32-bit flat protected mode: ECX TD HOB, ESI vCPU index, both 0
        bits    16
enter_real_mode:
        cli
        xor     ecx, ecx
        xor     esi, esi
        o32 lgdt [cs:offset_of(gdt_pointer)]
        mov     eax, cr0
        or      al, cr0_protected
        mov     cr0, eax
        jmp     dword flat_code_32:load_segments

; ------------------------------------------------------------------------------------------------
; A TD.
;   in:  32-bit flat protected mode, paging off, LME and NXE set; ECX GPA of the TD HOB, EBX GPA width,
;        ESI vCPU index
        bits    32
enter_protected_mode:
        cli
        lgdt    [gdt_pointer]
        jmp     flat_code_32:load_segments

; ------------------------------------------------------------------------------------------------
; Both.
;   in:  32-bit protected mode, GDT loaded; ECX, EBX, ESI as above
;   out: 64-bit mode, the page tables of page_tables.asm; EDI what ECX was
;   clobbers: EAX, ECX, EDX, EBP
load_segments:
        mov     eax, flat_data
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     edi, ecx

        mov     eax, cr4
        or      eax, cr4_extend
        mov     cr4, eax
        mov     eax, pml4
        mov     cr3, eax

        mov     ecx, msr_efer
        rdmsr
        mov     ebp, eax
        or      eax, efer_extend
        cmp     eax, ebp
        je      .efer_is_ready                  ; a TD
        wrmsr
.efer_is_ready:
        mov     eax, cr0
        or      eax, cr0_extend
        mov     cr0, eax
        jmp     flat_code_64:enter_long_mode

; ------------------------------------------------------------------------------------------------
; Copies the shim to where it runs and jumps to its entry point.
;   in:  64-bit mode; EDI GPA of the TD HOB, EBX GPA width, ESI vCPU index
;   out: R12 GPA of the TD HOB, RBX GPA width; everything else undefined, no stack
        bits    64
enter_long_mode:
        test    esi, esi
        jnz     enter_other_processor
        mov     r12d, edi
        cld
        mov     eax, layout_code_size_slot
        mov     ecx, [rax]
        mov     esi, layout_shim_rom
        mov     edi, layout_shim_code_alias
        rep movsb
        ; What the VMM put behind it is measured by nobody, and the payload's in the end.
        mov     ecx, layout_shim_code_alias + layout_shim_code_size
        sub     ecx, edi
        xor     eax, eax
        rep stosb
        mov     eax, layout_entry_slot
        mov     rax, [rax]
        jmp     rax

        %include "processors.asm"

; ------------------------------------------------------------------------------------------------
; Descriptors with their accessed bit set: the processor need not write it.
        align   8
gdt:    dq      0                               ; 00
        dq      0x00CF9B000000FFFF              ; 08 code, 32-bit, flat
        dq      0x00AF9B000000FFFF              ; 10 code, 64-bit
        dq      0x00CF93000000FFFF              ; 18 data, flat
gdt_end:

gdt_pointer:
        dw      gdt_end - gdt - 1
        dq      gdt                             ; 32-bit code takes the first half
idt_pointer:
        dw      0                               ; no IDT: any exception ends the TD
        dq      0

; ------------------------------------------------------------------------------------------------
; Zero up to the reset vector itself: shim-ld's room, layout::link_room_from_end.
%if $ - $$ > layout_reset_vector_size - layout_link_room_from_end
%error "the reset vector's code reaches into shim-ld's room"
%endif
        times   layout_reset_vector_size - 16 - ($ - $$) db 0

; The reset vector. The first three instructions are the same in 16-bit and in 32-bit code.
        bits    32
reset:  mov     eax, cr0
        test    al, cr0_protected
        jnz     short .protected
        bits    16
        jmp     near enter_real_mode
        bits    32
.protected:
        jmp     enter_protected_mode
        times   layout_reset_vector_size - ($ - $$) db 0
