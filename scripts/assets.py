"""Copy the browser assets we serve from node_modules into the static folder. Run by `scripts/assets` after npm."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "src" / "limen" / "clinic" / "static" / "vendor"

ASSETS: dict[str, list[str]] = {
    "uplot": ["uplot/dist/uPlot.iife.min.js", "uplot/dist/uPlot.min.css", "uplot/LICENSE"],
    "b612": [
        "@fontsource/b612/files/b612-latin-400-normal.woff2",
        "@fontsource/b612/files/b612-latin-700-normal.woff2",
        "@fontsource/b612-mono/files/b612-mono-latin-400-normal.woff2",
        "@fontsource/b612/LICENSE",
    ],
}


def main() -> int:
    missing = [path for paths in ASSETS.values() for path in paths if not (MODULES / path).is_file()]
    if missing:
        sys.stderr.write(f"assets: not in node_modules: {', '.join(missing)}. Run `npm ci --ignore-scripts` first.\n")
        return 2
    for folder, paths in ASSETS.items():
        target = VENDOR / folder
        target.mkdir(parents=True, exist_ok=True)
        for path in paths:
            shutil.copyfile(MODULES / path, target / Path(path).name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
