# shipway_layer(NAME [DEPENDS layer...] [LIBRARIES target...])
#
# One static library per folder of src/, made from every .cpp file in it (tests apart), and one test
# binary NAME_test from its *_test.cpp files. Sources are found by glob, so a new file needs no line here.
add_library(shipway_options INTERFACE)
target_include_directories(shipway_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
target_compile_options(shipway_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wno-missing-field-initializers
  # GCC 12's flow analysis at -O3 warns of code that cannot run (std::string's own operator+, GCC bug
  # 105651; growth of vectors of known size). clang and the sanitizers watch the same mistakes for real.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>
  $<$<BOOL:${SHIPWAY_WERROR}>:-Werror>)

set(SHIPWAY_LAYERS "" CACHE INTERNAL "layers that have sources")

function(shipway_layer name)
  cmake_parse_arguments(LAYER "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  list(TRANSFORM LAYER_DEPENDS PREPEND shipway_)
  if(sources)
    add_library(shipway_${name} STATIC ${sources})
    target_link_libraries(shipway_${name} PUBLIC shipway_options ${LAYER_DEPENDS} ${LAYER_LIBRARIES})
    set(SHIPWAY_LAYERS ${SHIPWAY_LAYERS} ${name} CACHE INTERNAL "layers that have sources")
  else()  # a place kept for later: carries its dependencies only
    add_library(shipway_${name} INTERFACE)
    target_link_libraries(shipway_${name} INTERFACE shipway_options ${LAYER_DEPENDS} ${LAYER_LIBRARIES})
  endif()
  if(SHIPWAY_BUILD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE shipway_${name} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE SHIPWAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60
                         PROPERTIES TIMEOUT 300 LABELS fast)
  endif()
endfunction()
