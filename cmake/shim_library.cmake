# shim_library(NAME SOURCES file... DEPS library...)
#
# A library of shim/ from one source list: NAME for the host and, when the firmware is built, NAME.fw
# freestanding. DEPS name other such libraries.
function(shim_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC hosted ${arg_DEPS} PRIVATE warnings)
  if(TDSHIM_FIRMWARE)
    firmware_library(${name}.fw SOURCES ${arg_SOURCES} DEPS ${arg_DEPS})
  endif()
endfunction()

# firmware_library(NAME.fw SOURCES file... DEPS library...): only the freestanding half.
function(firmware_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  list(TRANSFORM arg_DEPS APPEND .fw)
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC freestanding ${arg_DEPS} PRIVATE warnings)
endfunction()
