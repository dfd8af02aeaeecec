// SPDX-License-Identifier: Apache-2.0
//
// Device mapper by its ioctls, for one device at a time [Linux, include/uapi/linux/dm-ioctl.h].
#pragma once

#include <string>

#include "launch/guest/stage1/root_words.hpp"
#include "launch/guest/stage1/step.hpp"

namespace tdshim::stage1 {

/// A device of device mapper's, /dev/dm-N. It stays when the object goes: the guest runs from it.
class MappedDevice {
  public:
    /// One that reads through dm-verity, read-only.
    [[nodiscard]] static Step<MappedDevice> verity(const std::string& name,
                                                   const guest::Table& table);

    /// Puts another table in the place of this one's.
    [[nodiscard]] Step<> replace(const guest::Table& table);
    [[nodiscard]] Step<> remove();

    /// "/dev/dm-0"
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    explicit MappedDevice(std::string name) : name_(std::move(name)) {}
    [[nodiscard]] Step<> load(const guest::Table& table);

    std::string name_;
    std::string path_;
};

} // namespace tdshim::stage1
