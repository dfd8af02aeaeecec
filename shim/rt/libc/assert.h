/* SPDX-License-Identifier: Apache-2.0
 *
 * mbedTLS includes it for its own test builds. */
#pragma once

#define assert(condition) ((void)0)
