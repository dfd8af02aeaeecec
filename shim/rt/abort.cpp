// SPDX-License-Identifier: Apache-2.0
//
// libc++ calls this for std::expected::value() on an error and the like. The shim does neither;
// should it happen all the same, the invalid-opcode exception prints where.
#include <__verbose_abort>

_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) {
    __builtin_trap();
}
_LIBCPP_END_NAMESPACE_STD
