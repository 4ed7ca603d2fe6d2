# The module shipway._core. With `pip install .` (scikit-build-core) it is installed into the package; in a developer's
# build it lies in build/PRESET/python/shipway beside links to the Python sources, so that PYTHONPATH can point there.
if(NOT SHIPWAY_BUILD_PYTHON)
  return()
endif()
find_package(Python 3.11 COMPONENTS Interpreter Development.Module REQUIRED)
execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
                OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE nanobind_ROOT COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)

file(GLOB python_module_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/python/*.cpp)
nanobind_add_module(shipway_python NB_STATIC NOMINSIZE ${python_module_sources})
set_target_properties(shipway_python PROPERTIES OUTPUT_NAME _core
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/python/shipway)
target_link_libraries(shipway_python PRIVATE shipway_tasks)
target_compile_definitions(shipway_python PRIVATE SHIPWAY_VERSION="${PROJECT_VERSION}")
# nanobind's and Python's headers are not ours to judge, nor the code that their macros put into our files.
target_include_directories(shipway_python SYSTEM PRIVATE ${NB_DIR}/include ${Python_INCLUDE_DIRS})
target_compile_options(shipway_python PRIVATE -Wno-old-style-cast -Wno-shadow -Wno-pedantic)
target_compile_options(nanobind-static PRIVATE -w)

# What _core has, for type checkers; made from the module itself.
nanobind_add_stub(shipway_python_stub MODULE _core OUTPUT ${PROJECT_BINARY_DIR}/python/shipway/_core.pyi
  PYTHON_PATH ${PROJECT_BINARY_DIR}/python/shipway DEPENDS shipway_python)

file(GLOB_RECURSE python_sources CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/python
     ${PROJECT_SOURCE_DIR}/python/shipway/*.py ${PROJECT_SOURCE_DIR}/python/shipway/*.pyi ${PROJECT_SOURCE_DIR}/python/shipway/py.typed)
foreach(source IN LISTS python_sources)
  get_filename_component(folder ${PROJECT_BINARY_DIR}/python/${source} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/python/${source} ${PROJECT_BINARY_DIR}/python/${source} SYMBOLIC)
endforeach()

if(SKBUILD)
  install(TARGETS shipway_python LIBRARY DESTINATION shipway COMPONENT python)
  install(FILES ${PROJECT_BINARY_DIR}/python/shipway/_core.pyi DESTINATION shipway COMPONENT python)
  if(TARGET shipway_command)
    install(TARGETS shipway_command RUNTIME DESTINATION shipway/bin COMPONENT python)
  endif()
endif()
