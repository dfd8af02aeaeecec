// SPDX-License-Identifier: Apache-2.0
//
// The initrd that a kernel is to see: the payload's own, the VMM's, or one behind the other; and
// whether it brings ACPI tables around an image's AML policy
// [Linux Documentation/admin-guide/acpi/initrd_table_override.rst].
#pragma once

#include "shim/plan/payload_files.hpp"

namespace tdshim::plan {

/// Where the VMM's archive stands behind `own_size` bytes of the payload's, zeros between them:
/// Linux takes several, each on four bytes
/// [Documentation/driver-api/early-userspace/buffer-format.rst].
[[nodiscard]] std::uint64_t place_of_supplied_initrd(std::uint64_t own_size);

/// Whether a kernel may be given `initrd`, in which the VMM's archive begins at `supplied_at`, its
/// end if there is none. No cpio header that Linux could see, anywhere, may have a name in the
/// folder of ACPI tables. Errors: initrd_acpi_tables, with the offset of the header.
[[nodiscard]] Result<void> check_initrd(Bytes initrd, std::size_t supplied_at,
                                        const Demands& demands);

} // namespace tdshim::plan
