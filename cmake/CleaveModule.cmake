# Compiler settings shared by every target, and the two functions that leaves use.

add_library(cleave_options INTERFACE)
target_compile_options(cleave_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                -Wno-unused-parameter -Werror)
target_include_directories(cleave_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(CLEAVE_SANITIZE)
  target_compile_options(cleave_options INTERFACE -fsanitize=${CLEAVE_SANITIZE} -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=all)
  target_link_options(cleave_options INTERFACE -fsanitize=${CLEAVE_SANITIZE})
endif()

# cleave_module(NAME DEPS target...): library cleave_NAME from every .cpp of the current folder but the tests, and, where
# there are *_test.cpp files, the test program NAME_test with label "unit".
function(cleave_module name)
  cmake_parse_arguments(arg "" "" "DEPS;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  add_library(cleave_${name} STATIC ${sources})
  target_link_libraries(cleave_${name} PUBLIC cleave_options ${arg_DEPS})
  if(CLEAVE_BUILD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE cleave_${name} GTest::gtest GTest::gmock GTest::gtest_main ${arg_TEST_DEPS})
    target_compile_definitions(${name}_test PRIVATE CLEAVE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}/" PROPERTIES LABELS unit DISCOVERY_TIMEOUT 60)
  endif()
endfunction()
