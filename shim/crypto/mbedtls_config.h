/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of mbedTLS that tdshim uses, in firmware and tools alike. No platform, no heap, no files. */
#pragma once

#define MBEDTLS_SHA384_C
