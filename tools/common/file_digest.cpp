// SPDX-License-Identifier: Apache-2.0
#include "tools/common/file_digest.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <vector>

#include "tools/common/descriptor.hpp"
#include "tools/common/inputs.hpp"
#include "tools/common/progress.hpp"

namespace tdshim::tools {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 20;

/// 0 for what has no size, such as a pipe.
std::uint64_t size_of(int descriptor) {
    struct stat status{};
    return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)
               ? static_cast<std::uint64_t>(status.st_size)
               : 0;
}

/// SHA-384 by OpenSSL's libcrypto. A failure of it is kept, and told at the end.
class Hash {
  public:
    Hash() : is_good_(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha384(), nullptr) == 1) {}

    void add(Bytes bytes) {
        is_good_ = is_good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
        size_ += bytes.size();
    }
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] Outcome<measure::FileDigest> finish(const std::string& file) {
        measure::FileDigest result{.digest = {}, .size = size_};
        unsigned written = 0;
        if (!is_good_ ||
            EVP_DigestFinal_ex(context_.get(),
                               reinterpret_cast<unsigned char*>(result.digest.data()),
                               &written) != 1 ||
            written != result.digest.size())
            return std::unexpected(failure(file, "libcrypto cannot hash it"));
        return result;
    }

  private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(),
                                                                     &EVP_MD_CTX_free};
    std::uint64_t size_ = 0;
    bool is_good_;
};

} // namespace

Outcome<measure::FileDigest> digest_of_file(const std::string& file) {
    const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!input.is_open())
        return std::unexpected(system_failure(file, "cannot open", errno));
    note_input(input.number());
    static_cast<void>(::posix_fadvise(input.number(), 0, 0, POSIX_FADV_SEQUENTIAL));
    Progress progress(file, "hashing", size_of(input.number()));
    std::vector<std::byte> piece(piece_size);
    Hash hash;
    while (const std::size_t count = TRY(read_piece(file, input, piece))) {
        hash.add(Bytes(piece).first(count));
        progress.advance_to(hash.size());
    }
    return hash.finish(file);
}

Outcome<measure::FileDigest> digest_of_contents(const std::string& file, Bytes contents) {
    Progress progress(file, "hashing", contents.size());
    Hash hash;
    while (hash.size() < contents.size()) {
        const Bytes rest = contents.subspan(hash.size());
        hash.add(rest.first(std::min(rest.size(), piece_size)));
        progress.advance_to(hash.size());
    }
    return hash.finish(file);
}

} // namespace tdshim::tools
