# Libraries whose sources cmake/install-dependencies.sh fetched: mbedTLS, from one source list for
# firmware and host, with OpenSSL's SHA-512 in the place of its own, and Catch2, built with our libc++.

set(sources ${TDSHIM_CACHE}/sources)
set(pins ${CMAKE_CURRENT_LIST_DIR}/pinned-sources.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${pins})
foreach(library mbedtls catch2)
  if(NOT EXISTS ${sources}/${library}/VERSION)
    message(FATAL_ERROR "${sources}/${library} is missing: run cmake/install-dependencies.sh first")
  endif()
  # Another version was allowed, by who fetched it; who builds is to know at every build.
  file(STRINGS ${pins} pin REGEX "^${library} ")
  string(REGEX REPLACE "^[^ ]+ ([^ ]+ [^ ]+) .*" "\\1" pin "${pin}")
  file(STRINGS ${sources}/${library}/.pin fetched LIMIT_COUNT 1)
  if(NOT fetched STREQUAL pin)
    set(words "warning: ${library} is ${fetched} in place of ${pin}, which is pinned")
    add_custom_target(${library}_is_another ALL COMMAND ${CMAKE_COMMAND} -E echo "${words}" VERBATIM)
  endif()
endforeach()

# OpenSSL's generator of SHA-512 for x86-64 takes the compiler for what the assembler can do.
set(openssl ${sources}/openssl)
set(sha512_generator ${openssl}/crypto/sha/asm/sha512-x86_64.pl)
set(sha512_paths ${CMAKE_CURRENT_LIST_DIR}/sha512_paths.sed)
set(sha512 ${PROJECT_BINARY_DIR}/sha512.s)
if(NOT EXISTS ${openssl}/VERSION)
  message(FATAL_ERROR "${openssl} is missing: run cmake/install-dependencies.sh first")
endif()
add_custom_command(OUTPUT ${sha512}
  COMMAND ${CMAKE_COMMAND} -E env CC=${CMAKE_C_COMPILER} perl ${sha512_generator} elf ${sha512}.whole
  COMMAND sed -f ${sha512_paths} ${sha512}.whole > ${sha512}
  DEPENDS ${sha512_generator} ${openssl}/crypto/perlasm/x86_64-xlate.pl ${sha512_paths} VERBATIM)
add_custom_target(sha512_source DEPENDS ${sha512})

# The files of mbedTLS that hash and check signatures, under a configuration of our own; what is not called is
# dropped by the linker.
set(mbedtls ${sources}/mbedtls)
set(mbedtls_files sha512 platform_util memory_buffer_alloc constant_time md bignum bignum_core rsa
  rsa_alt_helpers ecp ecp_curves ecdsa oid asn1parse asn1write)
list(TRANSFORM mbedtls_files REPLACE "(.+)" "${mbedtls}/library/\\1.c")
add_library(mbedtls STATIC ${mbedtls_files} ${sha512})
target_link_libraries(mbedtls PUBLIC hosted)
set(mbedtls_options -Wno-everything -ffile-prefix-map=${sources}=.)
set(mbedtls_definition MBEDTLS_CONFIG_FILE="${PROJECT_SOURCE_DIR}/shim/crypto/mbedtls_config.h")
target_compile_options(mbedtls PRIVATE ${mbedtls_options})
target_compile_definitions(mbedtls PUBLIC ${mbedtls_definition})
target_include_directories(mbedtls SYSTEM PUBLIC ${mbedtls}/include ${PROJECT_SOURCE_DIR}/shim/crypto/mbedtls_alt)
add_dependencies(mbedtls sha512_source)
if(TDSHIM_FIRMWARE)
  foreach(kind fw pie)
    add_library(mbedtls.${kind} STATIC ${mbedtls_files} ${sha512})
    add_dependencies(mbedtls.${kind} sha512_source)
    target_compile_options(mbedtls.${kind} PRIVATE ${mbedtls_options})
    target_compile_definitions(mbedtls.${kind} PUBLIC ${mbedtls_definition})
    target_include_directories(mbedtls.${kind} SYSTEM PUBLIC
      ${mbedtls}/include ${PROJECT_SOURCE_DIR}/shim/crypto/mbedtls_alt)
  endforeach()
  target_link_libraries(mbedtls.fw PUBLIC freestanding)
  target_link_libraries(mbedtls.pie PUBLIC freestanding_pie)
  set_target_properties(mbedtls.pie PROPERTIES EXCLUDE_FROM_ALL ON)
endif()

if(BUILD_TESTING)
  set(saved ${CMAKE_EXPORT_COMPILE_COMMANDS})
  set(CMAKE_EXPORT_COMPILE_COMMANDS OFF)
  add_subdirectory(${sources}/catch2 ${PROJECT_BINARY_DIR}/catch2 EXCLUDE_FROM_ALL SYSTEM)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ${saved})
  foreach(target Catch2 Catch2WithMain)
    target_link_libraries(${target} PUBLIC hosted)
    target_compile_options(${target} PRIVATE -Wno-everything)
  endforeach()
  # A hundred small files that include the same: a few large ones are compiled in a sixth of the time.
  set_target_properties(Catch2 PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 40)
  list(APPEND CMAKE_MODULE_PATH ${sources}/catch2/extras)
endif()
