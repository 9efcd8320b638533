#!/bin/sh
# Takes away from the installed packages in folder $1 what no server loads: TypeScript, source maps, descriptions,
# tests, C sources, and the binaries for other machines than this one. Licences stay.
set -eu

cd "$1/node_modules"
find . -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.tsbuildinfo' \) -delete
find . -type f \( -iname 'readme*.md' -o -iname 'changelog*.md' -o -iname 'history.md' -o -iname 'contributing.md' \) -delete
find . -type f -name '*.test.*' -delete
# Only beside a package.json: deeper down, a folder of such a name may be part of the program.
find . -type f -name package.json -exec sh -c '
  for manifest; do
    cd "${manifest%/*}" && rm -rf .github test tests __tests__ bench benchmark benchmarks example examples docs
    cd "$0"
  done' "$PWD" {} +

# SQLite for Node before 22.13; the binary for glibc on this processor.
here=$(node -p '`${process.platform}-${process.arch}`')
rm -rf @photostructure/sqlite/src
find @photostructure/sqlite/prebuilds -mindepth 1 -maxdepth 1 ! -name "$here" -exec rm -rf {} +
find . -depth -type d -empty -delete
