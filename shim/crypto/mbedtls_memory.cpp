// SPDX-License-Identifier: Apache-2.0
//
// mbedTLS's way to its allocator, in place of its own platform.c: that one has initialised
// variables, and the image carries none. Without an allocator there is no memory.
#include <cstddef>

#include "mbedtls/platform.h"

namespace {
void* (*allocate)(std::size_t, std::size_t);
void (*release)(void*);
} // namespace

extern "C" {

int mbedtls_platform_set_calloc_free(void* (*calloc_function)(std::size_t, std::size_t),
                                     void (*free_function)(void*)) {
    allocate = calloc_function;
    release = free_function;
    return 0;
}

void* mbedtls_calloc(std::size_t count, std::size_t size) {
    return allocate == nullptr ? nullptr : allocate(count, size);
}

void mbedtls_free(void* memory) {
    if (release != nullptr)
        release(memory);
}

} // extern "C"
