// SPDX-License-Identifier: Apache-2.0
//
// CRC-32 as Ethernet and zip have it [ISO/IEC 8802-3, 3.2.9]: polynomial 0x04C11DB7, bits
// reflected, all ones at the start and complemented at the end.
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"

namespace tdshim::igvm {

class Crc32 {
  public:
    void update(Bytes bytes);
    [[nodiscard]] std::uint32_t value() const { return ~state_; }

  private:
    std::uint32_t state_ = 0xFFFFFFFF;
};

} // namespace tdshim::igvm
