# What `cmake --install` puts down: the program `stele`; for programs that hold an engine themselves
# the headers of stele/engine.h, the static libraries behind it, and what find_package(stele) needs to
# link them as stele::stele (docs/embedding.md).

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The libraries of the project that `target` is linked from, itself included.
function(stele_parts_of target out)
  set(parts ${${out}})
  if(NOT target IN_LIST parts)
    list(APPEND parts ${target})
    get_target_property(links ${target} LINK_LIBRARIES)
    foreach(link ${links})
      if(link MATCHES "^stele_" AND TARGET ${link})
        stele_parts_of(${link} parts)
      endif()
    endforeach()
  endif()
  set(${out} ${parts} PARENT_SCOPE)
endfunction()

set(parts)
stele_parts_of(stele_embed parts)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/stele)
set_target_properties(stele_embed PROPERTIES EXPORT_NAME stele)
install(TARGETS ${parts} EXPORT stele ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/stele)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/engine/embed/include/stele/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/stele FILES_MATCHING PATTERN "*.h")
install(EXPORT stele NAMESPACE stele:: FILE stele-targets.cmake DESTINATION ${package})
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/stele-config.cmake.in
  ${CMAKE_BINARY_DIR}/stele-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/stele-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/stele-config.cmake ${CMAKE_BINARY_DIR}/stele-config-version.cmake
        DESTINATION ${package})
if(TARGET stele)
  install(TARGETS stele RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
