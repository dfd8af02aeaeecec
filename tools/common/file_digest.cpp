// SPDX-License-Identifier: Apache-2.0
#include "tools/common/file_digest.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <vector>

#include "tools/common/descriptor.hpp"
#include "tools/common/hash.hpp"
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
