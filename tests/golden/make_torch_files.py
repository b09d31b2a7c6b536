#!/usr/bin/env python3
"""Writes the files of tests/golden/torch, which test_io_torch_file.c reads.

    make_torch_files.py        needs PyTorch
"""
import os
import pathlib
import pickle
import zipfile

import torch

FOLDER = pathlib.Path(__file__).resolve().parent / "torch"


class Command:
    """What a pickle that means harm looks like: reading it runs a command."""

    def __reduce__(self):
        return os.system, ("touch harmed",)


def write_evil(path):
    """The archive of a tensor with another pickle in it."""
    torch.save({"a": torch.zeros(2)}, path)
    with zipfile.ZipFile(path) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name),
                             pickle.dumps({"a": Command()}, 2) if name.endswith("data.pkl") else data)


def main():
    FOLDER.mkdir(exist_ok=True)
    table = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    state = {
        "table": table, "tied": table, "turned": table.t(), "part": table[1:, 2:],
        "half": torch.tensor([0.5, -2.0], dtype=torch.float16),
        "brain": torch.tensor([[1.5], [3.0]], dtype=torch.bfloat16),
        "ids": torch.tensor([7, 8]), "scalar": torch.tensor(2.5), "none": torch.zeros(0, 4),
        "parameter": torch.nn.Parameter(torch.tensor([4.0, 5.0])),
    }
    torch.save(state, FOLDER / "state.bin")
    torch.save({"a": torch.ones(2)}, FOLDER / "old.bin", _use_new_zipfile_serialization=False)
    torch.save({"a": torch.ones(2), "epoch": 3}, FOLDER / "more.bin")
    write_evil(FOLDER / "evil.bin")


if __name__ == "__main__":
    main()
