# With VOUCH_PRECOMPILED, what nearly every file includes is parsed once for the product and once for
# the tests. Files still include what they use: the release build has no precompiled header.
set(vouch_common_headers
  <algorithm> <cstdint> <fmt/format.h> <functional> <map> <memory> <optional> <set> <string>
  <string_view> <utility> <vector>)
function(vouch_precompile target kind)
  if(VOUCH_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM vouch_${kind}_headers)
  endif()
endfunction()
function(vouch_precompiled_headers kind)
  cmake_parse_arguments(arg "" "" "HEADERS;LINK" ${ARGN})
  set(source ${PROJECT_BINARY_DIR}/generated/${kind}_headers.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "")
  add_library(vouch_${kind}_headers OBJECT ${source})
  target_link_libraries(vouch_${kind}_headers PRIVATE vouch_options fmt::fmt ${arg_LINK})
  target_precompile_headers(vouch_${kind}_headers PRIVATE ${vouch_common_headers} ${arg_HEADERS})
endfunction()
if(VOUCH_PRECOMPILED)
  vouch_precompiled_headers(common)
  if(VOUCH_BUILD_TESTS)
    vouch_precompiled_headers(test HEADERS <catch2/catch.hpp> LINK Catch2::Catch2)
  endif()
endif()

# vouch_library(NAME SOURCES … LINK … [PRIVATE_LINK …] [TESTS …] [TEST_LINK …])
#
# One folder, one static library, one test program (NAME_test) made of the *_test.cc beside the code.
# Sources are listed, never globbed.
function(vouch_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK;TESTS;TEST_LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC vouch_options ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
  vouch_precompile(${name} common)
  if(VOUCH_BUILD_TESTS AND arg_TESTS)
    vouch_test(${name}_test SOURCES ${arg_TESTS} LINK ${name} ${arg_TEST_LINK})
  endif()
endfunction()

# `programs` builds what is installed, and nothing else; `bench_programs` what only ./dev bench runs.
add_custom_target(programs)
add_custom_target(bench_programs)

# vouch_program(NAME SOURCES … LINK …): an executable, in <build>/bin.
function(vouch_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE vouch_options ${arg_LINK})
  vouch_precompile(${name} common)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  add_dependencies(programs ${name})
endfunction()

# vouch_test(NAME SOURCES … LINK …): a Catch2 program, one CTest entry. Tests find the source tree
# by VOUCH_SOURCE_DIR of source_dir.h.
configure_file(${CMAKE_CURRENT_LIST_DIR}/source_dir.h.in ${PROJECT_BINARY_DIR}/generated/source_dir.h)
function(vouch_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE vouch_options ${arg_LINK} Catch2::Catch2WithMain)
  vouch_precompile(${name} test)
  target_include_directories(${name} PRIVATE ${PROJECT_BINARY_DIR}/generated)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
