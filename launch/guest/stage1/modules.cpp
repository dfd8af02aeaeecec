// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/modules.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/guest/stage1/files.hpp"

namespace tdshim::stage1 {
namespace {

Step<> load(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return system_error(path);
    const long result = ::syscall(SYS_finit_module, descriptor, "", 0);
    const bool is_good = result == 0 || errno == EEXIST || errno == ENODEV;
    const auto failure = system_error(path);
    ::close(descriptor);
    if (!is_good)
        return failure;
    return {};
}

} // namespace

Step<> load_modules() {
    for (const std::string& name : names_in("/modules"))
        TRY(load("/modules/" + name));
    return {};
}

} // namespace tdshim::stage1
