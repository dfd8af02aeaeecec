; SPDX-License-Identifier: Apache-2.0
;
; The processors of a TD but the first: all of them start at the reset vector, at any time and in any order
; [Intel TDX Module, TDH.VP.INIT]. Each waits for the first one's word in the mailbox's upper half
; (shim/memory/layout.hpp), helps the shim when it is asked to, and then waits for the operating system in
; the multiprocessor wakeup mailbox [ACPI 6.5, 5.2.12.19]. Nothing here needs a stack, and nothing is trusted
; that the VMM could have written: the mailbox is not among the pages that the VMM adds, but accepted, and
; thereby zeroed, by whichever processor comes first. A page that the VMM added all the same would be in MRTD.

%define tdg_vp_vmcall             0
%define tdg_mem_page_accept       6
%define tdvmcall_cpuid            10
%define tdvmcall_r10_to_r15       0xFC00        ; the registers that the VMM may see and set
%define cpuid_extended_topology   0x0B          ; EDX: x2APIC ID

%define status_operand_busy       0x80000200    ; upper halves of RAX
%define status_already_accepted   0x00000B0A

%define mailbox_command           layout_mailbox        ; le16: 0 none, 1 wake up
%define mailbox_apic_id           (layout_mailbox + 4)
%define mailbox_wakeup_vector     (layout_mailbox + 8)
%define command_wakeup            1

%macro tdcall 0
        db      0x66, 0x0F, 0x01, 0xCC
%endmacro

; ------------------------------------------------------------------------------------------------
;   in:  64-bit mode, the page tables of page_tables.asm; ESI vCPU index
enter_other_processor:
        mov     eax, tdg_mem_page_accept
        mov     ecx, layout_mailbox             ; level 0: 4 KiB
        tdcall
        shr     rax, 32
        jz      wait_for_first
        cmp     eax, status_already_accepted
        je      wait_for_first
        cmp     eax, status_operand_busy
        je      enter_other_processor
.stop:  pause
        jmp     .stop

; ------------------------------------------------------------------------------------------------
;   in:  as above, the mailbox accepted
wait_for_first:
        pause
        mov     eax, [layout_mailbox_phase]
        cmp     eax, layout_phase_park
        je      park
        cmp     eax, layout_phase_work
        jne     wait_for_first
        ; The first processor leaves the shim only when nobody else is counted in it.
        lock inc dword [layout_mailbox_joined]
        cmp     dword [layout_mailbox_phase], layout_phase_work
        jne     leave_shim
        mov     edi, leave_shim
        mov     rax, [layout_mailbox_worker]
        jmp     rax                             ; in: ESI vCPU index, RDI where to return to; no stack

; ------------------------------------------------------------------------------------------------
; Where a processor comes back from the shim.
;   in:  64-bit mode, tables of the shim's that hold the image; ESI vCPU index
leave_shim:
        mov     eax, pml4
        mov     cr3, rax
        lgdt    [rel gdt_pointer]               ; above 2 GiB an absolute address would be sign-extended
        lidt    [rel idt_pointer]
        lock dec dword [layout_mailbox_joined]
.until_parked:
        pause
        cmp     dword [layout_mailbox_phase], layout_phase_park
        jne     .until_parked

; ------------------------------------------------------------------------------------------------
;   in:  as above; ESI vCPU index
;   out: at the wakeup vector: 64-bit mode, the tables for parked processors, interrupts disabled
park:
        mov     eax, parked_pml4
        mov     cr3, rax

        ; Only the VMM knows this processor's APIC ID. A wrong answer leaves a processor asleep or lets
        ; another one take its place; that two take the same command is ruled out below.
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
        jnz     .poll
        mov     ebp, r15d

.poll:  pause
        cmp     word [mailbox_command], command_wakeup
        jne     .poll
        cmp     [mailbox_apic_id], ebp
        jne     .poll
        mov     rbx, [mailbox_wakeup_vector]
        mov     eax, command_wakeup
        xor     ecx, ecx
        lock cmpxchg word [mailbox_command], cx ; the acknowledgement; one processor wins
        jne     .poll
        jmp     rbx
