/* SPDX-License-Identifier: Apache-2.0
 *
 * mbedTLS includes it and uses nothing of it. */
#pragma once

#define __need_size_t
#include <stddef.h>
