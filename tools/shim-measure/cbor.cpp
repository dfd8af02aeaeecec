// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/cbor.hpp"

#include <array>
#include <cbor/encoding.h>

namespace tdshim::tools {
namespace {

/// A head: the kind of an item, and its value or length.
struct Head {
    std::array<unsigned char, 9> room{};
    std::size_t size = 0;

    [[nodiscard]] Bytes bytes() const { return std::as_bytes(std::span(room)).first(size); }
};

template <class Value>
Head head(std::size_t (*encode)(Value, unsigned char*, std::size_t), Value value) {
    Head head;
    head.size = encode(value, head.room.data(), head.room.size());
    return head;
}

} // namespace

Cbor& Cbor::content(Bytes bytes) {
    written_.insert(written_.end(), bytes.begin(), bytes.end());
    return *this;
}

Cbor& Cbor::number(std::uint64_t value) {
    return content(head(cbor_encode_uint, value).bytes());
}

Cbor& Cbor::text(std::string_view value) {
    return content(head(cbor_encode_string_start, value.size()).bytes()).content(bytes_of(value));
}

Cbor& Cbor::bytes(Bytes value) {
    return content(head(cbor_encode_bytestring_start, value.size()).bytes()).content(value);
}

Cbor& Cbor::array(std::size_t items) {
    return content(head(cbor_encode_array_start, items).bytes());
}

Cbor& Cbor::map(std::size_t pairs) {
    return content(head(cbor_encode_map_start, pairs).bytes());
}

Cbor& Cbor::tag(std::uint64_t value) {
    return content(head(cbor_encode_tag, value).bytes());
}

Cbor& Cbor::items(const Cbor& others) {
    return content(others.written());
}

} // namespace tdshim::tools
