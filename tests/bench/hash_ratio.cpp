// SPDX-License-Identifier: Apache-2.0
//
// usage: hash-ratio scalar|avx2
//
// How fast the shim's SHA-384 is beside libcrypto's in one process: prints the median of the ratios
// of pairs that take turns. Which path libcrypto takes is for OPENSSL_ia32cap to say.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <openssl/evp.h>
#include <string_view>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "shim/crypto/sha512.hpp"

namespace {

using namespace tdshim;

constexpr std::size_t pairs = 31;
constexpr std::size_t bytes_hashed = std::size_t{32} << 20;

template <class Hash>
double seconds_of(const Hash& hash) {
    const auto begin = std::chrono::steady_clock::now();
    hash();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view path = argc == 2 ? argv[1] : "";
    if (path != "scalar" && path != "avx2") {
        std::fputs("usage: hash-ratio scalar|avx2\n", stderr);
        return 2;
    }
    if (path == "avx2")
        crypto::use_vectors({.begin = [] { return true; }, .end = [] {}});
    std::vector<std::byte> bytes(bytes_hashed);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = std::byte(static_cast<unsigned char>(i * 167 >> 3));
    crypto::Digest ours{};
    crypto::Digest theirs{};
    const auto by_us = [&] { ours = crypto::sha384(bytes); };
    const auto by_libcrypto = [&] {
        unsigned size = 0;
        EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(theirs.data()),
                   &size, EVP_sha384(), nullptr);
    };
    std::vector<double> ratios;
    for (std::size_t i = 0; i < pairs; ++i) {
        const double theirs_took = seconds_of(by_libcrypto);
        ratios.push_back(theirs_took / seconds_of(by_us));
    }
    if (ours != theirs) {
        std::fputs("hash-ratio: the digests differ\n", stderr);
        return 1;
    }
    std::ranges::nth_element(ratios, ratios.begin() + pairs / 2);
    std::printf("%.3f\n", ratios[pairs / 2]);
    return 0;
}
