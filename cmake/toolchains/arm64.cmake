# Builds for 64-bit Arm with Debian's cross compiler, against the packages that tools/cross has
# unpacked into VKSEQ_SYSROOT, and runs what it builds under qemu.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES VKSEQ_SYSROOT)
set(CMAKE_SYSROOT ${VKSEQ_SYSROOT})
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${VKSEQ_SYSROOT})
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${VKSEQ_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
  ${VKSEQ_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${VKSEQ_SYSROOT}/usr/share/pkgconfig)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
