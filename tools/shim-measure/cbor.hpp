// SPDX-License-Identifier: Apache-2.0
//
// CBOR [RFC 8949], put together from front to back: nlohmann's JSON library writes neither integers
// as keys of a map nor tags of one's choice, which CoRIM asks for. The heads are libcbor's.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "shim/base/bytes.hpp"

namespace tdshim::tools {

/// Lengths are definite and heads as short as they can be. Whoever writes the head of an array or a
/// map writes that many items, or pairs, behind it; the keys of a map in ascending order make it
/// the deterministic encoding of RFC 8949, 4.2.1.
class Cbor {
  public:
    Cbor& number(std::uint64_t value);
    Cbor& text(std::string_view value);
    Cbor& bytes(Bytes value);
    Cbor& array(std::size_t items);
    Cbor& map(std::size_t pairs);
    Cbor& tag(std::uint64_t value); ///< of the item behind it
    Cbor& items(const Cbor& others);

    [[nodiscard]] Bytes written() const { return written_; }

  private:
    Cbor& content(Bytes bytes);
    std::vector<std::byte> written_;
};

} // namespace tdshim::tools
