// SPDX-License-Identifier: Apache-2.0
//
// What a hostile VMM, or a module under its pressure, can do to a TD's calls, by name.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tdshim::tdx_model {

enum class Fault : std::uint8_t {
    none,
    map_gpa_refused,        ///< MapGPA ends with an error
    map_gpa_stuck,          ///< MapGPA asks to be called again, at the same address, for ever
    map_gpa_backwards,      ///< MapGPA asks to go on before the range
    map_gpa_beyond,         ///< MapGPA asks to go on behind the range
    map_gpa_unaligned,      ///< MapGPA asks to go on inside a page
    map_gpa_piecemeal,      ///< MapGPA does a page at a time: no error
    ports_refused,          ///< port I/O ends with an error
    ports_all_ones,         ///< every port reads as ones
    ports_garbage,          ///< every port reads as other numbers, with bits set above their size
    accept_busy,            ///< each page is busy three times: no error
    accept_busy_hint,       ///< the same, and the status has HOST_RECOVERABILITY_HINT
    accept_always_busy,     ///< a page stays busy
    accept_window_busy,     ///< what was shared stays busy when it is taken back
    accept_already,         ///< a page in the middle of memory was accepted before
    accept_invalid,         ///< a page cannot be accepted
    accept_mismatch_4k,     ///< a small page has a wrong size
    extend_busy,            ///< each extension of a register is busy three times: no error
    extend_busy_hint,       ///< the same, with the hint
    extend_fails,           ///< no register can be extended
    report_fails,           ///< there is no TDREPORT: no error, but no registers on the console
    report_busy,            ///< each TDREPORT is busy three times: no error
    report_busy_hint,       ///< the same, with the hint
    report_warns,           ///< the same as report_fails, by a status without the error bit
    withdrawn_page,         ///< a page that was accepted is taken away: its next access is the end
    readded_page,           ///< the same page is taken away and another given: the same end
    narrow_gpa,             ///< VP.INFO tells a width that page tables cannot express
    wide_gpa,               ///< the same, beyond 53 bits
    other_processors_never, ///< only the first processor starts: no error
};

struct NamedFault {
    std::string_view name;
    Fault fault;
};
inline constexpr std::array named_faults{
    NamedFault{"map-gpa-refused", Fault::map_gpa_refused},
    NamedFault{"map-gpa-stuck", Fault::map_gpa_stuck},
    NamedFault{"map-gpa-backwards", Fault::map_gpa_backwards},
    NamedFault{"map-gpa-beyond", Fault::map_gpa_beyond},
    NamedFault{"map-gpa-unaligned", Fault::map_gpa_unaligned},
    NamedFault{"map-gpa-piecemeal", Fault::map_gpa_piecemeal},
    NamedFault{"ports-refused", Fault::ports_refused},
    NamedFault{"ports-all-ones", Fault::ports_all_ones},
    NamedFault{"ports-garbage", Fault::ports_garbage},
    NamedFault{"accept-busy", Fault::accept_busy},
    NamedFault{"accept-busy-hint", Fault::accept_busy_hint},
    NamedFault{"accept-always-busy", Fault::accept_always_busy},
    NamedFault{"accept-window-busy", Fault::accept_window_busy},
    NamedFault{"accept-already", Fault::accept_already},
    NamedFault{"accept-invalid", Fault::accept_invalid},
    NamedFault{"accept-mismatch-4k", Fault::accept_mismatch_4k},
    NamedFault{"extend-busy", Fault::extend_busy},
    NamedFault{"extend-busy-hint", Fault::extend_busy_hint},
    NamedFault{"extend-fails", Fault::extend_fails},
    NamedFault{"report-fails", Fault::report_fails},
    NamedFault{"report-busy", Fault::report_busy},
    NamedFault{"report-busy-hint", Fault::report_busy_hint},
    NamedFault{"report-warns", Fault::report_warns},
    NamedFault{"withdrawn-page", Fault::withdrawn_page},
    NamedFault{"re-added-page", Fault::readded_page},
    NamedFault{"narrow-gpa", Fault::narrow_gpa},
    NamedFault{"wide-gpa", Fault::wide_gpa},
    NamedFault{"other-processors-never", Fault::other_processors_never},
};

} // namespace tdshim::tdx_model
