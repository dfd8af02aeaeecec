// SPDX-License-Identifier: Apache-2.0
//
// SHA-384 of what comes in pieces, by OpenSSL's libcrypto.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "shim/base/bytes.hpp"
#include "shim/measure/measurement.hpp"
#include "tools/common/failure.hpp"

struct evp_md_ctx_st;

namespace tdshim::tools {

/// A failure of libcrypto's is kept, and told at the end.
class Hash {
  public:
    Hash();

    void add(Bytes bytes);
    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Once. `file`: whose bytes they were, for messages.
    [[nodiscard]] Outcome<measure::FileDigest> finish(const std::string& file);

  private:
    std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
    std::uint64_t size_ = 0;
    bool is_good_;
};

} // namespace tdshim::tools
