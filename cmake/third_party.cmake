# Libraries whose sources cmake/install-dependencies.sh fetched: mbedTLS, from one source list for
# firmware and host, and Catch2, built with our libc++.

set(sources ${TDSHIM_CACHE}/sources)
foreach(library mbedtls catch2)
  if(NOT EXISTS ${sources}/${library}/VERSION)
    message(FATAL_ERROR "${sources}/${library} is missing: run cmake/install-dependencies.sh first")
  endif()
endforeach()

# The files of mbedTLS that hash and check signatures, under a configuration of our own; what is not called is
# dropped by the linker.
set(mbedtls ${sources}/mbedtls)
set(mbedtls_files sha512 platform_util memory_buffer_alloc constant_time md bignum bignum_core rsa
  rsa_alt_helpers ecp ecp_curves ecdsa oid asn1parse asn1write)
list(TRANSFORM mbedtls_files REPLACE "(.+)" "${mbedtls}/library/\\1.c")
add_library(mbedtls STATIC ${mbedtls_files})
target_link_libraries(mbedtls PUBLIC hosted)
# Its hash is nearly all that the firmware computes: optimised for speed on both sides.
set_source_files_properties(${mbedtls}/library/sha512.c PROPERTIES COMPILE_OPTIONS -O3)
set(mbedtls_options -Wno-everything -ffile-prefix-map=${sources}=.)
set(mbedtls_definition MBEDTLS_CONFIG_FILE="${PROJECT_SOURCE_DIR}/shim/crypto/mbedtls_config.h")
target_compile_options(mbedtls PRIVATE ${mbedtls_options})
target_compile_definitions(mbedtls PUBLIC ${mbedtls_definition})
target_include_directories(mbedtls SYSTEM PUBLIC ${mbedtls}/include)
if(TDSHIM_FIRMWARE)
  foreach(kind fw pie)
    add_library(mbedtls.${kind} STATIC ${mbedtls_files})
    target_compile_options(mbedtls.${kind} PRIVATE ${mbedtls_options})
    target_compile_definitions(mbedtls.${kind} PUBLIC ${mbedtls_definition})
    target_include_directories(mbedtls.${kind} SYSTEM PUBLIC ${mbedtls}/include)
  endforeach()
  target_link_libraries(mbedtls.fw PUBLIC freestanding)
  target_link_libraries(mbedtls.pie PUBLIC freestanding_pie)
  set_target_properties(mbedtls.pie PROPERTIES EXCLUDE_FROM_ALL ON)
endif()

if(BUILD_TESTING AND NOT TDSHIM_FUZZERS)
  set(saved ${CMAKE_EXPORT_COMPILE_COMMANDS})
  set(CMAKE_EXPORT_COMPILE_COMMANDS OFF)
  add_subdirectory(${sources}/catch2 ${PROJECT_BINARY_DIR}/catch2 EXCLUDE_FROM_ALL SYSTEM)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ${saved})
  foreach(target Catch2 Catch2WithMain)
    target_link_libraries(${target} PUBLIC hosted)
    target_compile_options(${target} PRIVATE -Wno-everything)
  endforeach()
  list(APPEND CMAKE_MODULE_PATH ${sources}/catch2/extras)
endif()
