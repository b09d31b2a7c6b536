"""The Khronos validation layer around a program: what it checks, and the messages it writes."""
import os
import re

# Core checks are always made. Best practices apart: their messages are advice.
RUNS = ("core", "sync", "best-practices")
FEATURES = {"sync": "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT",
            "best-practices": "VK_VALIDATION_FEATURE_ENABLE_BEST_PRACTICES_EXT"}

# What provoke_validation must be told in each run. That a run's own kind is among them shows that
# the layer took the settings: what it does not understand it ignores.
PROVOKED = {"core": "VUID-vkCmdFillBuffer-size-00028", "sync": "SYNC-HAZARD-WRITE-AFTER-WRITE",
            "best-practices": "BestPractices-"}

# Messages that are no failure, by the beginning of their name, with the reason.
SUPPRESSED = {
    "VALIDATION-SETTINGS":
        "newer layers have other names for the settings below, which older ones do not know",
    "BestPractices-SpirvDeprecated_WorkgroupSize":
        "what replaces it needs Vulkan 1.3; the floor is 1.1",
    "BestPractices-vkAllocateMemory-small-allocation":
        "a program has few buffers, large but for tests', and each has its own memory",
    "BestPractices-vkBindMemory-small-dedicated-allocation": "the same",
    "BestPractices-vkBindBufferMemory-small-dedicated-allocation": "the same",
}

MESSAGE = re.compile(r"Validation (?:Performance )?(?:Error|Warning|Information): \[ (\S+) \]")


def environment(run, folder):
    """The environment variables that put a program under the layer, which then writes to the
    program's stdout. Writes the layer's settings into the folder."""
    settings = {"debug_action": "VK_DBG_LAYER_ACTION_LOG_MSG", "log_filename": "stdout",
                "report_flags": "error,warn,perf"}
    if run in FEATURES:
        settings["enables"] = FEATURES[run]
    file = folder / "vk_layer_settings.txt"
    file.write_text("".join(f"khronos_validation.{key} = {value}\n"
                            for key, value in settings.items()), "utf-8")
    variables = {"VK_INSTANCE_LAYERS": "VK_LAYER_KHRONOS_validation",
                 "VK_LAYER_SETTINGS_PATH": str(file),
                 # The layer leaks its own C++ objects.
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    if run == "sync":
        # Synchronisation validation does not see through addresses.
        variables["VKSEQ_KERNELS"] = "subgroup"
    return variables


def messages(text):
    """Names of the messages in a program's output, without those that are suppressed."""
    return [name for name in all_messages(text)
            if not any(name.startswith(prefix) for prefix in SUPPRESSED)]


def all_messages(text):
    return [name.removeprefix("UNASSIGNED-") for name in MESSAGE.findall(text)]


def was_provoked(run, text):
    """Whether the output of provoke_validation shows that the layer makes the checks of a run."""
    return any(name.startswith(PROVOKED[run]) for name in all_messages(text))
