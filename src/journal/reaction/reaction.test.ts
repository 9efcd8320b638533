import { describe, expect, it } from "vitest";
import { plain, reloaded, RowDriver } from "../../../test/journal/row-driver.ts";
import { deregisteredIndex } from "../../codec/row-id.ts";
import type { Reaction } from "../../model/reaction.ts";
import { defaultLimits as limits } from "../limits.ts";
import { dutyOfKey, reactionRules, type ReactionEvent, type ReactionRow } from "./reaction.ts";
import { definitionOf, deregisterReaction, patternFilter, readReaction, registerReaction } from "./register.ts";

const drive = (): RowDriver<ReactionRow, ReactionEvent> => new RowDriver(reactionRules);
const define = (change: Partial<Reaction> = {}) =>
  definitionOf({ reactionId: "r/1", subjectPattern: "/tape/**", handlerKind: "TASK", ...change }, limits);
const register = (change: Partial<Reaction> = {}, end: number | null = null) =>
  registerReaction(define(change), "tenant", end);

describe("a reaction", () => {
  it("is written once for one definition, and counts every change (R70)", () => {
    const reaction = drive();
    reaction.call(register());
    expect(reaction.call(register()).events).toEqual([]);
    reaction.now += 5;
    const changed = reaction.call(register({ predicateCel: "seq > 1" })).value;
    expect(changed).toMatchObject({ reaction: { predicateCel: "seq > 1", createdAtMs: reaction.now - 5 } });
    expect(reaction.call(readReaction).value).toMatchObject({
      generation: 1,
      revision: 2,
      start: 0,
      tenantId: "tenant",
    });
    expect(reloaded(reaction)).toEqual(plain(reaction.state));
  });

  it("asks for the end of the feed only when it begins there", () => {
    const reaction = drive();
    expect(reaction.call(register({ bootstrapFromHead: true })).value).toEqual({ kind: "needs-end-of-feed" });
    expect(reaction.events).toEqual([]);
    reaction.call(register({ bootstrapFromHead: true }, 42));
    expect(reaction.call(register({ bootstrapFromHead: true })).value.kind).toBe("registered");
    reaction.call(register({ bootstrapFromHead: true, name: "n" }));
    expect(reaction.call(readReaction).value?.start).toBe(42);
  });

  it("begins a new generation when it is registered again", () => {
    const reaction = drive();
    reaction.call(register({ bootstrapFromHead: true }, 42));
    expect(reaction.call(deregisterReaction).value).toEqual({ deregistered: true });
    expect(reaction.call(readReaction).value).toBeNull();
    expect(reaction.keys().map(({ index }) => index)).toEqual([deregisteredIndex]);
    expect(reloaded(reaction)).toEqual(plain(reaction.state));
    reaction.call(register());
    expect(reaction.call(readReaction).value).toMatchObject({ generation: 2, revision: 3, start: 0 });
  });

  it("keeps the number of its shards for ever", () => {
    const reaction = drive();
    reaction.call(register({ numShards: 2 }));
    expect(() => reaction.call(register({ numShards: 3 }))).toThrow("their number is for ever");
    reaction.call(deregisterReaction);
    expect(() => reaction.call(register())).toThrow("has 2 shards, which cannot become 1");
  });

  it("tells servers by its key what they have to do for it", () => {
    const reaction = drive();
    reaction.call(register({ handlerKind: "AGENT", agentApp: "a", numShards: 4 }));
    expect(reaction.keys()).toEqual([
      { index: "~/reactions", key: "r%2F1" },
      { index: "reactor", key: "~/r%2F1/4/AGENT" },
    ]);
    expect(dutyOfKey("~/r%2F1/4/AGENT")).toEqual({ numShards: 4, startsRuns: true });
    expect(dutyOfKey("~/r%2F1/1/TASK")).toEqual({ numShards: 1, startsRuns: false });
  });
});

describe("a pattern for a list", () => {
  it.each([
    ["", "", true],
    ["", "/tape/run/**", true],
    ["/tape/run/**", "", false],
    ["/**", "", true],
    ["/tape/**", "/tape/**", true],
    ["/tape/run/**", "/tape/**", false],
    ["/tape/run/*", "/tape/run/**", false],
    ["/tape/run/*", "/tape/run/failed", true],
    ["/tape/*/*/**", "/tape/run/**", false],
    ["/tape/*/*/**", "/tape/run/*/**", true],
  ])("%s covers %s: %s", (pattern, subjectPattern, covered) => {
    expect(patternFilter(pattern)({ reactionId: "r", subjectPattern, handlerKind: "TASK" })).toBe(covered);
  });
});
