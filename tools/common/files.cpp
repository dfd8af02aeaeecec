// SPDX-License-Identifier: Apache-2.0
#include "tools/common/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <format>
#include <iostream>
#include <optional>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "tools/common/descriptor.hpp"
#include "tools/common/inputs.hpp"
#include "tools/common/progress.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

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

bool write_all(int descriptor, Bytes bytes, const std::string& file) {
    constexpr std::size_t piece = std::size_t{1} << 22;
    Progress progress(file, "writing", bytes.size());
    const std::size_t size = bytes.size();
    while (!bytes.empty()) {
        progress.advance_to(size - bytes.size());
        const ssize_t written =
            ::write(descriptor, bytes.data(), std::min<std::size_t>(bytes.size(), piece));
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

/// Tag and what it holds, as far as it is in `bytes`; takes it from them. Nothing where DER goes
/// otherwise [X.690].
struct DerValue {
    unsigned char tag = 0;
    std::string_view content;
};
std::optional<DerValue> take_der(std::string_view& bytes) {
    if (bytes.size() < 2)
        return std::nullopt;
    const auto byte_at = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    const std::size_t first = byte_at(1);
    const std::size_t more = first < 0x80 ? 0 : first - 0x80;
    std::size_t length = more == 0 ? first : 0;
    if (more > 4 || bytes.size() < 2 + more)
        return std::nullopt;
    for (std::size_t i = 0; i < more; ++i)
        length = length << 8 | byte_at(2 + i);
    const DerValue value{.tag = byte_at(0), .content = bytes.substr(2 + more, length)};
    bytes.remove_prefix(std::min(bytes.size(), 2 + more + length));
    return value;
}

/// PKCS #8 and #12 and what came before them begin with their version, an encrypted PKCS #8 with
/// the algorithm and octets [RFC 5208, 5958, 7292, 8017, 5915]; no certificate and no public key
/// does.
bool is_private_key_in_der(std::string_view bytes) {
    constexpr unsigned char integer = 2;
    constexpr unsigned char octets = 4;
    constexpr unsigned char sequence = 0x30;
    const auto whole = take_der(bytes);
    if (!whole || whole->tag != sequence || !bytes.empty())
        return false;
    std::string_view inner = whole->content;
    const auto first = take_der(inner);
    if (first && first->tag == integer)
        return true;
    const auto second = take_der(inner);
    return first && second && first->tag == sequence && second->tag == octets;
}

/// Whether a private key stands at this place, in PEM [RFC 7468] or DER: no output is worth one.
bool holds_private_key(const std::string& file) {
    const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::array<char, 1 << 14> bytes{};
    const ssize_t count =
        input.is_open() ? ::read(input.number(), bytes.data(), bytes.size()) : ssize_t{-1};
    const std::string_view text(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    return (text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----")) ||
           is_private_key_in_der(text);
}

/// Whether the name is that of what stands at standard output, a device apart: /dev/stdout.
bool is_standard_output(const std::string& file) {
    struct stat named{};
    struct stat output{};
    return ::stat(file.c_str(), &named) == 0 && ::fstat(STDOUT_FILENO, &output) == 0 &&
           !S_ISCHR(output.st_mode) && named.st_dev == output.st_dev &&
           named.st_ino == output.st_ino;
}

/// Behind what was written there nothing else may come: what the command has to say goes to
/// standard error.
Outcome<> write_to_standard_output(const std::string& file, Bytes bytes) {
    std::cout.flush();
    if (!write_all(STDOUT_FILENO, bytes, file))
        return std::unexpected(system_failure(file, "cannot write", errno));
    std::cout.rdbuf(std::cerr.rdbuf());
    return {};
}

/// The file that an output of this name creates or replaces: of a link what it leads to, so that
/// the link stays. Nothing where a device or a FIFO is there, which root could replace by a file as
/// well.
Outcome<std::optional<std::string>> replaced_by(const std::string& file) {
    std::error_code error;
    const bool is_link = fs::is_symlink(fs::symlink_status(file, error));
    const fs::file_type type = fs::status(file, error).type();
    if (type == fs::file_type::block || type == fs::file_type::character ||
        type == fs::file_type::fifo)
        return std::nullopt;
    if (type == fs::file_type::directory)
        return std::unexpected(failure(file, "is a folder"));
    if (type == fs::file_type::socket)
        return std::unexpected(failure(file, "is a socket"));
    if (file == "-")
        return std::unexpected(
            failure(file, "is no file's name here; /dev/stdout is standard output, ./- a file"));
    if (is_input(file))
        return std::unexpected(
            failure(file, "is read by this command, which would destroy it: give another name"));
    if (type == fs::file_type::regular && holds_private_key(file))
        return std::unexpected(failure(
            file,
            "holds a private key, which this would destroy: give another name, or remove it"));
    if (is_link && type == fs::file_type::not_found)
        return std::unexpected(failure(file, "is a link that leads to nothing"));
    if (type == fs::file_type::regular || type == fs::file_type::not_found) {
        const std::string target = is_link ? fs::canonical(file, error).string() : file;
        if (!target.empty())
            return target;
    }
    return std::unexpected(system_failure(file, "cannot create", error.value()));
}

Outcome<> write_beside(const std::string& file, Bytes bytes) {
    std::string name = file + ".XXXXXX";
    Descriptor output(::mkostemp(name.data(), O_CLOEXEC));
    if (!output.is_open())
        return std::unexpected(system_failure(file, "cannot create", errno));
    TemporaryName temporary(name);
    if (!write_all(output.number(), bytes, file) ||
        ::fchmod(output.number(), default_mode()) != 0 || ::fsync(output.number()) != 0 ||
        !output.close_now())
        return std::unexpected(system_failure(file, "cannot write", errno));
    if (!temporary.rename_to(file))
        return std::unexpected(system_failure(file, "cannot rename the finished file", errno));
    return {};
}

Outcome<> write_in_place(const std::string& file, Bytes bytes) {
    Descriptor output(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!output.is_open())
        return std::unexpected(system_failure(file, "cannot open", errno));
    const auto is_flushed = [&] { // EINVAL: it has nothing to flush
        return ::fsync(output.number()) == 0 || errno == EINVAL;
    };
    if (!write_all(output.number(), bytes, file) || !is_flushed() || !output.close_now())
        return std::unexpected(system_failure(file, "cannot write", errno));
    return {};
}

} // namespace

Outcome<std::vector<std::byte>> read_file(const std::string& file, std::uint64_t most) {
    const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!input.is_open())
        return std::unexpected(system_failure(file, "cannot open", errno));
    note_input(input.number());
    struct stat status{};
    const bool has_size = ::fstat(input.number(), &status) == 0 && S_ISREG(status.st_mode);
    const auto size = has_size ? static_cast<std::uint64_t>(status.st_size) : 0;
    if (!has_size)
        most = std::min(most, max_stream_size);
    const auto too_large = [&] {
        return std::unexpected(failure(
            file, std::format("larger than {} MiB, {}", most >> 20,
                              has_size ? "which no such input is" : "and no file but a stream")));
    };
    if (size > most)
        return too_large();
    std::vector<std::byte> bytes;
    bytes.reserve(size); // not twice as much at the end
    Progress progress(file, "reading", size);
    std::vector<std::byte> piece(std::size_t{1} << 16);
    while (const std::size_t count = TRY(read_piece(file, input, piece))) {
        if (count > most - bytes.size())
            return too_large();
        bytes.append_range(Bytes(piece).first(count));
        progress.advance_to(bytes.size());
    }
    return bytes;
}

Outcome<> write_file(const std::string& file, Bytes bytes) {
    if (is_standard_output(file))
        return write_to_standard_output(file, bytes);
    const auto replaced = TRY(replaced_by(file));
    return replaced ? write_beside(*replaced, bytes) : write_in_place(file, bytes);
}

Outcome<> check_output(const std::string& file) {
    TRY(replaced_by(file));
    return {};
}

Outcome<> check_outputs(const std::vector<std::string>& files) {
    std::set<fs::path> seen;
    for (const std::string& file : files) {
        std::error_code error;
        if (file.empty() || fs::is_character_file(file, error))
            continue;
        if (!seen.insert(fs::weakly_canonical(file, error)).second)
            return std::unexpected(failure(file, "is the name of two outputs: give another"));
    }
    return {};
}

Outcome<> make_file(const std::string& file) {
    const auto replaced = TRY(replaced_by(file));
    if (replaced)
        return write_beside(*replaced, {});
    return ::access(file.c_str(), W_OK) == 0
               ? Outcome<>{}
               : std::unexpected(system_failure(file, "cannot open", errno));
}

} // namespace tdshim::tools
