# The contract's messages and stubs, made from ../proto by the system's protoc; nothing is committed.
find_package(Protobuf REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
find_library(ABSL_SYNCHRONIZATION absl_synchronization REQUIRED)

set(proto_root "${CMAKE_CURRENT_SOURCE_DIR}/../proto")
set(proto_out "${CMAKE_CURRENT_BINARY_DIR}/protos")
file(MAKE_DIRECTORY "${proto_out}")

# What a client speaks; what scheduler and executors say to each other is not made.
file(
  GLOB protos CONFIGURE_DEPENDS RELATIVE "${proto_root}"
  "${proto_root}/springald/conformance/v1/*.proto" "${proto_root}/springald/error/v1/*.proto"
  "${proto_root}/springald/etcd/v1/*.proto" "${proto_root}/springald/state/v1/*.proto"
  "${proto_root}/springald/physical/v1/*.proto" "${proto_root}/springald/plan/v1/*.proto"
  "${proto_root}/springald/scheduler/v1/*.proto" "${proto_root}/springald/type/v1/*.proto")
list(APPEND protos springald/executor/v1/files.proto)

set(proto_paths ${protos})
list(TRANSFORM proto_paths PREPEND "${proto_root}/")
set(proto_sources)
foreach(proto IN LISTS protos)
  string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
  set(made "${proto_out}/${stem}.pb.cc")
  set(arguments "--cpp_out=${proto_out}")
  if(stem STREQUAL "springald/scheduler/v1/scheduler")
    list(APPEND made "${proto_out}/${stem}.grpc.pb.cc")
    list(APPEND arguments "--grpc_out=${proto_out}" "--plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN}")
  endif()
  # Every one is made again when any changes: they import each other.
  add_custom_command(
    OUTPUT ${made}
    COMMAND "${Protobuf_PROTOC_EXECUTABLE}" "-I${proto_root}" ${arguments} "${proto_root}/${proto}"
    DEPENDS ${proto_paths}
    VERBATIM)
  list(APPEND proto_sources ${made})
endforeach()

add_library(springald_protos STATIC ${proto_sources})
target_include_directories(springald_protos SYSTEM PUBLIC "${proto_out}")
target_link_libraries(springald_protos PUBLIC PkgConfig::GRPCPP protobuf::libprotobuf
                                              "${ABSL_SYNCHRONIZATION}")
# Messages are control traffic: what would make them faster makes the build slower.
target_compile_options(springald_protos PRIVATE -O1)
