"""Runs one file of tests and tells how many passed: run_parity.py FILE FD writes a JSON list of the
numbers of passed, failed and skipped tests to the open file FD."""
import importlib.util
import json
import os
import sys
import unittest


def load(path):
    spec = importlib.util.spec_from_file_location("parity_test", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_of(case):
    """The test that a part of it, a subTest, belongs to."""
    return getattr(case, "test_case", case).id()


def main():
    path, descriptor = sys.argv[1], int(sys.argv[2])
    suite = unittest.defaultTestLoader.loadTestsFromModule(load(path))
    num = suite.countTestCases()
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = {test_of(case) for case, _ in result.failures + result.errors}
    failed |= {test_of(case) for case in result.unexpectedSuccesses}
    skipped = {test_of(case) for case, _ in result.skipped} - failed
    # What fails or is skipped before any test, as the preparation of a module, stands for all.
    num_failed, num_skipped = len(failed), len(skipped)
    if result.testsRun < num:
        num_failed = num_failed and max(num_failed, num - num_skipped)
        num_skipped = num_skipped if num_failed else num
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump([num - num_failed - num_skipped, num_failed, num_skipped], file)


if __name__ == "__main__":
    main()
