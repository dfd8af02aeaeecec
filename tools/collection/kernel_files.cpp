// SPDX-License-Identifier: Apache-2.0
#include "tools/collection/kernel_files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "tools/common/descriptor.hpp"

namespace tdshim::tools {
namespace {

constexpr std::size_t piece = std::size_t{64} << 10;
constexpr std::size_t too_much = std::size_t{16} << 20;

Descriptor open(const std::string& file, int flags) {
    return Descriptor(::open(file.c_str(), flags | O_CLOEXEC));
}

} // namespace

std::expected<std::vector<std::byte>, int> read_kernel_file(const std::string& file) {
    const Descriptor descriptor = open(file, O_RDONLY);
    if (!descriptor.is_open())
        return std::unexpected(errno);
    std::vector<std::byte> bytes;
    for (;;) {
        const std::size_t at = bytes.size();
        bytes.resize(at + piece);
        const ssize_t count = ::read(descriptor.number(), bytes.data() + at, piece);
        bytes.resize(at + (count > 0 ? static_cast<std::size_t>(count) : 0));
        if (count < 0 && errno != EINTR)
            return std::unexpected(errno);
        if (count == 0)
            return bytes;
        if (bytes.size() > too_much)
            return std::unexpected(EFBIG);
    }
}

std::expected<std::string, int> read_kernel_line(const std::string& file) {
    return read_kernel_file(file).transform([](const std::vector<std::byte>& bytes) {
        std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return text.substr(0, text.find('\n'));
    });
}

std::expected<void, int> write_kernel_file(const std::string& file, Bytes bytes) {
    const Descriptor descriptor = open(file, O_WRONLY);
    if (!descriptor.is_open())
        return std::unexpected(errno);
    const ssize_t written = ::write(descriptor.number(), bytes.data(), bytes.size());
    if (written < 0)
        return std::unexpected(errno);
    if (static_cast<std::size_t>(written) != bytes.size())
        return std::unexpected(EIO);
    return {};
}

} // namespace tdshim::tools
