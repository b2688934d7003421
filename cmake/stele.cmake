# What every folder's CMakeLists.txt calls: one library a folder, tests and benchmarks by name.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(ROCKSDB REQUIRED IMPORTED_TARGET rocksdb)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(YAMLCPP REQUIRED IMPORTED_TARGET yaml-cpp)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(CAPNP REQUIRED IMPORTED_TARGET capnp)
pkg_check_modules(CAPNP_RPC REQUIRED IMPORTED_TARGET capnp-rpc)
pkg_check_modules(KJ_ASYNC REQUIRED IMPORTED_TARGET kj-async)
pkg_check_modules(KJ_HTTP REQUIRED IMPORTED_TARGET kj-http)
pkg_check_modules(KJ_TLS REQUIRED IMPORTED_TARGET kj-tls)
pkg_check_modules(KJ_GZIP REQUIRED IMPORTED_TARGET kj-gzip)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(NCURSESW REQUIRED IMPORTED_TARGET ncursesw)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
find_package(date REQUIRED)

# stele_library(NAME sources... [PUBLIC libs...] [PRIVATE libs...])
function(stele_library name)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# stele_test(NAME sources... LIBS libs...): a GoogleTest program; every TEST in it is a ctest of its own.
function(stele_test name)
  if(NOT STELE_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "TIMEOUT" "LIBS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE STELE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

# Everything that is generated rather than written: what clang-tidy needs before it can read a file.
add_custom_target(generated_sources)
# Every benchmark: what `./dev bench` builds.
add_custom_target(benches)

# stele_bench(NAME sources... LIBS libs...): a Google Benchmark program in build/…/bench.
function(stele_bench name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
  add_dependencies(benches ${name})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} benchmark::benchmark benchmark::benchmark_main)
endfunction()

# stele_bench_program(NAME sources... LIBS libs...): a benchmark with a main of its own, whose figures
# need one run after another rather than iterations.
function(stele_bench_program name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench/programs)
  add_dependencies(benches ${name})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
endfunction()

# stele_capnp(OUT_VARIABLE file.capnp…): the generated C++ sources, beside the same path in the build tree.
function(stele_capnp out)
  set(sources)
  foreach(file ${ARGN})
    set(generated ${CMAKE_CURRENT_BINARY_DIR}/${file}.c++)
    add_custom_command(OUTPUT ${generated} ${CMAKE_CURRENT_BINARY_DIR}/${file}.h
      COMMAND capnp compile -oc++:${CMAKE_CURRENT_BINARY_DIR} --src-prefix=${CMAKE_CURRENT_SOURCE_DIR}
              ${CMAKE_CURRENT_SOURCE_DIR}/${file}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file} VERBATIM)
    list(APPEND sources ${generated})
  endforeach()
  string(REPLACE "/" "_" target "generate/${CMAKE_CURRENT_SOURCE_DIR}/${out}")
  add_custom_target(${target} DEPENDS ${sources})
  add_dependencies(generated_sources ${target})
  set(${out} ${sources} PARENT_SCOPE)
endfunction()
