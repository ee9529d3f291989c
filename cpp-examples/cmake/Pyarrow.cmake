# Arrow and Arrow Flight, as the pyarrow wheel carries them: headers and libraries, no CMake files.
#
# The libraries have pyarrow's major version in their names and no stable binary interface: what was
# built against one major version is built again for the next.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
execute_process(
  COMMAND
    "${Python3_EXECUTABLE}" -c
    "import pyarrow; print(pyarrow.get_include(), pyarrow.get_library_dirs()[0], pyarrow.__version__.split('.')[0], sep=';')"
  OUTPUT_VARIABLE pyarrow_found
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
list(GET pyarrow_found 0 pyarrow_include)
list(GET pyarrow_found 1 pyarrow_libraries)
list(GET pyarrow_found 2 pyarrow_major)

foreach(name arrow arrow_compute arrow_flight)
  add_library(pyarrow::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(
    pyarrow::${name}
    PROPERTIES IMPORTED_LOCATION "${pyarrow_libraries}/lib${name}.so.${pyarrow_major}00"
               INTERFACE_INCLUDE_DIRECTORIES "${pyarrow_include}")
endforeach()
target_link_libraries(pyarrow::arrow_compute INTERFACE pyarrow::arrow)
target_link_libraries(pyarrow::arrow_flight INTERFACE pyarrow::arrow)
