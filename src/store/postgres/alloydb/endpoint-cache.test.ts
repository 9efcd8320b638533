import { describe, expect, it } from "vitest";
import { endpointCache, type Perishable } from "./endpoint-cache.ts";

const minute = 60_000;

/** A cache of endpoints that live for an hour, with the fetches it made. */
function scene() {
  const clock = { now: 0 };
  const fetches: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const fetchOne = (): Promise<Perishable> =>
    new Promise((resolve, reject) => {
      const endpoint = { fetchedAt: clock.now, expiresAt: clock.now + 60 * minute };
      fetches.push({ resolve: () => resolve(endpoint), reject });
    });
  const cache = endpointCache(fetchOne, () => clock.now);
  const first = async (): Promise<Perishable> => {
    const got = cache.get();
    fetches[0]?.resolve();
    return await got;
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { clock, fetches, cache, first, settle };
}

describe("the cache of endpoints", () => {
  it("fetches once for all who ask meanwhile, and gives the same for half of its life", async () => {
    const { cache, fetches, first, clock } = scene();
    const others = [cache.get(), cache.get()];
    const one = await first();
    expect(await Promise.all(others)).toEqual([one, one]);
    clock.now = 29 * minute;
    expect(await cache.get()).toBe(one);
    expect(fetches).toHaveLength(1);
  });

  it("renews in the second half of its life while it gives the old one", async () => {
    const { cache, fetches, first, clock, settle } = scene();
    const one = await first();
    clock.now = 31 * minute;
    expect([await cache.get(), await cache.get()]).toEqual([one, one]);
    expect(fetches).toHaveLength(2);
    fetches[1]?.resolve();
    await settle();
    expect((await cache.get()).fetchedAt).toBe(31 * minute);
  });

  it("keeps the old one when renewing fails, and tries again after a pause", async () => {
    const { cache, fetches, first, clock, settle } = scene();
    const one = await first();
    clock.now = 31 * minute;
    await cache.get();
    fetches[1]?.reject(new Error("outage"));
    await settle();
    clock.now += 29_000;
    expect(await cache.get()).toBe(one);
    expect(fetches).toHaveLength(2);
    clock.now += 1000;
    expect(await cache.get()).toBe(one);
    expect(fetches).toHaveLength(3);
  });

  it("waits for a new one in the last minute", async () => {
    const { cache, fetches, first, clock } = scene();
    await first();
    clock.now = 59 * minute;
    const got = cache.get();
    fetches[1]?.resolve();
    expect((await got).fetchedAt).toBe(clock.now);
    expect(fetches).toHaveLength(2);
  });

  it("replaces one that is distrusted, at most every half minute", async () => {
    const { cache, fetches, first, clock } = scene();
    const one = await first();
    cache.distrust(one);
    expect(await cache.get()).toBe(one);
    clock.now = 30_000;
    const got = cache.get();
    fetches[1]?.resolve();
    const two = await got;
    expect(two).not.toBe(one);
    cache.distrust(one);
    clock.now = 2 * minute;
    expect(await cache.get()).toBe(two);
    expect(fetches).toHaveLength(2);
  });

  it("keeps no failure", async () => {
    const { cache, fetches } = scene();
    const failed = cache.get();
    fetches[0]?.reject(new Error("outage"));
    await expect(failed).rejects.toThrow("outage");
    const got = cache.get();
    fetches[1]?.resolve();
    await expect(got).resolves.toBeDefined();
  });

  it("uses a certificate that seems to have expired when it came", async () => {
    const expired = { fetchedAt: 0, expiresAt: -minute };
    let fetches = 0;
    const cache = endpointCache(
      () => {
        fetches += 1;
        return Promise.resolve(expired);
      },
      () => 0,
    );
    expect([await cache.get(), await cache.get(), fetches]).toEqual([expired, expired, 1]);
  });
});
