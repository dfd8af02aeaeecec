// SPDX-License-Identifier: Apache-2.0
#include "tools/common/file_digest.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "tools/common/descriptor.hpp"
#include "tools/common/inputs.hpp"

namespace tdshim::tools {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 20;

/// A line on stderr that is written over itself, and gone at the end.
class Progress {
  public:
    Progress(std::string file, std::uint64_t total)
        : file_(std::move(file)), total_(total),
          is_shown_(total >= progress_size && ::isatty(STDERR_FILENO) == 1) {}
    ~Progress() {
        if (is_shown_)
            std::fputs("\r\x1b[K", stderr);
    }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance_to(std::uint64_t bytes) {
        if (!is_shown_)
            return;
        const auto percent = static_cast<unsigned>(100 * bytes / total_);
        if (percent == percent_)
            return;
        percent_ = percent;
        std::fprintf(stderr, "\r\x1b[K%s: %u%%", file_.c_str(), percent);
    }

  private:
    std::string file_;
    std::uint64_t total_;
    bool is_shown_;
    unsigned percent_ = 101;
};

/// 0 for what has no size, such as a pipe.
std::uint64_t size_of(int descriptor) {
    struct stat status{};
    return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)
               ? static_cast<std::uint64_t>(status.st_size)
               : 0;
}

} // namespace

Outcome<measure::FileDigest> digest_of_file(const std::string& file) {
    const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!input.is_open())
        return std::unexpected(system_failure(file, "cannot open", errno));
    note_input(input.number());
    static_cast<void>(::posix_fadvise(input.number(), 0, 0, POSIX_FADV_SEQUENTIAL));
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(),
                                                                       &EVP_MD_CTX_free);
    if (!hash || EVP_DigestInit_ex(hash.get(), EVP_sha384(), nullptr) != 1)
        return std::unexpected(failure(file, "libcrypto has no SHA-384"));
    Progress progress(file, size_of(input.number()));
    std::vector<std::byte> piece(piece_size);
    measure::FileDigest result;
    while (const std::size_t count = TRY(read_piece(file, input, piece))) {
        if (EVP_DigestUpdate(hash.get(), piece.data(), count) != 1)
            return std::unexpected(failure(file, "libcrypto cannot hash it"));
        result.size += count;
        progress.advance_to(result.size);
    }
    unsigned written = 0;
    if (EVP_DigestFinal_ex(hash.get(), reinterpret_cast<unsigned char*>(result.digest.data()),
                           &written) != 1 ||
        written != result.digest.size())
        return std::unexpected(failure(file, "libcrypto cannot hash it"));
    return result;
}

} // namespace tdshim::tools
