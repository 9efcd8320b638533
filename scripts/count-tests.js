// Prints `N passed, N failed, N skipped` from the JSON report of vitest, and fails if anything did.
import { readFileSync } from "node:fs";

/** @typedef {{ status: string, assertionResults: { status: string }[] }} TestFile */

const report = /** @type {{ testResults: TestFile[] }} */ (JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")));
const states = report.testResults.flatMap((file) => file.assertionResults.map((test) => test.status));
// A file that could not even be loaded has no tests to fail.
const broken = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
const passed = states.filter((state) => state === "passed").length;
const skipped = states.filter((state) => ["skipped", "pending", "todo", "disabled"].includes(state)).length;
const failed = states.length - passed - skipped + broken.length;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
if (failed > 0 || passed === 0) process.exitCode = 1;
