// SPDX-License-Identifier: Apache-2.0
//
// The parser's parts: one variable header, and the checks that several kinds of them share.
#pragma once

#include <map>

#include "tools/igvm/file.hpp"
#include "tools/igvm/wire.hpp"

namespace tdshim::igvm {

struct Header {
    std::uint64_t offset = 0; ///< in the file
    std::uint32_t type = 0;   ///< as it stands there
    Bytes content;            ///< without padding

    [[nodiscard]] HeaderType known_type() const { return HeaderType{type & ~type_optional}; }
    /// Offset in the file of a field of the content.
    [[nodiscard]] std::uint64_t at(std::size_t field) const {
        return offset + sizeof(VariableHeader) + field;
    }

    /// Errors: igvm_header_length.
    template <Wire T>
    [[nodiscard]] Result<T> as() const {
        if (content.size() != sizeof(T))
            return refuse(Fault::igvm_header_length, offset + sizeof(le32), sizeof(T),
                          content.size());
        return read_at<T>(content, 0);
    }
};

/// `mask`, the field at `at`, names platforms of `file` only. Errors: igvm_mask.
[[nodiscard]] Result<void> check_mask(const File& file, std::uint32_t mask, std::uint64_t at);

/// Reads the directives of a file, whose other headers it holds already.
class DirectiveReader {
  public:
    explicit DirectiveReader(const File& file)
        : file_(file), tdx_mask_(file.mask_of(PlatformType::tdx)) {}

    /// `header` as a directive, after those before it.
    [[nodiscard]] Result<Directive> read(const Header& header);

  private:
    struct AreaState {
        std::uint64_t size = 0;
        bool is_inserted = false;
    };
    using Body = decltype(Directive::body);

    [[nodiscard]] Result<Body> page_data(const Header& header) const;
    [[nodiscard]] Result<Body> parameter_area(const Header& header);
    [[nodiscard]] Result<Body> parameter(const Header& header);
    [[nodiscard]] Result<Body> parameter_insert(const Header& header);
    [[nodiscard]] Result<Body> required_memory(const Header& header) const;
    [[nodiscard]] Result<Body> vp_context(const Header& header) const;

    /// The area `index` while it may still be used; the field stands at `at`.
    [[nodiscard]] Result<AreaState*> open_area(std::uint32_t index, std::uint64_t at);
    [[nodiscard]] Result<void> check_data(std::uint32_t offset, std::uint64_t size,
                                          std::uint64_t at) const;

    const File& file_;
    std::uint32_t tdx_mask_;
    std::map<std::uint32_t, AreaState> areas_;
};

/// No platform gets a page twice. Errors: igvm_overlap, at the later header.
[[nodiscard]] Result<void> check_apart(const File& file);

} // namespace tdshim::igvm
