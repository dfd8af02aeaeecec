// SPDX-License-Identifier: Apache-2.0
//
// The other processors of a TD. They wait in the reset vector (resetvector/processors.asm) for a
// word in the mailbox; some never arrive, which is the VMM's affair: nothing waits for a processor
// that did not come.
#pragma once

namespace tdshim::td {

/// Calls `work` on this processor and on those that join it, all with one memory and each on a
/// stack of its own; returns when every call has returned.
void run_on_all_processors(void (*work)());

/// Sends the others to wait for the operating system in the mailbox; afterwards nothing of theirs
/// is in the shim's memory.
void park_processors();

} // namespace tdshim::td
