# Everything the project builds on, found once. All of it comes from Debian 12.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(pugixml 1.13 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
# Compact Language Detector 2 has neither a CMake package nor a pkg-config file.
find_library(TRIAGED_CLD2_LIBRARY cld2 REQUIRED)
find_path(TRIAGED_CLD2_INCLUDE cld2/public/compact_lang_det.h REQUIRED)
add_library(cld2::cld2 UNKNOWN IMPORTED)
set_target_properties(cld2::cld2 PROPERTIES
  IMPORTED_LOCATION "${TRIAGED_CLD2_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${TRIAGED_CLD2_INCLUDE}")
# Nor has utf8proc, as Debian builds it, a CMake package.
find_library(TRIAGED_UTF8PROC_LIBRARY utf8proc REQUIRED)
find_path(TRIAGED_UTF8PROC_INCLUDE utf8proc.h REQUIRED)
add_library(utf8proc::utf8proc UNKNOWN IMPORTED)
set_target_properties(utf8proc::utf8proc PROPERTIES
  IMPORTED_LOCATION "${TRIAGED_UTF8PROC_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${TRIAGED_UTF8PROC_INCLUDE}")
if(TRIAGED_TESTS)
  find_package(GTest REQUIRED)
endif()

# Our own code compiles without a warning under g++ 12 and clang 16.
add_library(triage_warnings INTERFACE)
target_compile_options(triage_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives of these two inside its own library when optimising.
  # The third is about the frames of Asio's awaitable coroutines.
  target_compile_options(triage_warnings INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-mismatched-new-delete)
endif()

if(TRIAGED_SANITIZE)
  add_compile_options(-fsanitize=${TRIAGED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TRIAGED_SANITIZE})
  if(TRIAGED_SANITIZE MATCHES "undefined")
    # The vptr check opens a pipe to look at memory, and takes what it cannot look at for wrong: a program that has no
    # file descriptor left, as one of the tests brings about, would fail it.
    add_compile_options(-fno-sanitize=vptr)
    add_link_options(-fno-sanitize=vptr)
  endif()
endif()
if(TRIAGED_FUZZ)
  # libFuzzer sees which of our code an input reaches.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Asio and Beast are compiled once, here, and only declared everywhere else.
add_library(triage_asio STATIC src/net/impl/asio.cpp src/net/impl/beast.cpp)
target_compile_definitions(triage_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(triage_asio PUBLIC Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

# So is Boost.JSON.
add_library(triage_boost_json STATIC src/ingest/impl/json.cpp)
target_link_libraries(triage_boost_json PUBLIC Boost::headers)
