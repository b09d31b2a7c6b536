# Compiles every line of shaders/shaders.list in each kernel family and embeds the SPIR-V. Where
# there is no glslc, or it is too old for a shader, the committed shaders/spirv are taken.
#   VKSEQ_SHADER_SOURCE   C and assembler sources to compile into the library
#   target `spirv`        writes what was compiled into shaders/spirv
#   VKSEQ_NEW_GLSLC       a glslc with GL_KHR_cooperative_matrix (2025.1 or newer) for the shaders
#                         that need it; they are taken from shaders/spirv without it
enable_language(ASM)
find_program(GLSLC glslc)
find_program(SPIRV_VAL spirv-val)
set(VKSEQ_NEW_GLSLC "" CACHE FILEPATH "glslc that compiles cooperative matrices")

set(VKSEQ_FAMILIES shared subgroup address texel)
set(VKSEQ_FAMILY_FLAGS_shared "")
set(VKSEQ_FAMILY_FLAGS_subgroup -DWAVE_SUBGROUP)
set(VKSEQ_FAMILY_FLAGS_address -DWAVE_SUBGROUP -DUSE_ADDRESS)
set(VKSEQ_FAMILY_FLAGS_texel -DWAVE_SUBGROUP -DUSE_ADDRESS -DREAD_TEXELS)
set(VKSEQ_FAMILY_ENV_shared vulkan1.1)
set(VKSEQ_FAMILY_ENV_subgroup vulkan1.2)
set(VKSEQ_FAMILY_ENV_address vulkan1.2)
set(VKSEQ_FAMILY_ENV_texel vulkan1.2)

set(shader_dir ${PROJECT_SOURCE_DIR}/shaders)
set(spirv_dir ${PROJECT_BINARY_DIR}/spirv)
file(MAKE_DIRECTORY ${spirv_dir})
file(GLOB shader_headers CONFIGURE_DEPENDS ${shader_dir}/*.h ${shader_dir}/lib/*)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${shader_dir}/shaders.list)
file(STRINGS ${shader_dir}/shaders.list shader_lines REGEX "^[+a-z]")

# Appends a shader's source and what it includes to a list.
function(list_sources file list_name)
  set(files ${${list_name}} ${file})
  file(STRINGS ${shader_dir}/${file} includes REGEX "^#include \"")
  foreach(include ${includes})
    string(REGEX REPLACE "^#include \"(.*)\"" "\\1" include "${include}")
    if(NOT include IN_LIST files)
      list_sources(${include} files)
    endif()
  endforeach()
  set(${list_name} ${files} PARENT_SCOPE)
endfunction()

set(new_sources "") # of shaders that need VKSEQ_NEW_GLSLC
set(VKSEQ_SPIRV_FILES "")
string(CONCAT asm_text "#ifdef __ELF__\n#define HIDDEN(name) .hidden name\n.section .rodata\n"
  "#else\n#define HIDDEN(name)\n.section .rdata,\"dr\"\n#endif\n")
set(extern_text "")
set(table_text "")
foreach(line ${shader_lines})
  separate_arguments(words UNIX_COMMAND "${line}")
  list(POP_FRONT words name source)
  set(compiler ${GLSLC})
  if(name MATCHES "^[+]")
    string(SUBSTRING ${name} 1 -1 name)
    set(compiler ${VKSEQ_NEW_GLSLC})
    list_sources(${source} new_sources)
  endif()
  string(APPEND table_text "    {\"${name}\", {")
  foreach(family ${VKSEQ_FAMILIES})
    set(symbol spirv_${name}_${family})
    if(compiler)
      set(spirv ${spirv_dir}/${name}.${family}.spv)
      add_custom_command(OUTPUT ${spirv}
        COMMAND ${compiler} -fshader-stage=comp --target-env=${VKSEQ_FAMILY_ENV_${family}}
          -I ${shader_dir} ${words} ${VKSEQ_FAMILY_FLAGS_${family}} ${shader_dir}/${source}
          -o ${spirv}
        DEPENDS ${shader_dir}/${source} ${shader_headers} VERBATIM)
    elseif(GLSLC)
      # A copy, so that the target `spirv` finds all of them in one place.
      set(spirv ${spirv_dir}/${name}.${family}.spv)
      add_custom_command(OUTPUT ${spirv}
        COMMAND ${CMAKE_COMMAND} -E copy ${shader_dir}/spirv/${name}.${family}.spv ${spirv}
        DEPENDS ${shader_dir}/spirv/${name}.${family}.spv VERBATIM)
    else()
      set(spirv ${shader_dir}/spirv/${name}.${family}.spv)
    endif()
    list(APPEND VKSEQ_SPIRV_FILES ${spirv})
    string(APPEND asm_text ".balign 16\n.globl ${symbol}\nHIDDEN(${symbol})\n${symbol}:\n"
      ".incbin \"${spirv}\"\n.globl ${symbol}_end\nHIDDEN(${symbol}_end)\n${symbol}_end:\n")
    string(APPEND extern_text "extern const unsigned char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND table_text "{${symbol}, ${symbol}_end}, ")
  endforeach()
  string(APPEND table_text "}},\n")
endforeach()
# Whether the committed modules that this build may not be able to make are those of the sources.
set(new_sums ${spirv_dir}/new-sources.txt)
list(REMOVE_DUPLICATES new_sources)
if(VKSEQ_NEW_GLSLC)
  list(TRANSFORM new_sources PREPEND ${shader_dir}/ OUTPUT_VARIABLE new_paths)
  add_custom_command(OUTPUT ${new_sums} COMMAND ${CMAKE_COMMAND} -E sha256sum ${new_sources}
    > ${new_sums} WORKING_DIRECTORY ${shader_dir} DEPENDS ${new_paths} VERBATIM)
else()
  add_custom_command(OUTPUT ${new_sums}
    COMMAND ${CMAKE_COMMAND} -E copy ${shader_dir}/spirv/new-sources.txt ${new_sums}
    DEPENDS ${shader_dir}/spirv/new-sources.txt VERBATIM)
endif()
string(APPEND asm_text
  "#ifdef __ELF__\n.section .note.GNU-stack,\"\",%progbits\n#endif\n")

file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/shader_data.S CONTENT "${asm_text}")
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/shader_table.c CONTENT
"#include \"vk/shaders.h\"\n${extern_text}const struct shader shader_table[] = {\n${table_text}};
const size_t num_shaders = sizeof shader_table / sizeof shader_table[0];\n")
set(VKSEQ_SHADER_SOURCE ${PROJECT_BINARY_DIR}/shader_table.c ${PROJECT_BINARY_DIR}/shader_data.S)
set_source_files_properties(${PROJECT_BINARY_DIR}/shader_data.S PROPERTIES
  OBJECT_DEPENDS "${VKSEQ_SPIRV_FILES}")
set_source_files_properties(${VKSEQ_SHADER_SOURCE} PROPERTIES GENERATED ON)
add_custom_target(vkseq_spirv DEPENDS ${VKSEQ_SPIRV_FILES} ${new_sums})

if(GLSLC)
  execute_process(COMMAND ${GLSLC} --version OUTPUT_VARIABLE glslc_version
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(WRITE ${spirv_dir}/glslc-version.txt "${glslc_version}\n")
  add_custom_target(spirv
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${shader_dir}/spirv
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${spirv_dir} ${shader_dir}/spirv
    DEPENDS vkseq_spirv COMMENT "Writing shaders/spirv")
endif()
