// SPDX-License-Identifier: Apache-2.0
#include "tools/common/files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "tools/common/descriptor.hpp"

namespace tdshim::tools {
namespace {

/// A temporary file that is gone again unless it was kept.
class TemporaryName {
  public:
    explicit TemporaryName(std::string name) : name_(std::move(name)) {}
    ~TemporaryName() {
        if (!name_.empty())
            ::unlink(name_.c_str());
    }
    TemporaryName(const TemporaryName&) = delete;
    TemporaryName& operator=(const TemporaryName&) = delete;

    [[nodiscard]] bool rename_to(const std::string& file) {
        if (::rename(name_.c_str(), file.c_str()) != 0)
            return false;
        name_.clear();
        return true;
    }

  private:
    std::string name_;
};

bool write_all(int descriptor, Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

/// The mode that a file gets which is simply created; mkstemp is stricter.
mode_t default_mode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

} // namespace

Outcome<std::vector<std::byte>> read_file(const std::string& file) {
    const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!input.is_open())
        return std::unexpected(system_failure(file, "cannot open", errno));
    std::vector<std::byte> bytes;
    std::vector<std::byte> piece(std::size_t{1} << 16);
    while (const std::size_t count = TRY(read_piece(file, input, piece))) {
        if (count > max_file_size - bytes.size())
            return std::unexpected(failure(file, "larger than 1 GiB"));
        bytes.append_range(Bytes(piece).first(count));
    }
    return bytes;
}

Outcome<> write_file(const std::string& file, Bytes bytes) {
    std::string name = file + ".XXXXXX";
    Descriptor output(::mkostemp(name.data(), O_CLOEXEC));
    if (!output.is_open())
        return std::unexpected(system_failure(file, "cannot create", errno));
    TemporaryName temporary(name);
    if (!write_all(output.number(), bytes) || ::fchmod(output.number(), default_mode()) != 0 ||
        ::fsync(output.number()) != 0 || !output.close_now())
        return std::unexpected(system_failure(file, "cannot write", errno));
    if (!temporary.rename_to(file))
        return std::unexpected(system_failure(file, "cannot rename the finished file", errno));
    return {};
}

} // namespace tdshim::tools
