# python_tests(SCRIPT PREFIX text TIMEOUT seconds [LAST test]): registers each test of a script of tests/vm's
# kind (suite.py) with ctest by its own name. LAST runs behind the script's others. Those with the longest limits begin
# first, so that none of them is left alone at the end.
function(python_tests script)
  cmake_parse_arguments(arg "" "PREFIX;TIMEOUT;LAST" "" ${ARGN})
  set(path ${CMAKE_CURRENT_SOURCE_DIR}/${script})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 ${Python3_EXECUTABLE} ${path} --list
    OUTPUT_VARIABLE names OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" names "${names}")
  list(TRANSFORM names PREPEND "${arg_PREFIX}" OUTPUT_VARIABLE titles)
  foreach(name IN LISTS names)
    add_test(NAME "${arg_PREFIX}${name}" COMMAND ${Python3_EXECUTABLE} ${path} ${name})
  endforeach()
  set_tests_properties(${titles} PROPERTIES
    TIMEOUT ${arg_TIMEOUT}
    COST ${arg_TIMEOUT}
    SKIP_RETURN_CODE 77
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;TDSHIM_IMAGE=${PROJECT_BINARY_DIR}/final.bin;TDSHIM_ELF=${PROJECT_BINARY_DIR}/shim.elf;TDSHIM_BIN=${tool_directory};TDSHIM_TEST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};TDSHIM_RESULTS=${PROJECT_BINARY_DIR}/vm-results")
  if(arg_LAST)
    list(REMOVE_ITEM titles "${arg_PREFIX}${arg_LAST}")
    set_tests_properties("${arg_PREFIX}${arg_LAST}" PROPERTIES DEPENDS "${titles}")
  endif()
endfunction()
