"""`python -m apps.code.grammar.build LANGUAGE [--source DIR] [--output FILE]`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from apps.code.grammar.build.finishing_costs import finishing_costs
from apps.code.grammar.build.lexer_tables import lexer_tables
from apps.code.grammar.build.traps import traps
from apps.code.grammar.errors import GrammarBuildError, GrammarError
from apps.code.grammar.grammar import DATA_DIR
from apps.code.grammar.languages import Language, language
from apps.code.grammar.tables import Tables


def fetch_source(spec: Language, folder: Path) -> Path:
    """The `src` folder of the grammar's package, from PyPI's source distribution or else from npm."""
    commands = {
        "PyPI": [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--no-binary=:all:",
            "--no-build-isolation",
            "--quiet",
            "--dest",
            str(folder),
            f"{spec.package}=={spec.version}",
        ],
        "npm": [
            "npm",
            "pack",
            "--silent",
            "--pack-destination",
            str(folder),
            f"{spec.package}@{spec.version}",
        ],
    }
    tried = []
    for place, command in commands.items():
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            tried.append(f"{place}: {command[0]} is not installed")
            continue
        archives = sorted([*folder.glob("*.tar.gz"), *folder.glob("*.tgz")])
        if done.returncode or not archives:
            tried.append(f"{place}: {done.stderr.strip()[-300:]}")
            continue
        with tarfile.open(archives[0]) as archive:
            archive.extractall(folder / "package", filter="data")
        found = sorted((folder / "package").rglob("src/parser.c"))
        if found:
            return found[0].parent
        tried.append(f"{place}: no src/parser.c in {archives[0].name}")
    raise GrammarBuildError(
        f"could not get the sources of {spec.package} {spec.version}; " + "; ".join(tried)
    )


def build(spec: Language, source: Path, output: Path) -> None:
    """Write the data file of a language from the `src` folder of its grammar package."""
    tables = Tables(spec.package, spec.version)
    manifest = tables.manifest
    arrays = lexer_tables(source) | finishing_costs(spec.name, tables)
    numbers = (manifest.abi, manifest.states, manifest.tokens, manifest.symbols, manifest.crc)
    arrays["traps"] = traps(tables)
    arrays["manifest"] = np.array(numbers, np.int64)
    np.savez_compressed(output, allow_pickle=False, **arrays)


def main() -> int:
    """Build one data file; 0 where it was written."""
    parser = argparse.ArgumentParser(prog="python -m apps.code.grammar.build", description=__doc__)
    parser.add_argument("language")
    parser.add_argument(
        "--source", type=Path, help="an unpacked grammar package's src folder (default: download)"
    )
    parser.add_argument(
        "--output", type=Path, help="the file to write (default: the project's own data file)"
    )
    arguments = parser.parse_args()
    try:
        spec = language(arguments.language)
        output = arguments.output or DATA_DIR / f"{spec.name}.npz"
        with tempfile.TemporaryDirectory() as folder:
            build(spec, arguments.source or fetch_source(spec, Path(folder)), output)
    except GrammarError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{output}: {output.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
