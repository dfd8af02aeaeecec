// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/storage.hpp"

#include <sys/mount.h>

#include "launch/guest/stage1/files.hpp"

namespace tdshim::stage1 {
namespace {

/// A writable layer in memory above the folder `lower`, at `place`.
Step<> mount_overlay(const std::string& lower, const std::string& place) {
    const std::string memory = "/memory";
    TRY(make_folder(memory));
    TRY(mount({"tmpfs", "tmpfs", memory, MS_NODEV, "mode=0755"}));
    TRY(make_folder(memory + "/upper"));
    TRY(make_folder(memory + "/work"));
    return mount(
        {"overlay", "overlay", place, 0,
         "lowerdir=" + lower + ",upperdir=" + memory + "/upper,workdir=" + memory + "/work"});
}

} // namespace

Step<std::string> set_up_storage(guest::Storage storage, const std::string& root) {
    switch (storage) {
    case guest::Storage::none: return root;
    case guest::Storage::ram: TRY(mount_overlay(root + "/var", root + "/var")); return root;
    case guest::Storage::overlay: {
        const std::string whole = "/whole";
        TRY(make_folder(whole));
        TRY(mount_overlay(root, whole));
        return whole;
    }
    }
    return std::unexpected("storage is of no kind");
}

} // namespace tdshim::stage1
