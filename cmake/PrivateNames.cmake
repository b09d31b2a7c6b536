# When installing: static libraries in which whatever is global and not of the public API begins with
# vks_internal_, so that it collides with nothing of a program that links them, nor with another copy
# of volk. C++ names are left alone: they are of the standard library and SentencePiece.
#   libraries     as they were built
#   folder        that they are installed in
#   map_file      where the names are written
#   nm, objcopy   of binutils or LLVM
execute_process(COMMAND ${nm} -g -P --defined-only ${libraries}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n[A-Za-z][A-Za-z0-9_]* " names "\n${symbols}")
list(TRANSFORM names STRIP)
list(REMOVE_DUPLICATES names)
list(FILTER names EXCLUDE REGEX "^vks_")
list(TRANSFORM names REPLACE "(.+)" "\\1 vks_internal_\\1")
list(JOIN names "\n" map)
file(WRITE "${map_file}" "${map}\n")
foreach(library ${libraries})
  get_filename_component(name ${library} NAME)
  execute_process(COMMAND ${objcopy} --redefine-syms=${map_file} ${library} ${folder}/${name}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
