# What `cmake --install` puts in place: the program, the shared library with its header, and package files for CMake
# (find_package(cleave)) and pkg-config. All of it can be moved to another folder together.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(cleave_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cleave)
install(TARGETS cleave)
install(TARGETS cleave_library EXPORT cleaveTargets)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/cleave DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT cleaveTargets NAMESPACE cleave:: DESTINATION ${cleave_cmake_dir})

configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/cleaveConfig.cmake.in ${CMAKE_BINARY_DIR}/cleaveConfig.cmake
                              INSTALL_DESTINATION ${cleave_cmake_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cleaveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/cleaveConfig.cmake ${CMAKE_BINARY_DIR}/cleaveConfigVersion.cmake
        DESTINATION ${cleave_cmake_dir})

file(RELATIVE_PATH CLEAVE_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_SOURCE_DIR}/cmake/cleave.pc.in ${CMAKE_BINARY_DIR}/cleave.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/cleave.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
