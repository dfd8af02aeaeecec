/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that libc++'s headers want to see; nothing of this exists in the firmware. */
#pragma once

typedef long time_t;
