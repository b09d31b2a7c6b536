# Library, headers, command, models, pkg-config file and CMake package.
include(CMakePackageConfigHelpers)

install(TARGETS vkseq vkseq_document EXPORT vkseqTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(VKSEQ_HIDES_NAMES)
  install(CODE "set(libraries [[$<TARGET_FILE:vkseq>]] [[$<TARGET_FILE:vkseq_document>]])
    cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_PREFIX NORMALIZE OUTPUT_VARIABLE prefix)
    cmake_path(APPEND prefix [[${CMAKE_INSTALL_LIBDIR}]] OUTPUT_VARIABLE folder)
    set(folder \"\$ENV{DESTDIR}\${folder}\")
    set(map_file [[${PROJECT_BINARY_DIR}/private_names.txt]])
    set(nm [[${CMAKE_NM}]])
    set(objcopy [[${CMAKE_OBJCOPY}]])")
  install(SCRIPT cmake/PrivateNames.cmake)
endif()
install(TARGETS vkseq_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/vkseq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY samples/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/vkseq/models OPTIONAL)

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
