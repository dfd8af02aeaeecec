/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that libc++'s headers want to see; nothing of this exists in the firmware. */
#pragma once

#define __need_size_t
#include <stddef.h>

typedef struct tdshim_no_file FILE;
typedef long fpos_t;
#define EOF (-1)

#ifdef __cplusplus
extern "C" {
#endif
int remove(const char*);
int rename(const char*, const char*);
int snprintf(char*, size_t, const char*, ...);
int vsnprintf(char*, size_t, const char*, __builtin_va_list);
#ifdef __cplusplus
}
#endif
