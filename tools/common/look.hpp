// SPDX-License-Identifier: Apache-2.0
//
// What a file is that was given in another one's place: an initrd as the kernel, a kernel as the
// firmware. For messages only; nothing is decided by it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "shim/base/bytes.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// What look_of() says of the files of openssl and ssh.
inline constexpr std::string_view look_of_pem = "a key or certificate in PEM";

/// "a Linux kernel", "an initrd or another archive", ... by what the file begins like; empty where
/// that says nothing.
[[nodiscard]] std::string_view look_of(Bytes bytes);

/// failure(), and where the error is that `bytes` are of another kind, what they look like.
[[nodiscard]] Failure failure(std::string_view file, Bytes bytes, const Error& error);

/// What was made of `bytes`, the contents of `file`: the value, or its error by that failure().
template <class T>
[[nodiscard]] Outcome<T> of_file(std::string_view file, Bytes bytes, Result<T> result) {
    return std::move(result).transform_error(
        [&](const Error& error) { return failure(file, bytes, error); });
}

} // namespace tdshim::tools
