// SPDX-License-Identifier: Apache-2.0
#include "tools/common/hash.hpp"

#include <openssl/evp.h>

namespace tdshim::tools {

Hash::Hash()
    : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free),
      is_good_(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha384(), nullptr) == 1) {}

void Hash::add(Bytes bytes) {
    is_good_ = is_good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
    size_ += bytes.size();
}

Outcome<measure::FileDigest> Hash::finish(const std::string& file) {
    measure::FileDigest result{.digest = {}, .size = size_};
    unsigned written = 0;
    if (!is_good_ ||
        EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(result.digest.data()),
                           &written) != 1 ||
        written != result.digest.size())
        return std::unexpected(failure(file, "libcrypto cannot hash it"));
    return result;
}

} // namespace tdshim::tools
