# What people install: the library, the command, and the files that let others find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# libshipway.so holds every object of every layer (a static archive would drop what only tables name).
# Third-party libraries stay private: public headers include nothing but the standard library and each other.
set(SHIPWAY_LIBRARY_LAYERS ${SHIPWAY_LAYERS})
list(REMOVE_ITEM SHIPWAY_LIBRARY_LAYERS cli server)
list(TRANSFORM SHIPWAY_LIBRARY_LAYERS REPLACE "(.+)" "$<TARGET_OBJECTS:shipway_\\1>" OUTPUT_VARIABLE objects)
add_library(shipway SHARED ${objects})
add_library(Shipway::shipway ALIAS shipway)
set_target_properties(shipway PROPERTIES
  LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
target_compile_features(shipway INTERFACE cxx_std_20)
target_include_directories(shipway INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
foreach(layer IN LISTS SHIPWAY_LIBRARY_LAYERS)
  get_target_property(libraries shipway_${layer} LINK_LIBRARIES)
  list(FILTER libraries EXCLUDE REGEX "^shipway_")
  target_link_libraries(shipway PRIVATE ${libraries})
endforeach()

if(EXISTS ${PROJECT_SOURCE_DIR}/src/cli/main.cpp)
  add_executable(shipway_command ${PROJECT_SOURCE_DIR}/src/cli/main.cpp)
  set_target_properties(shipway_command PROPERTIES OUTPUT_NAME shipway RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  target_link_libraries(shipway_command PRIVATE shipway_cli)
endif()

# Programs that measure; docs/performance.md says how they are used.
if(SHIPWAY_BUILD_BENCHMARKS)
  foreach(name kernels_bench peak)
    add_executable(${name} ${PROJECT_SOURCE_DIR}/benchmarks/${name}.cpp)
    target_link_libraries(${name} PRIVATE shipway_engine)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/benchmarks)
  endforeach()
  if(SHIPWAY_BUILD_TESTS)
    add_test(NAME benchmarks.have_shapes_for_every_kernel COMMAND kernels_bench --list)
    set_tests_properties(benchmarks.have_shapes_for_every_kernel PROPERTIES LABELS fast TIMEOUT 60)
  endif()
endif()

if(SHIPWAY_INSTALL)
  set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Shipway)
  install(TARGETS shipway EXPORT ShipwayTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  if(TARGET shipway_command)
    install(TARGETS shipway_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/shipway DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          FILES_MATCHING PATTERN "*.h")
  install(EXPORT ShipwayTargets NAMESPACE Shipway:: DESTINATION ${package_folder} FILE ShipwayConfig.cmake)
  # Before 1.0 a minor version may change the interface.
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/ShipwayConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/ShipwayConfigVersion.cmake DESTINATION ${package_folder})
  file(RELATIVE_PATH prefix_from_pc_file /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/shipway.pc.in ${PROJECT_BINARY_DIR}/shipway.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/shipway.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
