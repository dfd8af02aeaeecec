// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/device_mapper.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace tdshim::stage1 {
namespace {

constexpr const char* control = "/dev/mapper/control";

/// A request, and behind its head what belongs to it.
struct Request {
    dm_ioctl head{};
    std::array<char, 4096> data{};
};

Request request_for(const std::string& name) {
    Request request;
    request.head.version[0] = DM_VERSION_MAJOR;
    request.head.data_size = sizeof(Request);
    request.head.data_start = offsetof(Request, data);
    name.copy(request.head.name, sizeof(request.head.name) - 1);
    return request;
}

Step<dm_ioctl> call(unsigned long command, Request request, const std::string& what) {
    const int descriptor = ::open(control, O_RDWR | O_CLOEXEC);
    if (descriptor < 0)
        return system_error(control);
    const int result = ::ioctl(descriptor, command, &request);
    const auto failure = system_error(what);
    ::close(descriptor);
    if (result != 0)
        return failure;
    return request.head;
}

} // namespace

Step<MappedDevice> MappedDevice::verity(const std::string& name, const guest::Table& table) {
    MappedDevice device(name);
    const dm_ioctl made = TRY(call(DM_DEV_CREATE, request_for(name), "device mapper: " + name));
    device.path_ = "/dev/dm-" + std::to_string(::minor(made.dev));
    if (const Step<> loaded = device.load(table); !loaded) {
        static_cast<void>(device.remove());
        return std::unexpected(loaded.error());
    }
    return device;
}

Step<> MappedDevice::load(const guest::Table& table) {
    Request request = request_for(name_);
    request.head.flags = DM_READONLY_FLAG;
    request.head.target_count = 1;
    dm_target_spec target{};
    target.length = table.sectors;
    std::strcpy(target.target_type, "verity");
    if (sizeof(target) + table.parameters.size() >= request.data.size())
        return std::unexpected("dm-verity: table is too long");
    std::memcpy(request.data.data(), &target, sizeof(target));
    table.parameters.copy(request.data.data() + sizeof(target), table.parameters.size());
    TRY(call(DM_TABLE_LOAD, request, "dm-verity: " + table.parameters));
    // Without DM_SUSPEND_FLAG that resumes, with the table that was loaded.
    TRY(call(DM_DEV_SUSPEND, request_for(name_), "dm-verity: " + name_));
    return {};
}

Step<> MappedDevice::replace(const guest::Table& table) {
    Request request = request_for(name_);
    request.head.flags = DM_SUSPEND_FLAG;
    TRY(call(DM_DEV_SUSPEND, request, "dm-verity: " + name_));
    return load(table);
}

Step<> MappedDevice::remove() {
    TRY(call(DM_DEV_REMOVE, request_for(name_), "device mapper: " + name_));
    return {};
}

} // namespace tdshim::stage1
