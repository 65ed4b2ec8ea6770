"""``make bench``: every figure beside its budget, also to ``bench.json``."""

import argparse
import sys
from pathlib import Path

import msgspec

from engine.protocol.registry import scan
from tests import bench
from tests.bench.base import Bench, Figure


def main() -> int:
    """Run the benchmarks that were asked for; 1 when a figure misses its budget."""
    found: dict[str, Bench] = scan(bench, "BENCH")
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", choices=list(found), help="one benchmark")
    only = parser.parse_args().only
    results: dict[str, Figure] = {}
    for name in [only] if only else found:
        print(f"{name}", flush=True)
        figures = found[name].run()
        for what, figure in figures.items():
            results[f"{name}.{what}"] = figure
            print(f"  {_line(what, figure)}", flush=True)
    encoded = msgspec.json.format(msgspec.json.encode(results), indent=2)
    Path("bench.json").write_bytes(encoded + b"\n")
    missed = [name for name, figure in results.items() if not figure.ok]
    print(f"{len(results) - len(missed)} figures within budget, {len(missed)} beyond: {missed}")
    return 1 if missed else 0


def _line(what: str, figure: Figure) -> str:
    text = f"{what:<34}{figure.value:>14,.3f} {figure.unit:<12}"
    if figure.budget is not None:
        sign = "≥" if figure.at_least else "≤"
        text += f"budget {sign} {figure.budget:,g}  {'ok' if figure.ok else 'BEYOND'}"
    if figure.ratio is not None:
        text += f"  {figure.ratio:.1f} x {figure.peer}"
    return text


if __name__ == "__main__":
    sys.exit(main())
