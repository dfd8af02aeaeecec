# shim_library(NAME SOURCES file... DEPS library...)
#
# A library of shim/ from one source list: NAME for the host and, when the firmware is built, NAME.fw
# freestanding and NAME.pie, the same for payloads, which run wherever they are loaded. DEPS name other such
# libraries. What nobody links is not built.
function(shim_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC hosted ${arg_DEPS} PRIVATE warnings)
  if(TDSHIM_FIRMWARE)
    firmware_library(${name}.fw SOURCES ${arg_SOURCES} DEPS ${arg_DEPS})
    payload_library(${name}.pie SOURCES ${arg_SOURCES} DEPS ${arg_DEPS})
  endif()
endfunction()

# firmware_library(NAME.fw SOURCES file... DEPS library...): only the freestanding half.
function(firmware_library name)
  freestanding_library(${name} .fw freestanding ${ARGN})
endfunction()

# payload_library(NAME.pie SOURCES file... DEPS library...): only for payloads.
function(payload_library name)
  freestanding_library(${name} .pie freestanding_pie ${ARGN})
  set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
endfunction()

function(freestanding_library name suffix flags)
  cmake_parse_arguments(PARSE_ARGV 3 arg "" "" "SOURCES;DEPS")
  list(TRANSFORM arg_DEPS APPEND ${suffix})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC ${flags} ${arg_DEPS} PRIVATE warnings)
endfunction()
