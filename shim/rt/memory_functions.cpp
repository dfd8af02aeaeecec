// SPDX-License-Identifier: Apache-2.0
//
// The C library functions that clang may call in freestanding code [C23 7.26]. no_builtin keeps the
// compiler from turning a body into a call to itself.
#include <cstddef>
#include <cstdint>

namespace {

// String instructions by eight bytes, then the rest: an emulator counts every repetition.
constexpr std::size_t unit = 8;

} // namespace

extern "C" {

void* memcpy(void* destination, const void* source, std::size_t count) {
    void* const start = destination;
    std::size_t units = count / unit;
    std::size_t rest = count % unit;
    asm volatile("rep movsq" : "+D"(destination), "+S"(source), "+c"(units) : : "memory");
    asm volatile("rep movsb" : "+D"(destination), "+S"(source), "+c"(rest) : : "memory");
    return start;
}

void* memmove(void* destination, const void* source, std::size_t count) {
    const auto to = reinterpret_cast<std::uintptr_t>(destination);
    const auto from = reinterpret_cast<std::uintptr_t>(source);
    if (to - from >= count) // unsigned: also when `to` lies below `from`
        return memcpy(destination, source, count);
    // Overlap from above: backwards, from the last byte.
    void* last_to = static_cast<char*>(destination) + count - 1;
    const void* last_from = static_cast<const char*>(source) + count - 1;
    asm volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(count) : : "memory");
    return destination;
}

void* memset(void* destination, int value, std::size_t count) {
    void* const start = destination;
    const std::uint64_t pattern = 0x0101010101010101 * static_cast<unsigned char>(value);
    std::size_t units = count / unit;
    std::size_t rest = count % unit;
    asm volatile("rep stosq" : "+D"(destination), "+c"(units) : "a"(pattern) : "memory");
    asm volatile("rep stosb" : "+D"(destination), "+c"(rest) : "a"(pattern) : "memory");
    return start;
}

[[clang::no_builtin]] int memcmp(const void* left, const void* right, std::size_t count) {
    const auto* a = static_cast<const unsigned char*>(left);
    const auto* b = static_cast<const unsigned char*>(right);
    for (std::size_t i = 0; i < count; ++i)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

[[clang::no_builtin]] void* memchr(const void* bytes, int value, std::size_t count) {
    const auto* p = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < count; ++i)
        if (p[i] == static_cast<unsigned char>(value))
            return const_cast<unsigned char*>(p + i);
    return nullptr;
}

[[clang::no_builtin]] std::size_t strlen(const char* text) {
    std::size_t length = 0;
    while (text[length] != '\0')
        ++length;
    return length;
}

} // extern "C"
