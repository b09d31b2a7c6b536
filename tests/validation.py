#!/usr/bin/env python3
"""Runs a test program under the Khronos validation layer with synchronisation validation; any
message of the layer is a failure. validation.py PROGRAM

Buffers are descriptors here, since synchronisation validation does not see through addresses.
"""
import os
import pathlib
import re
import subprocess
import sys

LAYER = "VK_LAYER_KHRONOS_validation"
MESSAGE = re.compile(r"VUID-|SYNC-HAZARD|UNASSIGNED-|Validation (Error|Warning)")


def layer_is_installed():
    folders = ["/usr/share/vulkan", "/usr/local/share/vulkan", "/etc/vulkan"]
    folders += [os.environ["VK_LAYER_PATH"]] if "VK_LAYER_PATH" in os.environ else []
    return any(path for folder in folders
               for path in pathlib.Path(folder).glob("**/VkLayer_khronos_validation.json"))


def main():
    program = sys.argv[1]
    if not layer_is_installed():
        print("the Khronos validation layer is not installed")
        return 77
    # The layer leaks its own C++ objects; leaks of vkseq show in every other test.
    environment = dict(os.environ, VKSEQ_KERNELS="subgroup", VK_INSTANCE_LAYERS=LAYER,
                       ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0",
                       VK_LAYER_ENABLES="VK_VALIDATION_FEATURE_ENABLE_"
                                        "SYNCHRONIZATION_VALIDATION_EXT")
    result = subprocess.run([program], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    print(result.stdout)
    if result.returncode != 0:
        return result.returncode
    messages = [line for line in result.stdout.splitlines() if MESSAGE.search(line)]
    print(f"{len(messages)} messages of the validation layer")
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
