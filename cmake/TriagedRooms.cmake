# triage_room(NAME LINK libs…): the library triage_NAME from src/NAME/*.cpp, its contract in include/triage/NAME/.
function(triage_room name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cpp")
  if(sources)
    add_library(triage_${name} STATIC ${sources})
    target_include_directories(triage_${name} PUBLIC "${CMAKE_SOURCE_DIR}/include" PRIVATE "${CMAKE_SOURCE_DIR}/src")
    target_link_libraries(triage_${name} PUBLIC ${ARG_LINK} PRIVATE triage_warnings)
  else()
    add_library(triage_${name} INTERFACE)
    target_include_directories(triage_${name} INTERFACE "${CMAKE_SOURCE_DIR}/include")
    target_link_libraries(triage_${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()

# One test program a room, unit_NAME, from tests/unit/NAME/*.cpp. A test finds its fixtures below TRIAGED_SOURCE_DIR.
function(triage_unit_tests)
  include(GoogleTest)
  foreach(name IN LISTS ARGN)
    file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/${name}/*.cpp")
    if(tests)
      add_executable(unit_${name} ${tests})
      target_include_directories(unit_${name} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/tests")
      target_compile_definitions(unit_${name} PRIVATE TRIAGED_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      target_link_libraries(unit_${name} PRIVATE triage_${name} GTest::gmock GTest::gtest GTest::gtest_main triage_warnings)
      gtest_discover_tests(unit_${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 120)
    endif()
  endforeach()
endfunction()

# triage_embed(TARGET SYMBOL FILE): puts FILE into TARGET's read-only data as triage_embedded_SYMBOL[] and
# triage_embedded_SYMBOL_end[], so that the binary needs no file beside it.
function(triage_embed target symbol file)
  set(source "${CMAKE_BINARY_DIR}/embedded/${target}_${symbol}.cpp")
  file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT [[
__asm__(R"(
.section .rodata
.balign 64
.global triage_embedded_@symbol@
triage_embedded_@symbol@:
.incbin "@file@"
.global triage_embedded_@symbol@_end
triage_embedded_@symbol@_end:
.byte 0
.previous
)");
]])
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${file}" COMPILE_OPTIONS "-fno-lto")
  target_sources(${target} PRIVATE "${source}")
endfunction()
