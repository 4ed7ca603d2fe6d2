# What people install: the library, the command, and the files that let others find them.
if(EXISTS ${PROJECT_SOURCE_DIR}/src/cli/main.cpp)
  add_executable(shipway_command ${PROJECT_SOURCE_DIR}/src/cli/main.cpp)
  set_target_properties(shipway_command PROPERTIES OUTPUT_NAME shipway RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  target_link_libraries(shipway_command PRIVATE shipway_cli)
endif()
