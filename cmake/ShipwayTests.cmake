# Tests that cross layers: the include check, the installed package, the fuzz targets with their corpora.
if(SHIPWAY_BUILD_TESTS)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME include_check COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/include_check.py)
  add_test(NAME include_check.itself COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/include_check_test.py)
  # A sanitized library would drag its runtime into the example, so the package is tested in ordinary builds.
  if(SHIPWAY_INSTALL AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    add_test(NAME install COMMAND ${PROJECT_SOURCE_DIR}/tests/install_test.sh ${PROJECT_BINARY_DIR})
    set_tests_properties(install PROPERTIES TIMEOUT 300)
  endif()
  set_tests_properties(include_check include_check.itself PROPERTIES LABELS fast TIMEOUT 60)

  # Small programs that the Python tests ask.
  add_executable(schema_dump ${PROJECT_SOURCE_DIR}/tests/schema_dump.cpp)
  target_link_libraries(schema_dump PRIVATE shipway_operators nlohmann_json::nlohmann_json)
  add_executable(check_models ${PROJECT_SOURCE_DIR}/tests/check_models.cpp)
  target_link_libraries(check_models PRIVATE shipway_formats)
  set_target_properties(schema_dump check_models PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

  # The C interface, from C, through the shared library alone.
  add_executable(c_interface_test ${PROJECT_SOURCE_DIR}/tests/c/c_interface_test.c)
  target_link_libraries(c_interface_test PRIVATE shipway Threads::Threads)
  target_compile_options(c_interface_test PRIVATE -Wall -Wextra -Wpedantic -Werror)
  target_compile_definitions(c_interface_test PRIVATE _POSIX_C_SOURCE=200809L)
  set_target_properties(c_interface_test PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
                        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")  # the C++ half of the sanitizers' runtime
    set_target_properties(c_interface_test PROPERTIES LINKER_LANGUAGE CXX)
  endif()
  add_test(NAME c_interface COMMAND c_interface_test ${PROJECT_SOURCE_DIR})
  set_tests_properties(c_interface PROPERTIES LABELS fast TIMEOUT 300)

  # The official suite by the reference loops alone.
  add_executable(onnx_suite_runner ${PROJECT_SOURCE_DIR}/tests/tools/onnx_suite_runner.cpp)
  target_link_libraries(onnx_suite_runner PRIVATE shipway_formats nlohmann_json::nlohmann_json)
  set_target_properties(onnx_suite_runner PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_executable(onnx_roundtrip ${PROJECT_SOURCE_DIR}/tests/tools/onnx_roundtrip.cpp)
  target_link_libraries(onnx_roundtrip PRIVATE shipway_formats)
  set_target_properties(onnx_roundtrip PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endif()

# shipway_fuzz_target(NAME): fuzz/NAME_fuzz.cpp, which defines LLVMFuzzerTestOneInput, seeded from fuzz/corpus/NAME.
# With SHIPWAY_BUILD_FUZZERS (clang) it becomes a libFuzzer binary; otherwise, in the ordinary suite, a program
# that replays the corpus, so that inputs which once broke something stay tested by every compiler.
function(shipway_fuzz_target name)
  set(corpus ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
  if(SHIPWAY_BUILD_FUZZERS)
    add_executable(${name}_fuzz ${PROJECT_SOURCE_DIR}/fuzz/${name}_fuzz.cpp)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name}_fuzz ${PROJECT_SOURCE_DIR}/fuzz/${name}_fuzz.cpp ${PROJECT_SOURCE_DIR}/fuzz/replay.cpp)
  endif()
  target_link_libraries(${name}_fuzz PRIVATE shipway_tasks)
  set_target_properties(${name}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  if(SHIPWAY_BUILD_TESTS AND NOT SHIPWAY_BUILD_FUZZERS)
    add_test(NAME fuzz.${name}.corpus COMMAND ${name}_fuzz ${corpus})
    set_tests_properties(fuzz.${name}.corpus PROPERTIES LABELS fast TIMEOUT 300)
  endif()
endfunction()

if(SHIPWAY_BUILD_TESTS OR SHIPWAY_BUILD_FUZZERS)
  file(GLOB fuzz_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/*_fuzz.cpp)
  foreach(source IN LISTS fuzz_sources)
    string(REGEX REPLACE ".*/([^/]+)_fuzz\\.cpp$" "\\1" name ${source})
    shipway_fuzz_target(${name})
  endforeach()
endif()
