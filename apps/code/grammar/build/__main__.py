"""`python -m apps.code.grammar.build LANGUAGE [--source DIR] [--output FILE | --check]`."""

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
    """The `src` folder of the grammar's source distribution, by pip. Raises GrammarBuildError."""
    wanted = f"{spec.package}=={spec.version}"
    options = ["--no-deps", "--no-binary=:all:", "--no-build-isolation", "--quiet", "--dest", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    archives = sorted(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        raise GrammarBuildError(f"could not get the sources of {wanted}: {done.stderr.strip()[-300:]}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder / "package", filter="data")
    found = sorted((folder / "package").rglob("src/parser.c"))
    if not found:
        raise GrammarBuildError(f"no src/parser.c in {archives[0].name}; give an unpacked one with --source")
    return found[0].parent


def build(spec: Language, source: Path, output: Path) -> None:
    """Write the data file of a language from the `src` folder of its grammar package."""
    tables = Tables(spec.package, spec.version)
    manifest = tables.manifest
    arrays = lexer_tables(source) | finishing_costs(spec.name, tables)
    numbers = (manifest.abi, manifest.states, manifest.tokens, manifest.symbols, manifest.crc)
    arrays["traps"] = traps(tables)
    arrays["manifest"] = np.array(numbers, np.int64)
    np.savez_compressed(output, allow_pickle=False, **arrays)


def same(made: Path, known: Path) -> bool:
    """Whether two data files hold the same arrays."""
    with np.load(made) as one, np.load(known) as other:
        return set(one) == set(other) and all(np.array_equal(one[name], other[name]) for name in one)


def main() -> int:
    """Build one data file; 0 where it was written, or found to be the same."""
    parser = argparse.ArgumentParser(prog="python -m apps.code.grammar.build", description=__doc__)
    parser.add_argument("language")
    parser.add_argument(
        "--source", type=Path, help="an unpacked grammar package's src folder (default: download)"
    )
    parser.add_argument(
        "--output", type=Path, help="the file to write (default: the project's own data file)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing: compare with the project's own data file"
    )
    arguments = parser.parse_args()
    try:
        spec = language(arguments.language)
        known = DATA_DIR / f"{spec.name}.npz"
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "made.npz" if arguments.check else arguments.output or known
            build(spec, arguments.source or fetch_source(spec, Path(folder)), output)
            if arguments.check and not same(output, known):
                sys.stderr.write(f"{known} is not what the build makes; run it without --check\n")
                return 1
            sys.stdout.write(f"{known if arguments.check else output}: {output.stat().st_size} bytes\n")
    except GrammarError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
