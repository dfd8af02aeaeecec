// SPDX-License-Identifier: Apache-2.0
//
// Writes a HOB list: the shim's for an executable payload, and a VMM's TD HOB in the host tools.
#pragma once

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/formats/hob/wire.hpp"

namespace tdshim::hob {

/// Fills an area with HOBs, one after the other; the PHIT, which tells where they end, is written
/// last. Once the area is full nothing more is written, and finish() says so.
class ListWriter {
  public:
    explicit ListWriter(MutableBytes area);

    /// `attributes`: EFI_RESOURCE_ATTRIBUTE_... of PI.
    void resource(const GpaRange& range, ResourceType type, std::uint32_t attributes);

    /// `data` is padded with zeros to a multiple of 8 bytes.
    void guid(const Guid& name, Bytes data);

    /// As guid(), without padding counted in the HOB's length, as Cloud Hypervisor writes it.
    void unpadded_guid(const Guid& name, Bytes data);

    /// Ends the list, that stands at `base`. Returns its bytes. Errors: hob_list_full.
    [[nodiscard]] Result<std::size_t> finish(Gpa base);

  private:
    void put(Bytes bytes);
    void put_guid(const Guid& name, Bytes data, std::size_t length);
    MutableBytes area_;
    Writer writer_;
    bool is_full_ = false;
};

} // namespace tdshim::hob
