import { describe, expect, it } from "vitest";
import { plain, reloaded, RowDriver } from "../../../test/journal/row-driver.ts";
import { moveCursor, readShard, shardRules, takeShard } from "./shard.ts";

const leaseMs = 1000;
const take = (owner: string, generation = 1, start = 10) => takeShard({ owner, leaseMs, generation, start });

describe("a shard of a reaction", () => {
  it("is matched by one server at a time, which is fenced off when another takes over (R70)", () => {
    const shard = new RowDriver(shardRules);
    const mine = shard.call(take("me")).value;
    expect(mine).toMatchObject({ owner: "me", epoch: 1, cursor: 10 });
    expect(shard.call(take("they"))).toEqual({ value: null, events: [] });
    expect(shard.call(moveCursor(1, 1, 20, leaseMs)).value).toBe(true);
    shard.now += leaseMs;
    expect(shard.call(take("they")).value).toMatchObject({ owner: "they", epoch: 2, cursor: 20 });
    expect(shard.call(moveCursor(1, 1, 99, leaseMs))).toEqual({ value: false, events: [] });
    expect(shard.call(readShard).value.cursor).toBe(20);
    expect(reloaded(shard)).toEqual(plain(shard.state));
  });

  it("keeps its epoch when its server takes it again, and is free at once when it is given back", () => {
    const shard = new RowDriver(shardRules);
    shard.call(take("me"));
    shard.now += 5 * leaseMs;
    expect(shard.call(take("me")).value?.epoch).toBe(1);
    expect(shard.call(moveCursor(1, 1, 30, 0)).value).toBe(true);
    expect(shard.call(take("they")).value).toMatchObject({ epoch: 2, cursor: 30 });
  });

  it("never goes back within a generation, and starts where a new one says", () => {
    const shard = new RowDriver(shardRules);
    shard.call(take("me"));
    shard.call(moveCursor(1, 1, 30, leaseMs));
    expect(shard.call(moveCursor(1, 1, 20, leaseMs)).value).toBe(true);
    expect(shard.state.cursor).toBe(30);
    expect(shard.call(take("me", 2, 5)).value?.cursor).toBe(5);
    expect(shard.call(moveCursor(1, 1, 40, leaseMs)).value).toBe(false);
    expect(shard.call(take("me", 1)).value).toBeNull();
  });
});
