#!/bin/sh
# Puts what was built in folder $1 into the app folder $2, beside the packages installed there, and makes the empty
# folder $3 for data.
set -eu

cp "$1/package.json" "$1/LICENSE" "$1/CHANGELOG.md" "$1/deploy/container/health-check.js" "$2"
cp -R "$1/dist" "$2/dist"
# What only those who develop against Tape load.
rm -rf "$2/dist/testing"
find "$2/dist" -type f \( -name '*.d.ts' -o -name '*.tsbuildinfo' \) -delete
chmod 755 "$2/dist/cli/main.js"
# `docker exec CONTAINER tape show ...`
mkdir "$2/bin"
ln -s ../dist/cli/main.js "$2/bin/tape"
chmod -R a+rX "$2"
mkdir -p "$3"
