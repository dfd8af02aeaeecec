// SPDX-License-Identifier: Apache-2.0
//
// The other processors of a TD. They wait in the reset vector (resetvector/processors.asm) for a
// word in the mailbox; some never arrive, which is the VMM's affair: nothing waits for a processor
// that did not come.
#pragma once

namespace tdshim::td {

/// Asks the VMM for this processor's APIC ID and writes it down in the mailbox, before the others,
/// which wait, can ask for theirs: the operating system may send this one to wait with them, and
/// until it has come nobody may answer for it. As in the reset vector, a processor that is told
/// nothing has its index, 0 here, and an ID for which there is no room is nobody's.
void claim_apic_id();

/// Calls `work` on this processor and on those that join it, all with one memory and each on a
/// stack of its own; returns when every call has returned. May be called again; from the 255th time
/// on no other processor joins.
void run_on_all_processors(void (*work)());

/// Sends the others to wait for the operating system in the mailbox; afterwards nothing of theirs
/// is in the shim's memory.
void park_processors();

} // namespace tdshim::td
