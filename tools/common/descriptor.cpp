// SPDX-License-Identifier: Apache-2.0
#include "tools/common/descriptor.hpp"

#include <cerrno>

namespace tdshim::tools {

Outcome<std::size_t> read_piece(const std::string& file, const Descriptor& input,
                                MutableBytes piece) {
    while (true) {
        const ssize_t count = ::read(input.number(), piece.data(), piece.size());
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno != EINTR)
            return std::unexpected(system_failure(file, "cannot read", errno));
    }
}

} // namespace tdshim::tools
