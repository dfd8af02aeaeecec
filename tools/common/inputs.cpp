// SPDX-License-Identifier: Apache-2.0
#include "tools/common/inputs.hpp"

#include <set>
#include <sys/stat.h>
#include <utility>

namespace tdshim::tools {
namespace {

/// Device and inode.
using Identity = std::pair<dev_t, ino_t>;

/// Those of this process, which is one command: nobody takes them down at its end.
std::set<Identity>& inputs() {
    static auto* const noted = new std::set<Identity>;
    return *noted;
}

void note(const struct stat& status) {
    if (S_ISREG(status.st_mode))
        inputs().emplace(status.st_dev, status.st_ino);
}

} // namespace

void note_input(int descriptor) {
    struct stat status{};
    if (::fstat(descriptor, &status) == 0)
        note(status);
}

void note_input(const std::string& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) == 0)
        note(status);
}

bool is_input(const std::string& file) {
    struct stat status{};
    return ::stat(file.c_str(), &status) == 0 && inputs().contains({status.st_dev, status.st_ino});
}

} // namespace tdshim::tools
