// SPDX-License-Identifier: Apache-2.0
#include "shim/measure/register_bank.hpp"

namespace tdshim::measure {

Result<void> RegisterBank::extend(std::uint32_t rtmr, const crypto::Digest& digest) {
    if (rtmr >= rtmr_count)
        return refuse(Fault::log_rtmr_index, 0, rtmr_count - 1, rtmr);
    crypto::Sha384 hash;
    hash.update(values_[rtmr]);
    hash.update(digest);
    values_[rtmr] = hash.finish();
    return {};
}

} // namespace tdshim::measure
