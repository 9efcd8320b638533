import { expect, it } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { Expiry } from "./expiry.ts";

const day = 24 * 3_600_000;

it.each([1000, 60 * day])("fires after %d ms, which may be more than a timer can hold", async (ms) => {
  const clock = new FakeClock();
  const { signal } = new Expiry(clock.now() + ms, new AbortController().signal, clock);
  await clock.advance(ms - 1);
  expect(signal.aborted).toBe(false);
  await clock.advance(1);
  expect(signal.reason).toMatchObject({ reason: "CREDENTIALS_EXPIRED" });
  expect(clock.sleeping).toBe(0);
});

it("has fired when the credential expired before", () => {
  const clock = new FakeClock();
  const { signal } = new Expiry(clock.now(), new AbortController().signal, clock);
  expect(signal.reason).toMatchObject({ reason: "CREDENTIALS_EXPIRED" });
});

it("follows the other signal, also one that has fired", () => {
  const clock = new FakeClock();
  const outer = new AbortController();
  const { signal } = new Expiry(clock.now() + day, outer.signal, clock);
  outer.abort("left");
  expect(signal.reason).toBe("left");
  expect(new Expiry(clock.now() + day, outer.signal, clock).signal.reason).toBe("left");
  expect(clock.sleeping).toBe(0);
});

it("leaves nobody asleep, and follows nothing any more", () => {
  const clock = new FakeClock();
  const outer = new AbortController();
  const expiry = new Expiry(clock.now() + day, outer.signal, clock);
  expect(clock.sleeping).toBe(1);
  expiry.stop();
  expiry.stop();
  expect(clock.sleeping).toBe(0);
  outer.abort();
  expect(expiry.signal.aborted).toBe(false);
});
