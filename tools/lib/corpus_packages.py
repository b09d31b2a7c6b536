"""Debian packages as a source of text: fetching them, and reading what lies in them."""

import pathlib
import re
import subprocess
import tarfile
import tempfile


class PackageError(Exception):
    """A package cannot be had; the text says which, why and what would help."""


def fetch(names, cache, say):
    """Returns the .deb file of each package, downloading into the folder `cache` what it lacks.

    A name may be alternatives, "gcc-14-locales|gcc-12-locales": the first to be had is taken.
    No network is used for packages that are there already; say(text) tells of a download.
    """
    cache.mkdir(parents=True, exist_ok=True)
    found = {name: _cached(name, cache) for name in names}
    missing = [name for name in names if not found[name]]
    if missing:
        say(f"downloading {', '.join(missing)}")
        _download(missing, cache)
    for name in missing:
        found[name] = _cached(name, cache)
    absent = [name for name in names if not found[name]]
    if absent:
        raise PackageError(f"not downloaded: {', '.join(absent)}")
    return [found[name] for name in names]


def fields(package):
    """Name and version of a .deb file, as its control file has them."""
    try:
        output = _run(["dpkg-deb", "--field", str(package), "Package", "Version"])
    except subprocess.CalledProcessError:
        raise _damaged(package) from None
    control = dict(line.split(": ", 1) for line in output.splitlines())
    return control["Package"], control["Version"]


def files(package, wanted):
    """Yields (path, bytes) of each regular file in a .deb file for whose path wanted(path)."""
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    path = member.name.removeprefix(".")
                    if member.isfile() and wanted(path):
                        yield path, archive.extractfile(member).read()
        except tarfile.ReadError:
            raise _damaged(package) from None
    if process.returncode:
        raise _damaged(package)


def licence(copyright_text):
    """The licence of most of a package's files by its machine-readable copyright file, or None."""
    stanza = re.search(r"^Files:\s*\*\s*$(.*?)(?:^\s*$|\Z)", copyright_text, re.M | re.S)
    name = stanza and re.search(r"^License:[ \t]*(\S.*)$", stanza[1], re.M)
    return name[1].strip() if name else None


def _damaged(package):
    return PackageError(f"{package} cannot be unpacked: delete it and run again")


def _cached(name, cache):
    """The newest downloaded .deb file of a package or of the first alternative that has one."""
    for alternative in name.split("|"):
        packages = sorted(cache.glob(f"{alternative}_*.deb"), key=lambda path: path.stat().st_mtime)
        if packages:
            return packages[-1]
    return None


def _download(names, cache):
    """Downloads with the system's package lists or, where they are no good, with fresh ones."""
    try:
        _download_with([], names, cache)
        return
    except FileNotFoundError:
        raise PackageError("there is no apt here: the corpus is made of Debian packages") from None
    except (PackageError, subprocess.CalledProcessError):
        pass
    lists = cache / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    own_lists = ["-o", f"Dir::State::Lists={lists.resolve()}", "-o", "Debug::NoLocking=true",
                 "-o", "APT::Update::Error-Mode=any"]
    try:
        _apt(own_lists + ["update"], cache)
    except subprocess.CalledProcessError as error:
        raise PackageError(
            f"no network, or apt's sources are wrong: not in {cache} and cannot be downloaded: "
            f"{', '.join(names)}; apt says: {_first_error(error.stderr)}") from None
    try:
        _download_with(own_lists, names, cache)
    except subprocess.CalledProcessError as error:
        raise PackageError(f"apt-get download: {_first_error(error.stderr)}") from None


def _download_with(options, names, cache):
    known = set(_apt(options + ["pkgnames"], cache, program="apt-cache").split())
    chosen = [next((a for a in name.split("|") if a in known), None) for name in names]
    absent = [name for name, choice in zip(names, chosen) if not choice]
    if absent:
        raise PackageError(f"this distribution's archive has no package {', '.join(absent)}")
    # Downloaded beside the cache and moved in whole: an interrupted download leaves nothing.
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        _apt(options + ["download", *chosen], folder)
        for package in pathlib.Path(folder).glob("*.deb"):
            package.rename(cache / package.name)


def _apt(arguments, folder, program="apt-get"):
    options = ["--quiet=2", "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=1",
               "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]
    return _run([program, *options, *arguments], folder)


def _run(command, folder=None):
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def _first_error(text):
    errors = [line for line in text.splitlines() if line.startswith(("E:", "W:"))]
    return errors[0] if errors else text.strip() or "nothing"
