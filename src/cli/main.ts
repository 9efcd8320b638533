#!/usr/bin/env node
// Nothing is imported before the check: an old Node could not even parse it.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 20 || (major === 20 && minor >= 19)) {
  const { startProcess } = await import("./start-process.ts");
  await startProcess();
} else {
  console.error(
    `tape: Tape needs Node.js 20.19 or newer, and this is ${process.versions.node}. Install a newer one: https://nodejs.org`,
  );
  process.exitCode = 78;
}
