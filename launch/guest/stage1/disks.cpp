// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/disks.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <set>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>
#include <vector>

#include "launch/guest/stage1/files.hpp"

namespace tdshim::stage1 {
namespace {

constexpr const char* block_devices = "/sys/class/block";
constexpr const char* mapped_name = "root";
constexpr unsigned tries_in_second = 20;

/// As sysfs names them, partitions as well: sorted, so that the order of tries is no disk's.
std::vector<std::string> device_names() {
    std::vector<std::string> names = names_in(block_devices);
    std::erase_if(names, [](const std::string& name) { return name.starts_with("dm-"); });
    return names;
}

bool is_large_enough(const std::string& path, const guest::Verity& verity) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    std::uint64_t size = 0;
    const bool is_known = ::ioctl(descriptor, BLKGETSIZE64, &size) == 0;
    ::close(descriptor);
    const std::uint64_t blocks = verity.data_blocks + guest::tree_blocks(verity.data_blocks);
    return is_known && size / guest::Verity::block_size >= blocks;
}

/// Whether blocks of the mapped device are what the root hash says: all, or the first and the last,
/// and with them a path through the tree from the root hash down.
bool is_readable(const std::string& path, const guest::Root& root) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    std::vector<char> block(guest::Verity::block_size);
    const auto reads = [&](std::uint64_t number) {
        return ::pread(descriptor, block.data(), block.size(),
                       static_cast<off_t>(number * block.size())) ==
               static_cast<ssize_t>(block.size());
    };
    const std::uint64_t last = root.verity.data_blocks - 1;
    bool is_good = reads(0) && reads(last);
    for (std::uint64_t number = 1; is_good && root.checks_all && number < last; ++number)
        is_good = reads(number);
    ::close(descriptor);
    return is_good;
}

/// The device, mapped, if it is the one.
Step<std::optional<MappedDevice>> try_device(const std::string& name, const guest::Root& root) {
    const guest::Verity& verity = root.verity;
    const std::string path = "/dev/" + name;
    if (!is_large_enough(path, verity))
        return std::nullopt;
    auto mapped = MappedDevice::verity(mapped_name, guest::table_of(verity, path, false));
    if (!mapped)
        return std::nullopt; // a disk that somebody else has open
    if (!is_readable(mapped->path(), root)) {
        TRY(mapped->remove());
        return std::nullopt;
    }
    TRY(mapped->replace(guest::table_of(verity, path, true)));
    say("root file system on " + path);
    return std::optional(*std::move(mapped));
}

} // namespace

Step<MappedDevice> await_root(const guest::Root& root) {
    std::set<std::string> tried;
    for (unsigned i = 0; i < root.wait_seconds * tries_in_second; ++i) {
        for (const std::string& name : device_names()) {
            if (tried.contains(name) || ::access(("/dev/" + name).c_str(), R_OK) != 0)
                continue;
            tried.insert(name);
            if (auto found = TRY(try_device(name, root)))
                return *std::move(found);
        }
        ::usleep(1'000'000 / tries_in_second);
    }
    std::string names;
    for (const std::string& name : tried)
        names += (names.empty() ? "" : ", ") + name;
    return std::unexpected("no disk has the root file system of roothash=; tried: " +
                           (names.empty() ? "none is there" : names));
}

} // namespace tdshim::stage1
