/* SPDX-License-Identifier: Apache-2.0
 *
 * Types that libc++'s character traits name. */
#pragma once

#define __need_size_t
#include <stddef.h>

typedef struct {
    unsigned state;
} mbstate_t;
typedef unsigned int wint_t;
#define WEOF (0xffffffffu)
