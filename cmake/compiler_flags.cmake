# Interface targets that carry all compiler flags: `freestanding` for the firmware, `freestanding_pie` for
# payloads, `hosted` for tools and tests, `warnings` for our own code on both sides, `test_warnings` for tests.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR NOT CMAKE_CXX_COMPILER_VERSION MATCHES "^19\\.")
  message(FATAL_ERROR "tdshim is built with clang 19, found ${CMAKE_CXX_COMPILER_ID} "
                      "${CMAKE_CXX_COMPILER_VERSION}: use a preset, e.g. cmake --preset release")
endif()

# Catch2 registers test cases in static constructors, so tests do without two of them.
add_library(test_warnings INTERFACE)
target_compile_options(test_warnings INTERFACE
  -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wswitch-enum
  -Wimplicit-fallthrough -Wno-gnu-statement-expression)
add_library(warnings INTERFACE)
target_link_libraries(warnings INTERFACE test_warnings)
target_compile_options(warnings INTERFACE -Wglobal-constructors -Wexit-time-destructors)

# The same bytes from every folder: no path of the machine reaches an object file.
set(reproducible -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=.)

add_library(hosted INTERFACE)
separate_arguments(instrument UNIX_COMMAND "${TDSHIM_INSTRUMENT}")
target_compile_options(hosted INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-stdlib=libc++>
  $<$<COMPILE_LANGUAGE:CXX>:-D_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_EXTENSIVE>
  ${instrument} ${reproducible})
target_link_options(hosted INTERFACE -stdlib=libc++ -fuse-ld=lld-19 ${instrument})
target_include_directories(hosted INTERFACE ${PROJECT_SOURCE_DIR})

# Binaries that stand at addresses of their own: to what other assemblers' output would have relocations for, NASM from
# 2.16.02 on gives warnings, whose names the one before it does not know.
set(nasm_warnings -w+all -w-unknown-warning -w-reloc-abs -w-reloc-abs-word -w-reloc-abs-dword -w-reloc-abs-qword
    -w-reloc-rel-word -Werror)

find_path(TDSHIM_LIBCXX NAMES __config PATHS /usr/lib/llvm-19/include/c++/v1 NO_DEFAULT_PATH REQUIRED)
set(rt ${PROJECT_SOURCE_DIR}/shim/rt)
set(freestanding_options
  --target=x86_64-unknown-none-elf -ffreestanding -nostdlibinc
  -mno-red-zone -mno-sse -mno-mmx -msoft-float -fno-asynchronous-unwind-tables
  -ffunction-sections -fdata-sections -g0 ${reproducible})
set(freestanding_cxx_options -nostdinc++ -fno-exceptions -fno-rtti -fno-threadsafe-statics)
set(freestanding_pie_options -fno-stack-protector -fpie -fvisibility=hidden -fdirect-access-external-data)
# Undefined behaviour is a trap in the debug firmware; the release firmware is built for size.
set(freestanding_optimisation
  "$<IF:$<CONFIG:Debug>,-O1;-fsanitize=undefined;-fno-sanitize=alignment;-fsanitize-trap=undefined,-Os>")
add_library(freestanding_common INTERFACE)
target_compile_options(freestanding_common INTERFACE ${freestanding_options} ${freestanding_optimisation})
foreach(directory ${rt}/libcxx ${TDSHIM_LIBCXX})
  target_compile_options(freestanding_common INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-isystem \"${directory}\">")
endforeach()
target_compile_options(freestanding_common INTERFACE
  "SHELL:-isystem \"${rt}/libc\"" "$<$<COMPILE_LANGUAGE:CXX>:${freestanding_cxx_options}>")
target_include_directories(freestanding_common INTERFACE ${PROJECT_SOURCE_DIR})

add_library(freestanding INTERFACE)
# The guard's value is a variable of the shim's (shim/platform/x86/stack_guard.cpp): it has no thread-local storage.
target_compile_options(freestanding INTERFACE
  -fno-pic -fstack-protector-strong -mstack-protector-guard=global)
target_link_libraries(freestanding INTERFACE freestanding_common)
# Nothing is looked up when a payload is loaded, so everything is reached directly.
add_library(freestanding_pie INTERFACE)
target_compile_options(freestanding_pie INTERFACE ${freestanding_pie_options})
target_link_libraries(freestanding_pie INTERFACE freestanding_common)
