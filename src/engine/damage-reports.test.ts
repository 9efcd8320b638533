import { expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { DamageReports } from "./damage-reports.ts";

const hourMs = 3_600_000;

function reports() {
  const told: string[] = [];
  const clock = { now: 0 };
  const { failed } = new DamageReports(
    ({ message }) => told.push(message),
    () => clock.now,
  );
  return { told, clock, failed };
}

it("tells the same damage once an hour, and of nothing else that fails", () => {
  const { told, clock, failed } = reports();
  for (let i = 0; i < 3; i += 1) {
    failed(new TapeError("STORE_CORRUPT", "row a"));
    failed(new TapeError("STORE_CORRUPT", "row b"));
    failed(new TapeError("STORE_UNAVAILABLE", "away"));
    failed(new RangeError("a bug"));
  }
  expect(told).toEqual(["row a", "row b"]);
  clock.now = hourMs;
  failed(new TapeError("STORE_CORRUPT", "row a"));
  expect(told).toEqual(["row a", "row b", "row a"]);
});

it("is no flood when all rows are newer, or thousands are damaged", () => {
  const { told, failed } = reports();
  for (let i = 0; i < 5000; i += 1) {
    failed(new TapeError("FORMAT_NEWER", `row ${i}`));
    failed(new TapeError("STORE_CORRUPT", `row ${i}`));
  }
  expect(told).toHaveLength(1000);
});
