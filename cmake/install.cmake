# `cmake --install` and `cpack -G DEB`: the tools, their man pages, made from what --help says, completion for bash, the
# release image and its parts, the runtime for payloads, the launch programs and the specifications.
set(CMAKE_INSTALL_LIBDIR lib) # also where it would be lib64: the links below lead there
include(GNUInstallDirs)
find_program(TDSHIM_HELP2MAN help2man REQUIRED)

set(shared ${CMAKE_INSTALL_DATADIR}/tdshim)
set(tools shim-attest shim-bundle shim-check shim-enroll shim-hob shim-info shim-ld shim-log shim-measure shim-sign)
install(TARGETS ${tools} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# install_link(TARGET NAME): a program of another name and folder.
function(install_link target name)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/links)
  file(CREATE_LINK ${target} ${PROJECT_BINARY_DIR}/links/${name} SYMBOLIC)
  install(FILES ${PROJECT_BINARY_DIR}/links/${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

if(TDSHIM_FIRMWARE)
  list(APPEND tools td-emu)
  # Program, plugin and stub stand in one folder; a link leads to the program.
  set(emulator ${CMAKE_INSTALL_LIBDIR}/tdshim)
  install(TARGETS td-emu RUNTIME DESTINATION ${emulator})
  install(TARGETS td-emu-plugin LIBRARY DESTINATION ${emulator})
  install(FILES ${PROJECT_BINARY_DIR}/bin/td-emu-stub.bin DESTINATION ${emulator})
  install_link(../${emulator}/td-emu td-emu)
  # As td-emu: stage 1 stands beside the program that packs it.
  list(APPEND tools shim-guest)
  install(TARGETS shim-guest stage1 RUNTIME DESTINATION ${emulator})
  install_link(../${emulator}/shim-guest shim-guest)
  # final.bin, and what shim-ld makes other images of.
  install(FILES ${PROJECT_BINARY_DIR}/final.bin ${PROJECT_BINARY_DIR}/resetvector.bin ${PROJECT_BINARY_DIR}/shim.elf
    DESTINATION ${shared})

  # What a payload is built with (specs/payload-guide.md).
  set(headers ${CMAKE_INSTALL_INCLUDEDIR}/tdshim)
  foreach(directory payload/runtime shim)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${directory}/ DESTINATION ${headers}/${directory}
      FILES_MATCHING PATTERN *.hpp PATTERN *.h)
  endforeach()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/shim/rt/libcxx ${PROJECT_SOURCE_DIR}/shim/rt/libc
    DESTINATION ${headers}/shim/rt)
  install(DIRECTORY ${mbedtls}/include/ DESTINATION ${headers}/mbedtls FILES_MATCHING PATTERN *.h)
  install(FILES ${payload_runtime_archives} DESTINATION ${emulator}/payload)
  install(FILES ${PROJECT_SOURCE_DIR}/payload/payload.ld ${PROJECT_SOURCE_DIR}/payload/hello/hello.cpp
    DESTINATION ${shared}/payload)
  install(PROGRAMS ${PROJECT_SOURCE_DIR}/payload/elf_to_pe.py DESTINATION ${shared}/payload)
  install(CODE "
    foreach(name compile link link-pie)
      file(READ ${PROJECT_BINARY_DIR}/payload/installed/\${name}.rsp options)
      string(REPLACE @PREFIX@ \${CMAKE_INSTALL_PREFIX} options \"\${options}\")
      file(WRITE \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${shared}/payload/\${name}.rsp \"\${options}\")
    endforeach()")
endif()

# The launch programs find each other and the scripts that they share as in the sources. Here they stand as they will be
# installed, for what --help says there is what the man pages are made from.
set(staged ${PROJECT_BINARY_DIR}/staged)
set(launch_programs)
set(launch_files launch/names.sh cmake/newer-suite.sh cmake/suite-sources.sh)
foreach(name qemu fetch-kernel fetch-qemu make-initramfs)
  install_link(../${shared}/launch/${name}.sh tdshim-${name})
  file(MAKE_DIRECTORY ${staged}/bin)
  file(CREATE_LINK ../launch/${name}.sh ${staged}/bin/tdshim-${name} SYMBOLIC)
  list(APPEND launch_programs ${staged}/bin/tdshim-${name})
  list(APPEND launch_files launch/${name}.sh)
endforeach()
foreach(file IN LISTS launch_files)
  configure_file(${PROJECT_SOURCE_DIR}/${file} ${staged}/${file} COPYONLY)
endforeach()
file(CONFIGURE OUTPUT ${staged}/version CONTENT "@PROJECT_VERSION@\n" @ONLY)
install(DIRECTORY ${staged}/launch ${staged}/cmake DESTINATION ${shared} USE_SOURCE_PERMISSIONS)
install(FILES ${staged}/version DESTINATION ${shared})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/launch/guest DESTINATION ${shared}/launch USE_SOURCE_PERMISSIONS)

set(pages ${PROJECT_BINARY_DIR}/man)
set(programs ${tools})
list(TRANSFORM programs REPLACE "(.+)" "$<TARGET_FILE:\\1>")
add_custom_command(OUTPUT ${pages}.done
  COMMAND ${PROJECT_SOURCE_DIR}/cmake/man_pages.sh ${pages} ${PROJECT_VERSION} ${programs} ${launch_programs}
  COMMAND ${CMAKE_COMMAND} -E touch ${pages}.done
  DEPENDS ${tools} ${launch_programs} ${PROJECT_SOURCE_DIR}/cmake/man_pages.sh COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(man ALL DEPENDS ${pages}.done)
install(DIRECTORY ${pages}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# bash looks a command's completion up by the command's name.
foreach(tool IN LISTS tools)
  install(FILES ${PROJECT_SOURCE_DIR}/tools/completion.bash RENAME ${tool}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/CONTRIBUTING.md
  ${PROJECT_SOURCE_DIR}/SECURITY.md ${PROJECT_SOURCE_DIR}/cmake/package/copyright
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/specs DESTINATION ${CMAKE_INSTALL_DOCDIR})
execute_process(COMMAND gzip --best --no-name --stdout ${PROJECT_SOURCE_DIR}/cmake/package/changelog
  OUTPUT_FILE ${PROJECT_BINARY_DIR}/changelog.gz COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${PROJECT_BINARY_DIR}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/cmake/package/lintian-overrides RENAME tdshim
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "tdshim's developers <tdshim@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "measured-boot firmware for Intel TDX guests, and its tools")
set(CPACK_PACKAGE_DESCRIPTION
  "The firmware starts Linux and other payloads in a TD, and measures them
into its registers. The tools build, inspect, sign and check images and
payloads, compute the registers before a launch, check a guest's event log
and its quote, and run it all as a TD on a machine without TDX.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# libp11-kit is loaded when shim-sign or shim-enroll is given a key in a token; the others are the launch programs'.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libp11-kit0, qemu-system-x86, busybox-static, cpio, kmod, squashfs-tools-ng, zstd, xz-utils")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "clang-19, lld-19, libc++-19-dev, python3") # for payloads of one's own
include(CPack)
