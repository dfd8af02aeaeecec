// SPDX-License-Identifier: Apache-2.0
#include "tools/common/base64.hpp"

#include <openssl/evp.h>

#include "tools/common/openssl.hpp"

namespace tdshim::tools {
namespace {

constexpr std::size_t group = 4;
constexpr std::size_t bytes_of_group = 3;

} // namespace

std::string base64(Bytes bytes) {
    const std::size_t size = (bytes.size() + bytes_of_group - 1) / bytes_of_group * group;
    std::string text(size + 1, '\0'); // EVP_EncodeBlock ends what it writes with a NUL
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), openssl::characters(bytes),
                    static_cast<int>(bytes.size()));
    text.resize(size);
    return text;
}

std::optional<std::vector<std::byte>> bytes_of_base64(std::string_view text) {
    if (text.size() % group != 0)
        return std::nullopt;
    std::vector<std::byte> bytes(text.size() / group * bytes_of_group);
    const int written = EVP_DecodeBlock(openssl::characters(MutableBytes(bytes)),
                                        reinterpret_cast<const unsigned char*>(text.data()),
                                        static_cast<int>(text.size()));
    const std::size_t padding = text.size() - (text.find_last_not_of('=') + 1);
    if (written < 0 || static_cast<std::size_t>(written) != bytes.size() ||
        padding >= bytes_of_group || padding > bytes.size())
        return std::nullopt;
    bytes.resize(bytes.size() - padding);
    return bytes;
}

} // namespace tdshim::tools
