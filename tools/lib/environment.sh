# Sourced by the scripts in tools/: the Vulkan driver that programs other than vkseq itself (which
# sees to it alone) should use when there is no GPU, and a folder for compiled shaders.
vkseq_cache=${XDG_CACHE_HOME:-$HOME/.cache}/vkseq
if [[ ! ${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}${VK_ADD_DRIVER_FILES:-} &&
      -e $vkseq_cache/lavapipe/lvp_icd.json ]]; then
    export VK_DRIVER_FILES=$vkseq_cache/lavapipe/lvp_icd.json
fi
