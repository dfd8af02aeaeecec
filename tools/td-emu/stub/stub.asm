; SPDX-License-Identifier: Apache-2.0
;
; Brings every processor of a stock QEMU into the state in which a TD's begin [Intel TDX Module, TDH.VP.INIT],
; and sends it to the reset vector. The first processor is sent here by the plugin before its first
; instruction, the others by the first one's INIT-SIPI-SIPI. The page is zero again before the TD uses it: the
; plugin clears it when the last processor has left.

        default abs
        org     0x8000                          ; SIPI vector 8

%define cr0_protected     0x00000001            ; PE
%define cr0_of_td         0x00000021            ; PE, NE; ET is fixed
%define cr4_of_td         0x00000040            ; MCE
%define efer_of_td        0x00000901            ; NXE, LME, SCE
%define msr_efer          0xC0000080
%define msr_apic_base     0x1B
%define apic_base_bsp     0x100
%define apic_enable_x2    0xC00                 ; EN, EXTD
%define x2apic_icr        0x830
%define init_all_others   0x000C4500
%define sipi_all_others   0x000C4608            ; to page 8
%define extended_topology 0x0B
%define reset_vector      0xFFFFFFF0

        bits    16
start:  cli
        jmp     0:real_mode
real_mode:
        xor     eax, eax
        mov     ds, ax
        o32 lgdt [gdt_pointer]
        mov     eax, cr0_protected
        mov     cr0, eax
        jmp     dword 8:protected

        bits    32
protected:
        mov     eax, 16
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        mov     ss, eax

        mov     ecx, msr_apic_base
        rdmsr
        or      eax, apic_enable_x2
        wrmsr
        test    eax, apic_base_bsp
        jz      .arrived
        cmp     dword [processors], 1
        je      .arrived
        mov     ecx, x2apic_icr
        xor     edx, edx
        mov     eax, init_all_others
        wrmsr
        mov     eax, sipi_all_others
        wrmsr
.arrived:
        lock inc dword [arrived]
.all:   pause
        mov     eax, [arrived]
        cmp     eax, [processors]
        jb      .all

        mov     ecx, msr_efer
        xor     edx, edx
        mov     eax, efer_of_td
        wrmsr
        mov     eax, cr4_of_td
        mov     cr4, eax
        mov     eax, cr0_of_td
        mov     cr0, eax
        mov     eax, extended_topology
        xor     ecx, ecx
        cpuid
        mov     esi, edx                        ; x2APIC ID, for which the plugin puts the vCPU's index
        mov     eax, 1
        cpuid
        mov     edx, eax                        ; family, model, stepping
        mov     ebx, [gpa_width]
        mov     ecx, [td_hob]
        lidt    [idt_pointer]
        xor     eax, eax
        xor     edi, edi
        xor     ebp, ebp
        xor     esp, esp
        jmp     8:reset_vector

        align   8
gdt:    dq      0
        dq      0x00CF9B000000FFFF              ; code, flat
        dq      0x00CF93000000FFFF              ; data, flat
gdt_pointer:
        dw      $ - gdt - 1
        dd      gdt
idt_pointer:
        dw      0
        dd      0

; What td-emu writes, and the processors count.
        times   0x3F0 - ($ - $$) db 0
processors:
        dd      1
gpa_width:
        dd      0
td_hob: dd      0
arrived:
        dd      0
