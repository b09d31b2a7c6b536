# Library, headers, command, pkg-config file and CMake package.
include(CMakePackageConfigHelpers)

install(TARGETS vkseq vkseq_document EXPORT vkseqTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS vkseq_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/vkseq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# The prefix is found from where the file lies, so that `cmake --install --prefix` holds.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
if(VKSEQ_PO)
  set(document_libraries -lgettextpo)
endif()
foreach(name vkseq vkseq_document)
  configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vkseq)
configure_package_config_file(cmake/vkseqConfig.cmake.in ${PROJECT_BINARY_DIR}/vkseqConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vkseqConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(EXPORT vkseqTargets NAMESPACE vkseq:: DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/vkseqConfig.cmake ${PROJECT_BINARY_DIR}/vkseqConfigVersion.cmake
  DESTINATION ${package_dir})
