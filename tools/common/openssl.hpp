// SPDX-License-Identifier: Apache-2.0
//
// Objects of OpenSSL's libcrypto that free themselves.
#pragma once

#include <memory>
#include <span>

#include "shim/base/bytes.hpp"

namespace tdshim::tools::openssl {

template <auto Function>
struct Free {
    template <class T>
    void operator()(T* value) const {
        Function(value);
    }
};

/// Handle<X509, &X509_free>
template <class T, auto Function>
using Handle = std::unique_ptr<T, Free<Function>>;

[[nodiscard]] inline unsigned char* characters(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}
[[nodiscard]] inline const unsigned char* characters(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

} // namespace tdshim::tools::openssl
