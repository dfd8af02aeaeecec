# `cmake --install` and `cpack -G DEB`: the tools, their man pages, made from what --help says, completion for
# bash, the release image and the specifications.
include(GNUInstallDirs)
find_program(TDSHIM_HELP2MAN help2man REQUIRED)

set(tools shim-attest shim-bundle shim-check shim-enroll shim-hob shim-info shim-ld shim-log shim-measure shim-sign)
install(TARGETS ${tools} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TDSHIM_FIRMWARE)
  list(APPEND tools td-emu)
  # Program, plugin and stub stand in one folder; a link leads to the program.
  set(emulator ${CMAKE_INSTALL_LIBDIR}/tdshim)
  install(TARGETS td-emu RUNTIME DESTINATION ${emulator})
  install(TARGETS td-emu-plugin LIBRARY DESTINATION ${emulator})
  install(FILES ${PROJECT_BINARY_DIR}/bin/td-emu-stub.bin DESTINATION ${emulator})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/links)
  file(CREATE_LINK ../${emulator}/td-emu ${PROJECT_BINARY_DIR}/links/td-emu SYMBOLIC)
  install(FILES ${PROJECT_BINARY_DIR}/links/td-emu DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${PROJECT_BINARY_DIR}/final.bin DESTINATION ${CMAKE_INSTALL_DATADIR}/tdshim)
endif()

set(pages)
foreach(tool IN LISTS tools)
  set(page ${PROJECT_BINARY_DIR}/man/${tool}.1)
  add_custom_command(OUTPUT ${page}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
    COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=0 LC_ALL=C
            ${TDSHIM_HELP2MAN} --no-info --section=1 --source=tdshim --output=${page} $<TARGET_FILE:${tool}>
    DEPENDS ${tool} VERBATIM)
  list(APPEND pages ${page})
endforeach()
add_custom_target(man ALL DEPENDS ${pages})
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# bash looks a command's completion up by the command's name.
foreach(tool IN LISTS tools)
  install(FILES ${PROJECT_SOURCE_DIR}/tools/completion.bash RENAME ${tool}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/specs DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "tdshim's developers <tdshim@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "measured-boot firmware for Intel TDX guests, and its tools")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Loaded when shim-sign or shim-enroll is given a key in a token.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS libp11-kit0)
include(CPack)
