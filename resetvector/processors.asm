; SPDX-License-Identifier: Apache-2.0
;
; The processors of a TD but the first: all of them start at the reset vector, at any time and in any order
; [Intel TDX Module, TDH.VP.INIT]. Each waits for the first one's word in the mailbox's upper half
; (shim/memory/layout.hpp), helps the shim when it is asked to, and then waits for the operating system in
; the multiprocessor wakeup mailbox [ACPI 6.6, 5.2.12.19], to which that may send it back. Nothing here needs
; a stack.
;
; SECURITY. The VMM decides when each of them runs, may stop it between any two instructions, and may take
; any page away and put a new one there, which reads as zero once somebody accepts it. So nobody here
; accepts anything. The mailbox is a page that the VMM adds before launch and extends into MRTD as zero:
; when it is taken away the next look at it ends the TD. tests/model/processors.pml has these steps and all
; of the VMM's, and is searched in full.

%define tdg_vp_vmcall             0
%define tdg_vp_info               1             ; R9: vCPU index
%define tdvmcall_cpuid            10
%define tdvmcall_r10_to_r15       0xFC00        ; the registers that the VMM may see and set
%define cpuid_extended_topology   0x0B          ; EDX: x2APIC ID

%define mailbox_command           layout_mailbox        ; le16: 0 none, 1 wake up, 2 test; at 4, le32: for which APIC ID
%define mailbox_wakeup_vector     (layout_mailbox + 8)
%define command_wakeup            1
%define command_test              2

%define cr0_paging                0x80000000
%define cr4_of_a_td               0x00003060    ; LA57, VMXE, MCE, PAE: what can stay, or cannot change here
%define cr4_la57                  0x00001000

%macro tdcall 0
        db      0x66, 0x0F, 0x01, 0xCC
%endmacro

; ------------------------------------------------------------------------------------------------
;   in:  64-bit mode, the page tables of page_tables.asm; ESI vCPU index
enter_other_processor:
        xor     ebx, ebx                        ; the phase of work in which it was last
wait_for_first:
        pause
        mov     eax, [layout_mailbox_state]
        cmp     al, layout_phase_park
        je      park
        cmp     al, bl                          ; phases of work have growing numbers; 0 is that of waiting
        jbe     wait_for_first
        ; Counted in while the phase is still that of work, in one step: the first processor ends the
        ; phase and then leaves the shim only when nobody is counted in.
        lea     edx, [eax + layout_joined_one]
        lock cmpxchg [layout_mailbox_state], edx
        jne     wait_for_first
        movzx   ebx, al
        mov     edi, leave_shim
        mov     rax, [layout_mailbox_worker]
        jmp     rax                             ; in: ESI vCPU index, RDI where to return to; no stack

; ------------------------------------------------------------------------------------------------
; Where a processor comes back from the shim.
;   in:  64-bit mode, tables of the shim's that hold the image; ESI vCPU index, BL phase
leave_shim:
        mov     eax, pml4
        mov     cr3, rax
        lgdt    [rel gdt_pointer]               ; above 2 GiB an absolute address would be sign-extended
        lidt    [rel idt_pointer]
        ; From here on it touches nothing of the shim's.
        lock sub dword [layout_mailbox_state], layout_joined_one
        jmp     wait_for_first

; ------------------------------------------------------------------------------------------------
;   in:  as above; ESI vCPU index
;   out: at the wakeup vector: 64-bit mode, the tables for parked processors, interrupts disabled
park:
        mov     eax, parked_pml4
        mov     cr3, rax

        ; Who was told its APIC ID keeps it: a processor that comes back is the one that went.
        mov     esi, esi
        cmp     esi, layout_max_claims
        jae     never_woken
        movzx   ebp, word [layout_mailbox_claims + rsi * 2]
        test    ebp, ebp
        jnz     .has_claim

        ; Only the VMM knows this processor's APIC ID. A wrong answer leaves a processor asleep or lets
        ; another one take its place, for good.
        mov     ebp, esi
        mov     eax, tdg_vp_vmcall
        mov     ecx, tdvmcall_r10_to_r15
        xor     r10d, r10d
        mov     r11d, tdvmcall_cpuid
        mov     r12d, cpuid_extended_topology
        xor     r13d, r13d
        xor     r14d, r14d
        xor     r15d, r15d
        tdcall
        or      rax, r10
        jnz     .claim
        mov     ebp, r15d

        ; No two have the same: else one could answer to the operating system for the other, which is
        ; still about to leave it.
.claim: cmp     ebp, layout_max_apic_id
        ja      never_woken
        inc     ebp
.wait_for_lock:
        pause
        lock bts dword [layout_mailbox_claims_lock], 0
        jc      .wait_for_lock
        xor     ecx, ecx
.look:  cmp     [layout_mailbox_claims + rcx * 2], bp
        je      .is_taken
        inc     ecx
        cmp     ecx, layout_max_claims
        jb      .look
        mov     [layout_mailbox_claims + rsi * 2], bp
        mov     dword [layout_mailbox_claims_lock], 0
.has_claim:
        dec     ebp

.poll:  pause
        mov     rax, [mailbox_command]          ; and the APIC ID in the upper half
        mov     rdx, [mailbox_wakeup_vector]
        movzx   edi, ax
        cmp     edi, command_wakeup
        je      .is_it_ours
        cmp     edi, command_test
        jne     .poll
.is_it_ours:
        mov     rcx, rax
        shr     rcx, 32
        cmp     ecx, ebp
        jne     .poll
        ; The acknowledgement, of this very command for this very processor with this vector: nobody else
        ; can have taken it, and who wrote it cannot have withdrawn it or put another in its place.
        mov     rbx, rax
        sub     rbx, rdi
        mov     rcx, rdx
        lock cmpxchg16b [mailbox_command]
        jne     .poll
        cmp     edi, command_wakeup
        jne     .poll                           ; the test is whether anybody is here to acknowledge it
        jmp     rcx

.is_taken:
        mov     dword [layout_mailbox_claims_lock], 0
never_woken:
        pause
        jmp     never_woken

; ------------------------------------------------------------------------------------------------
; Where the operating system sends a processor that it needs no more: ResetVector of the wakeup structure.
; What it switched on is switched off again, by way of 32-bit code without paging, for 5-level paging can be
; left in no other way.
;   in:  64-bit mode; the operating system's tables, which map this code to itself; interrupts disabled
;   out: as from the shim
wakeup_reset:
        cli
        lgdt    [rel gdt_pointer]
        lidt    [rel idt_pointer]
        mov     rax, cr4
        and     eax, cr4_of_a_td
        mov     cr4, rax
        jmp     far dword [rel .to_32_bits]
        align   4
.to_32_bits:
        dd      .without_paging
        dw      flat_code_32
        bits    32
.without_paging:
        mov     eax, flat_data
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     eax, cr0
        and     eax, ~cr0_paging
        mov     cr0, eax
        mov     eax, cr4
        and     eax, ~cr4_la57
        or      eax, cr4_extend
        mov     cr4, eax
        mov     eax, parked_pml4
        mov     cr3, eax
        mov     eax, cr0
        or      eax, cr0_extend
        mov     cr0, eax
        jmp     flat_code_64:.returned
        bits    64
.returned:
        mov     eax, tdg_vp_info
        tdcall
        mov     esi, r9d
        jmp     park
