#!/usr/bin/env python3
"""Runs a test program under the Khronos validation layer with synchronisation validation; any
message of the layer is a failure.

    validation.py PROVOKER PROGRAM

PROVOKER is provoke_validation: it must be told of what it does wrong.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools" / "lib"))
import validation_layer


def run(program, environment):
    result = subprocess.run([program], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    print(result.stdout)
    if result.returncode != 0:
        sys.exit(result.returncode)
    return result.stdout


def main():
    provoker, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, **validation_layer.environment("sync", pathlib.Path(folder)))
        if not validation_layer.was_provoked("sync", run(provoker, environment)):
            print("the validation layer does not see a missing barrier")
            return 1
        messages = validation_layer.messages(run(program, environment))
    print(f"{len(messages)} messages of the validation layer")
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
