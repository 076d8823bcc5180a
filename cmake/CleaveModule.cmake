# Compiler settings shared by every target, and the functions that leaves use.

add_library(cleave_options INTERFACE)
target_compile_options(cleave_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                -Wno-unused-parameter -Werror)
target_include_directories(cleave_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
if(CLEAVE_SANITIZE)
  target_compile_options(cleave_options INTERFACE -fsanitize=${CLEAVE_SANITIZE} -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=all)
  target_link_options(cleave_options INTERFACE -fsanitize=${CLEAVE_SANITIZE})
endif()

# All test programs of a label: `cmake --build --target unit_tests`.
foreach(label unit fixtures ranks server slow)
  add_custom_target(${label}_tests)
endforeach()

# cleave_module(NAME DEPS target... [EXCLUDE pattern]): library cleave_NAME from every .cpp of the current folder but the tests
# and what matches the pattern, and, where there are *_test.cpp files, the test program NAME_test with label "unit".
function(cleave_module name)
  cmake_parse_arguments(arg "" "EXCLUDE" "DEPS;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(arg_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${arg_EXCLUDE}")
  endif()
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  add_library(cleave_${name} STATIC ${sources})
  target_link_libraries(cleave_${name} PUBLIC cleave_options ${arg_DEPS})
  if(CLEAVE_BUILD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE cleave_${name} ${arg_TEST_DEPS})
    cleave_register_test(${name}_test unit)
    cleave_register_sanitizer_test(${name}_test)
  endif()
endfunction()

# cleave_register_test(PROGRAM LABEL): a GoogleTest program as ctest tests with that label, one for each TEST, or one in all
# where CLEAVE_DISCOVER_TESTS is off (under sanitizers, where starting a program is slow).
function(cleave_register_test program label)
  target_link_libraries(${program} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${program} PRIVATE CLEAVE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
  if(CLEAVE_DISCOVER_TESTS)
    string(REGEX REPLACE "_test$" "/" prefix ${program})
    gtest_discover_tests(${program} TEST_PREFIX ${prefix} PROPERTIES LABELS ${label} DISCOVERY_TIMEOUT 60)
  else()
    add_test(NAME ${program} COMMAND ${program})
    set_tests_properties(${program} PROPERTIES LABELS ${label})
  endif()
  add_dependencies(${label}_tests ${program})
endfunction()

# cleave_register_sanitizer_test(PROGRAM): the same program of the build in CLEAVE_SANITIZER_BUILD, if one is named, as one
# test with label "sanitizer". `make test` builds it first.
function(cleave_register_sanitizer_test program)
  if(CLEAVE_SANITIZER_BUILD)
    file(RELATIVE_PATH folder ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR})
    add_test(NAME sanitizer/${program} COMMAND ${CLEAVE_SANITIZER_BUILD}/${folder}/${program} --gtest_brief=1)
    set_tests_properties(sanitizer/${program} PROPERTIES LABELS sanitizer)
  endif()
endfunction()
